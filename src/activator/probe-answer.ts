/**
 * Requests that Knative's own components answer in the app's place, since their probes look so: BEHAVIOUR 3.3, and the
 * transcripts in conformance/queue-proxy (probe-*, kprobe). Which component answers depends on who is in the path.
 * Sources: knative/serving pkg/activator/handler/{healthz,probe}_handler.go, pkg/queue/health/handler.go; knative/networking
 * pkg/http/probe/handler.go; knative/pkg network/handlers/drain.go.
 */
import type { Answer } from "../proxy/exchange.ts";
import { goQuote } from "../proxy/go-quote.ts";
import { platformAnswer } from "./platform-answer.ts";

export interface ProbeRequest {
  /** User-Agent, '' if there is none. */
  readonly agent: string;
  /** K-Network-Probe, '' if there is none. */
  readonly value: string;
  /** K-Network-Hash, '' if there is none. */
  readonly hash: string;
  /** K-Kubelet-Probe is there. */
  readonly kubelet: boolean;
}

const KUBELET_AGENT = "kube-probe/";
/** Agents whose requests queue-proxy takes for a health check, whatever else they say. */
const HEALTH_AGENTS = [KUBELET_AGENT, "Knative-Activator-Probe", "Knative-Autoscaling-Probe"];

/** What a request says about being a probe; undefined for nearly all: one pass, comparing lengths. */
export function probeRequest(rawHeaders: readonly string[]): ProbeRequest | undefined {
  let agent = "";
  let value = "";
  let hash = "";
  let kubelet = false;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length !== 10 && name.length !== 14 && name.length !== 15) continue;
    const lower = name.toLowerCase();
    if (lower === "user-agent") agent ||= rawHeaders[i + 1] as string;
    else if (lower === "k-network-probe") value ||= rawHeaders[i + 1] as string;
    else if (lower === "k-network-hash") hash ||= rawHeaders[i + 1] as string;
    else if (lower === "k-kubelet-probe") kubelet ||= rawHeaders[i + 1] !== "";
  }
  const isProbe = kubelet || value !== "" || HEALTH_AGENTS.some((prefix) => agent.startsWith(prefix));
  return isProbe ? { agent, value, hash, kubelet } : undefined;
}

/** As the activator answers; undefined: it passes the request on. */
export function activatorProbeAnswer(probe: ProbeRequest): Answer | undefined {
  if (probe.kubelet || probe.agent.startsWith(KUBELET_AGENT)) return answer(200, "");
  if (probe.value === "probe") return hashAnswer(probe);
  if (probe.value === "activator") return answer(200, "activator");
  if (probe.value !== "")
    return answer(400, `unexpected probe header value: ${goQuote(Buffer.from(probe.value, "latin1"))}\n`);
  // A health check's agent alone means nothing to the activator; the queue-proxy behind it would answer so.
  return unexpected("");
}

/** As queue-proxy answers; `health` asks whether the instance is ready. Undefined: it passes the request on. */
export async function queueProxyProbeAnswer(
  probe: ProbeRequest,
  state: { readonly draining: boolean; health(): Promise<boolean> },
): Promise<Answer | undefined> {
  const isHealthCheck = probe.kubelet || HEALTH_AGENTS.some((prefix) => probe.agent.startsWith(prefix));
  if (!isHealthCheck && probe.value !== "probe") return undefined;
  if (state.draining) return answer(503, "shutting down\n");
  if (!isHealthCheck) return hashAnswer(probe);
  if (probe.value !== "queue") return unexpected(probe.value);
  return (await state.health()) ? answer(200, "queue") : answer(503, "");
}

function hashAnswer({ hash }: ProbeRequest): Answer {
  if (hash === "") return answer(400, 'a probe request must contain a non-empty "K-Network-Hash" header\n');
  const plain = answer(200, "");
  return { ...plain, headers: [["K-Network-Hash", hash], ...(plain.headers ?? [])] };
}

function unexpected(value: string): Answer {
  return answer(400, `unexpected probe header value: ${value}\n`);
}

function answer(status: number, body: string): Answer {
  return platformAnswer(status, body, "probe");
}
