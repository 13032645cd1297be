/** Says in a sentence why the app's side of a request failed, and what usually helps (BEHAVIOUR 12). */
import type { ForwardOutcome } from "../proxy/forward.ts";
import type { Instance } from "../revision/instance.ts";

export function explainFailure(
  outcome: ForwardOutcome & { kind: "upstream-error" },
  instance: Instance,
): string {
  const who = instance.name;
  const { failure } = instance;
  if (failure !== undefined) return `${failure.message} while the request was under way`;
  switch (outcome.diagnosis) {
    case "refused":
      return `${who} runs but refuses connections on port ${instance.plan.port}: it has stopped listening`;
    case "tls":
      return `${who} speaks TLS on port ${instance.plan.port}; the platform ends TLS, the container must serve plain HTTP`;
    case "http2":
      return `${who} speaks HTTP/2 on port ${instance.plan.port}; name the port h2c (spec.template.spec.containers[].ports[].name), or serve HTTP/1.1`;
    case "truncated":
      return `${who} closed the connection before its response was complete`;
    case "eof":
      return `${who} closed the connection without an answer; if it closes idle connections early, give it a longer keep-alive timeout`;
    case "reset":
      return `${who} reset the connection`;
    default:
      return `${who}: ${outcome.goMessage}`;
  }
}
