/** Knative's queue-proxy, as recorded: here target-burst-capacity is 0, so that the activator is not in the path. */
import { replay, type Scenario, twoResponses } from "./replay.ts";
import { type ConformanceRig, request } from "./rig.ts";
import type { RecordedResponse } from "./transcript.ts";

const get =
  (path: string, ...fields: readonly string[]): Scenario["run"] =>
  async (rig) => [await rig.send(request(path, ...fields))];

/** In the order in which they end, those that are refused last: who is first may change on a busy machine. */
const many = async (rig: ConformanceRig, count: number, gapMs: number): Promise<RecordedResponse[]> => {
  const all = await Promise.all(
    Array.from({ length: count }, async (_, n) => {
      await rig.pause(n * gapMs);
      return rig.send(request(`/sleep?ms=${gapMs > 0 ? 500 : 1_500}`));
    }),
  );
  const refused = ({ status }: RecordedResponse): number => (status.includes("503") ? 1 : 0);
  return all.toSorted((a, b) => refused(a) - refused(b) || a.after - b.after);
};

/** Go's server answers HTTP/1.0 in kind; ours, like most, with its own version (RFC 9112 section 2.3), and says that it closes. */
const ourVersion: Scenario["adapt"] = (recorded) =>
  recorded.map((one) => ({
    ...one,
    status: one.status.replace("HTTP/1.0", "HTTP/1.1"),
    headers: [...one.headers, "connection: close"].toSorted(),
  }));

