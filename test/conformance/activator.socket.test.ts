/** Knative's activator in front of queue-proxies, as recorded. With the defaults one instance is never enough to leave it. */
import { replay, type Scenario } from "./replay.ts";
import { type ConformanceRig, request } from "./rig.ts";
import type { RecordedResponse } from "./transcript.ts";

const get =
  (path: string, ...fields: readonly string[]): Scenario["run"] =>
  async (rig) => [await rig.send(request(path, ...fields))];

/** In the order in which they end, as recorded. */
const atOnce = async (rig: ConformanceRig, count: number, path: string): Promise<RecordedResponse[]> => {
  const all = await Promise.all(Array.from({ length: count }, () => rig.send(request(path))));
  return all.toSorted((a, b) => a.after - b.after);
};

/** Nothing runs, and what is started does not listen until `listen` is called. */
const asleep = async (
  rig: ConformanceRig,
  path: string,
  listenAfterMs?: number,
): Promise<RecordedResponse[]> => {
  rig.engine.behaviour.neverListens = true;
  const reply = rig.send(request(path));
  const [instance] = await rig.engine.startedInstances(1);
  if (listenAfterMs !== undefined) {
    await rig.pause(listenAfterMs);
    await instance?.listen();
  }
  return [await reply];
};

const scenarios: Record<string, Scenario> = {
  "app-slow": { plan: { timeoutMs: 2_000 }, names: "timeoutSeconds", run: get("/sleep?ms=5000") },
  "app-slow-midstream": {
    plan: { timeoutMs: 2_000 },
    names: "timeoutSeconds",
    run: get("/stream?n=8&ms=700"),
  },
  "cc1-14-at-once": {
    plan: { containerConcurrency: 1 },
    settings: { maxScale: 1 },
    run: (rig) => atOnce(rig, 14, "/sleep?ms=300"),
  },
  "cc1-two-pods": {
    plan: { containerConcurrency: 1 },
    settings: { initialScale: 2, minScale: 2, maxScale: 2 },
    run: (rig) => atOnce(rig, 10, "/sleep?ms=300"),
  },
  "client-headers": {
    run: get(
      "/headers",
      "K-Original-Host: o.example.com",
      "K-Proxy-Request: x",
      "Knative-Serving-Revision: nope",
      "Knative-Serving-Namespace: default",
      "Forwarded: for=1.1.1.1",
      "TE: trailers",
      "Keep-Alive: timeout=5",
      "X-Forwarded-For: 2.2.2.2",
    ),
  },
  "cold-start": { settings: { initialScale: 0 }, run: (rig) => asleep(rig, "/headers", 2_000) },
  "cold-start-counts-for-response-start": {
    settings: { initialScale: 0 },
    plan: { responseStartTimeoutMs: 1_000 },
    names: "responseStartTimeoutSeconds",
    run: (rig) => asleep(rig, "/headers", 2_000),
  },
  "no-pod-timeout": {
    settings: { initialScale: 0 },
    plan: { timeoutMs: 3_000 },
    names: "timeoutSeconds",
    run: (rig) => asleep(rig, "/headers"),
  },
  "no-pod-timeout-many": {
    settings: { initialScale: 0 },
    plan: { timeoutMs: 3_000 },
    names: "timeoutSeconds",
    run: async (rig) => {
      rig.engine.behaviour.neverListens = true;
      return atOnce(rig, 5, "/headers");
    },
  },
  "pod-dead": {
    // The recorded port is queue-proxy's own; here no port but the app's can refuse.
    plan: { port: 19_520 },
    run: async (rig) => {
      await rig.engine.running[0]?.unlisten();
      return get("/")(rig);
    },
  },
  "pod-not-ready-again": {
    plan: { timeoutMs: 20_000, readinessProbe: { tcpSocket: {}, periodSeconds: 1, failureThreshold: 1 } },
    run: async (rig) => {
      await rig.engine.running[0]?.unlisten();
      await rig.until(() => rig.runtime.ready.length === 0);
      return [await rig.send(request("/status?code=200"), { giveUpMs: 3_000 })];
    },
  },
  "pod-removed-in-flight": {
    run: async (rig) => {
      const reply = rig.send(request("/sleep?ms=3000"));
      await rig.busyInstance();
      void rig.runtime.close("the revision was deleted");
      return [await reply];
    },
  },
  "unknown-revision": { routed: "nope", run: get("/headers") },
  warm: { run: get("/headers") },
};

replay("activator", { scenarios, settings: {}, hidden: ["x-forwarded-proto"], elsewhere: {} });
