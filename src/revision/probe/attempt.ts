/**
 * One try of a readiness probe against an address. Resolves when the probe passes, rejects with the reason when it
 * does not. Timeouts are real time, not scaled: they bound a socket on this machine.
 */
import http from "node:http";
import http2 from "node:http2";
import net from "node:net";
import type { Address, ExecResult } from "../../engine/engine.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Probe } from "../../manifest/spec.ts";

export interface ProbeTarget {
  readonly address: Address;
  /** The port that the container believes it listens on: a probe that names it means `address.port`. */
  readonly port: number;
  exec(command: readonly string[], signal: AbortSignal): Promise<ExecResult>;
}

/**
 * Who asks. Knative's queue-proxy: readiness, also of the port where the kubelet runs a command. The kubelet: liveness
 * and startup, of the container alone.
 */
export type ProbeRunner = "queue-proxy" | "kubelet";

/** What an HTTP probe calls itself: queue-proxy leaves the version out. */
const AGENTS: Readonly<Record<ProbeRunner, string>> = {
  "queue-proxy": "kube-probe//",
  kubelet: "kube-probe/1.35",
};

export interface AttemptOptions {
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Default queue-proxy. */
  readonly runner?: ProbeRunner;
}

/** Where a published port accepts before the app listens, the proxy behind it hangs up within a millisecond or so. */
const STAYS_OPEN_MS = 100;

export async function attemptProbe(
  probe: Probe,
  target: ProbeTarget,
  options: AttemptOptions,
): Promise<void> {
  const { runner = "queue-proxy" } = options;
  const controller = new AbortController();
  const signal = AbortSignal.any([options.signal, controller.signal]);
  const cancel = options.clock.after(options.timeoutMs, () =>
    controller.abort(new Error(`no answer within ${options.timeoutMs} ms`)),
  );
  try {
    if (probe.httpGet !== undefined) await httpGet(probe.httpGet, target, AGENTS[runner], signal);
    else if (probe.grpc !== undefined) await grpcCheck(probe.grpc, target, AGENTS[runner], signal);
    else if (probe.exec !== undefined) {
      // Knative's queue-proxy keeps checking the port while the kubelet runs the command (BEHAVIOUR 4).
      if (runner === "queue-proxy") await tcpConnect(target.address, options.clock, signal);
      await execCheck(probe.exec.command ?? [], target, signal);
    } else await tcpConnect(addressOf(probe.tcpSocket?.port, target), options.clock, signal);
  } finally {
    cancel();
  }
}

/** The address for a probe's port; another port of the same container is only reachable where we reach it directly. */
function addressOf(port: number | string | undefined, target: ProbeTarget): Address {
  const wanted = Number(port ?? 0);
  if (!Number.isInteger(wanted) || wanted === 0 || wanted === target.port) return target.address;
  return target.address.connectProves ? { ...target.address, port: wanted } : target.address;
}

function tcpConnect(address: Address, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: address.host, port: address.port });
    let cancelTimer = (): void => undefined;
    const finish = (error?: Error): void => {
      cancelTimer();
      signal.removeEventListener("abort", onAbort);
      socket.removeAllListeners();
      socket.on("error", () => undefined);
      socket.destroy();
      if (error === undefined) resolve();
      else reject(error);
    };
    const onAbort = (): void => finish(reasonOf(signal));
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) {
      finish(reasonOf(signal));
      return;
    }
    socket.on("error", finish);
    socket.on("connect", () => {
      if (address.connectProves) {
        finish();
        return;
      }
      socket.on("data", () => finish());
      socket.on("close", () =>
        finish(new Error("the connection was closed at once: nothing listens behind the published port")),
      );
      socket.on("end", () =>
        finish(new Error("the connection was closed at once: nothing listens behind the published port")),
      );
      cancelTimer = clock.after(STAYS_OPEN_MS, () => finish());
    });
  });
}

function httpGet(
  probe: NonNullable<Probe["httpGet"]>,
  target: ProbeTarget,
  agent: string,
  signal: AbortSignal,
): Promise<void> {
  const address = addressOf(probe.port, target);
  const headers: Record<string, string> = {
    "User-Agent": agent,
    Accept: "*/*",
    Connection: "close",
  };
  for (const header of probe.httpHeaders ?? []) headers[header.name] = header.value;
  const host = Object.keys(headers).find((name) => name.toLowerCase() === "host");
  if (host === undefined) headers["Host"] = `127.0.0.1:${target.port}`;
  const path = probe.path === undefined || probe.path === "" ? "/" : probe.path;
  return new Promise((resolve, reject) => {
    const request = http.request(
      {
        host: address.host,
        port: address.port,
        path: path.startsWith("/") ? path : `/${path}`,
        headers,
        agent: false,
        signal,
      },
      (response) => {
        const status = response.statusCode ?? 0;
        response.on("error", () => undefined);
        request.destroy();
        if (status >= 200 && status < 400) resolve();
        else reject(new Error(`HTTP ${status} at ${path}`));
      },
    );
    request.on("error", (error) => reject(signal.aborted ? reasonOf(signal) : error));
    request.end();
  });
}

/** grpc.health.v1.Health/Check by hand: one request message, one field to read in the answer. */
function grpcCheck(
  probe: NonNullable<Probe["grpc"]>,
  target: ProbeTarget,
  agent: string,
  signal: AbortSignal,
): Promise<void> {
  const address = addressOf(probe.port, target);
  return new Promise((resolve, reject) => {
    const session = http2.connect(`http://${address.host}:${address.port}`);
    const finish = (error?: Error): void => {
      signal.removeEventListener("abort", onAbort);
      session.destroy();
      if (error === undefined) resolve();
      else reject(error);
    };
    const onAbort = (): void => finish(reasonOf(signal));
    signal.addEventListener("abort", onAbort, { once: true });
    session.on("error", finish);
    const stream = session.request({
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      te: "trailers",
      "user-agent": agent,
    });
    const chunks: Buffer[] = [];
    let status: string | undefined;
    const readStatus = (headers: http2.IncomingHttpHeaders): void => {
      const value = headers["grpc-status"];
      if (value !== undefined) status = String(value);
    };
    stream.on("response", readStatus);
    stream.on("trailers", readStatus);
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", finish);
    stream.on("end", () => {
      const serving = servingStatus(Buffer.concat(chunks));
      if (status === "0" && serving === 1) finish();
      else if (status === "0")
        finish(new Error(`gRPC health answers ${serving === 2 ? "NOT_SERVING" : `status ${serving}`}`));
      else finish(new Error(`gRPC status ${status ?? "missing"}`));
    });
    stream.end(healthRequest(probe.service ?? ""));
  });
}

function healthRequest(service: string): Buffer {
  const name = Buffer.from(service, "utf8");
  const message =
    name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a]), varint(name.length), name]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return Buffer.from([...bytes, rest]);
}

/** Field 1 of HealthCheckResponse; 0 = UNKNOWN where it is absent. */
function servingStatus(body: Buffer): number {
  return body.length >= 7 && body[5] === 0x08 ? (body[6] ?? 0) : 0;
}

async function execCheck(
  command: readonly string[],
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<void> {
  const { exitCode, output } = await target.exec(command, signal);
  if (exitCode !== 0)
    throw new Error(
      `${command.join(" ")} ended with exit code ${exitCode}${output === "" ? "" : `: ${output.trim()}`}`,
    );
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason));
}