const scenarios: Record<string, Scenario> = {
  "app-closes-connection": { run: get("/close") },
  "app-down": {
    plan: { port: 19_399 },
    run: async (rig) => {
      await rig.engine.running[0]?.unlisten();
      return get("/")(rig);
    },
  },
  "app-down-probe": {
    run: async (rig) => {
      await rig.engine.running[0]?.unlisten();
      return get("/", "User-Agent: kube-probe/1.30", "K-Network-Probe: queue")(rig);
    },
  },
  "app-status-418": { run: get("/status?code=418") },
  "app-status-503": { run: get("/status?code=503") },
  "bad-request": { run: async (rig) => [await rig.send("this is not HTTP\r\n\r\n")] },
  "default-route-header": {
    run: get("/headers", "Knative-Serving-Default-Route: false", "Knative-Serving-Tag: blue"),
  },
  drain: {
    run: async (rig) => {
      rig.activator.close();
      const plain = await get("/status?code=200")(rig);
      return [...plain, ...(await get("/", "User-Agent: kube-probe/1.30", "K-Network-Probe: queue")(rig))];
    },
    // The third is the answer of the admin port, which nobody asks here.
    adapt: (recorded) => recorded.slice(0, 2),
  },
  "expect-100": {
    run: async (rig) => [
      await rig.send(
        `${request("/headers", "Expect: 100-continue", "Content-Length: 3").replace("GET", "POST")}abc`,
      ),
    ],
  },
  "forwarded-headers": {
    hidden: [],
    // The ingress has appended the client before queue-proxy looks.
    adapt: (recorded) =>
      recorded.map((one) => ({
        ...one,
        headers: one.headers.map((line) => line.replace("content-length: 343", "content-length: 358")),
        body: one.body.replace("proto=https", "proto=https, for=127.0.0.1"),
      })),
    run: get(
      "/headers",
      "X-Forwarded-For: 10.1.2.3",
      "X-Forwarded-Proto: https",
      "X-Forwarded-Host: shown.example.com",
    ),
  },
  "forwarded-kept": {
    hidden: ["x-forwarded-proto"],
    run: get("/headers", "Forwarded: for=9.9.9.9", "X-Forwarded-For: 10.1.2.3"),
  },
  head: { run: async (rig) => [await rig.send(request("/headers").replace("GET", "HEAD"))] },
  "hop-by-hop": {
    run: get(
      "/headers",
      "TE: trailers",
      "Keep-Alive: timeout=5",
      "Proxy-Authorization: x",
      "Proxy-Connection: keep-alive",
      "X-Custom: kept",
    ),
  },
  "huge-header": { run: get("/headers", `X-Huge: ${"x".repeat(2 * 1024 * 1024)}`) },
  "idle-timeout-before-first-byte": {
    plan: { idleTimeoutMs: 1_000 },
    names: "idleTimeoutSeconds",
    run: get("/sleep?ms=3000"),
  },
  "idle-timeout-midstream": {
    plan: { idleTimeoutMs: 1_000 },
    names: "idleTimeoutSeconds",
    run: get("/stream?n=4&ms=2000"),
  },
  "idle-timeout-not-hit": { plan: { idleTimeoutMs: 1_000 }, run: get("/stream?n=4&ms=600") },
  "knative-headers": {
    run: get(
      "/headers",
      "K-Original-Host: other.example.com",
      "K-Network-Hash: h",
      "K-Passthrough-Lb: true",
      "K-Proxy-Request: activator",
      "Knative-Serving-Default-Route: true",
      "Knative-Serving-Revision: r",
      "Knative-Serving-Namespace: n",
      "Knative-Serving-Tag: t",
    ),
  },
  kprobe: { run: get("/", "K-Network-Probe: probe", "K-Network-Hash: abc") },
  "overload-cc1": { plan: { containerConcurrency: 1 }, run: (rig) => many(rig, 14, 20) },
  "plain-get": { run: get("/headers") },
  "plain-get-http10": {
    adapt: ourVersion,
    run: async (rig) => [await rig.send("GET /headers HTTP/1.0\r\nHost: hello.default.example.com\r\n\r\n")],
  },
  "probe-activator": { run: get("/", "User-Agent: Knative-Activator-Probe", "K-Network-Probe: queue") },
  "probe-kubelet": { run: get("/", "User-Agent: kube-probe/1.30", "K-Network-Probe: queue") },
  "probe-kubelet-no-header": { run: get("/", "User-Agent: kube-probe/1.30") },
  "queue-wait-counts-for-timeout": {
    plan: { containerConcurrency: 2, timeoutMs: 2_000 },
    names: "timeoutSeconds",
    run: (rig) => many(rig, 6, 0),
  },
  "response-start-timeout": {
    plan: { responseStartTimeoutMs: 1_000 },
    names: "responseStartTimeoutSeconds",
    run: get("/sleep?ms=3000"),
  },
  "response-start-timeout-stream": {
    plan: { responseStartTimeoutMs: 1_000 },
    run: get("/stream?n=4&ms=500"),
  },
  sigterm: {
    settings: { initialScale: 2 },
    plan: { containerConcurrency: 1 },
    run: async (rig) => {
      const underWay = rig.send(request("/sleep?ms=3000"));
      const leaving = await rig.busyInstance();
      void leaving.stop("scaled down");
      await rig.pause(300);
      const late = await rig.send(request("/status?code=200"));
      return [late, await underWay];
    },
  },
  stream: { run: get("/stream?n=3&ms=200") },
  timeout: { plan: { timeoutMs: 1_000 }, names: "timeoutSeconds", run: get("/sleep?ms=3000") },
  "timeout-keepalive": {
    adapt: (recorded) => recorded.flatMap(twoResponses),
    plan: { timeoutMs: 1_000 },
    names: "timeoutSeconds",
    run: async (rig) => {
      const first = request("/sleep?ms=3000").replace("Connection: close\r\n", "");
      return twoResponses(await rig.send(first + request("/status?code=200")));
    },
  },
  "timeout-midstream": {
    plan: { timeoutMs: 1_000 },
    names: "timeoutSeconds",
    run: get("/stream?n=8&ms=400"),
  },
};

replay("queue-proxy", {
  scenarios,
  settings: { targetBurstCapacity: 0 },
  hidden: ["forwarded", "x-forwarded-proto"],
  elsewhere: {
    h2c: "HTTP/2 towards clients and apps is not spoken yet",
    "websocket-echo": "websocket.socket.test.ts",
    "websocket-idle": "websocket.socket.test.ts",
    "websocket-response-start": "websocket.socket.test.ts",
    "websocket-timeout": "websocket.socket.test.ts",
    "websocket-timeout-active": "websocket.socket.test.ts",
  },
});
