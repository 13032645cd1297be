/** Probes. */
import { int32, int64, intOrString, list, object, shape, text, texts, type Shape } from "./field.ts";

const MAX = 2_147_483_647;

const HTTP_HEADER = shape("HTTPHeader", {
  name: text("Name of the header.", { keep: true }),
  value: text("Its value.", { keep: true }),
});

const HTTP_GET = shape("HTTPGetAction", {
  path: text("Path of the request.", { default: "/" }),
  port: intOrString("Number or name of the port.", { keep: true, default: "the container's port" }),
  host: text("Host to connect to; Knative uses the instance's own loopback."),
  scheme: text("HTTP or HTTPS.", { default: "HTTP" }),
  httpHeaders: list("Headers of the request.", () => HTTP_HEADER),
});

const TCP_SOCKET = shape("TCPSocketAction", {
  port: intOrString("Number or name of the port.", { keep: true, default: "the container's port" }),
  host: text("Host to connect to."),
});

const GRPC = shape("GRPCAction", {
  port: int32("Number of the port.", { keep: true, default: "the container's port" }),
  service: text("Service name in the health request.", { pointer: true, schemaDefault: "", default: '""' }),
});

const EXEC = shape("ExecAction", { command: texts("Program and arguments to run in the container.") });

export const PROBE: Shape = shape("Probe", {
  httpGet: object("Ready when a GET answers 200 to 399.", () => HTTP_GET),
  tcpSocket: object("Ready when a connection is accepted.", () => TCP_SOCKET),
  grpc: object("Ready when grpc.health.v1 answers SERVING.", () => GRPC),
  exec: object("Ready when the command ends with 0.", () => EXEC),
  initialDelaySeconds: int32("Seconds to wait before the first attempt.", { bounds: [0, MAX], default: "0" }),
  periodSeconds: int32("Seconds between attempts. 0 is Knative's own way: every 50 ms until it succeeds.", {
    bounds: [0, MAX],
    default: "0",
  }),
  timeoutSeconds: int32("Seconds for one attempt; not allowed with periodSeconds 0.", {
    bounds: [1, MAX],
    default: "1 if periodSeconds is set",
  }),
  successThreshold: int32("Successes in a row that count as success.", { bounds: [1, MAX], default: "1" }),
  failureThreshold: int32("Failures in a row that count as failure; not allowed with periodSeconds 0.", {
    bounds: [1, MAX],
    default: "3 if periodSeconds is set",
  }),
  terminationGracePeriodSeconds: int64("Not available.", { pointer: true, closed: true }),
});
