import { afterEach, describe, expect, it } from "vitest";
import type { ScalingSettings } from "../../src/scaling/settings.ts";
import type { FakeProgram } from "../support/fake-engine.ts";
import { ActivatorRig, bind } from "./rig.ts";

let rig: ActivatorRig | undefined;
const open = (options: ConstructorParameters<typeof ActivatorRig>[0] = {}): Promise<ActivatorRig> => {
  rig = new ActivatorRig(options);
  return rig.open();
};
afterEach(() => rig?.close());

const ZERO: Partial<ScalingSettings> = { initialScale: 0 };

describe("who is in the path", () => {
  const echo: FakeProgram = () => (request, response) => {
    if (request.url === "/slow") return;
    const { "k-proxy-request": via, "x-forwarded-for": chain } = request.headers;
    response.end(`${String(via)} ${String(chain)}`);
  };

  it.each([
    ["the activator", 211, "activator 127.0.0.1, 127.0.0.1", "activator request timeout"],
    ["queue-proxy alone", 0, "undefined 127.0.0.1", "request timeout"],
  ])("is %s with a target-burst-capacity of %i", async (_who, targetBurstCapacity, seen, words) => {
    const { clock, runtime, send, requests } = bind(
      await open({ program: echo, settings: { targetBurstCapacity }, plan: { timeoutMs: 10_000 } }),
    );
    await runtime.becameReady;
    expect((await send()).body).toBe(seen);
    const reply = send({ path: "/slow" });
    await requests(2);
    await clock.advance(10_000);
    expect(await reply).toMatchObject({ status: 504, body: words });
  });

  it("is the activator whenever no instance is ready", async () => {
    const { clock, engine, runtime, send } = bind(
      await open({ settings: { targetBurstCapacity: 0, ...ZERO }, plan: { timeoutMs: 10_000 } }),
    );
    engine.behaviour.neverListens = true;
    const reply = send();
    await engine.startedInstances(1);
    expect(runtime.mode).toBe("Proxy");
    await clock.advance(10_000);
    expect(await reply).toMatchObject({ status: 504, body: "activator request timeout" });
  });

  it("decides how many may wait: ten for each slot of queue-proxy's", async () => {
    const { runtime, send, requests, results, activator } = bind(
      await open({
        program: () => () => undefined,
        settings: { targetBurstCapacity: 0, maxScale: 1 },
        plan: { containerConcurrency: 2 },
      }),
    );
    await runtime.becameReady;
    for (let n = 1; n <= 22; n += 1) {
      send().catch(() => undefined);
      await requests(n);
    }
    expect(await send()).toMatchObject({ status: 503, body: "pending request queue full\n" });
    expect(results[0]?.detail).toContain("20 requests wait for hello-00001 already");
    activator.close();
  });
});

describe("a probe", () => {
  it("of the network wakes nobody and is no load", async () => {
    const { engine, runtime, send, results } = bind(await open({ settings: ZERO }));
    const reply = await send({ headers: { "K-Network-Probe": "activator" } });
    expect(reply).toMatchObject({ status: 200, body: "activator" });
    expect(await send({ headers: { "User-Agent": "kube-probe/1.30" } })).toMatchObject({
      status: 200,
      body: "",
    });
    expect(engine.calls).toEqual([]);
    expect(runtime.inFlight).toBe(0);
    expect(results[0]).toMatchObject({ reason: "probe", coldStart: false });
  });
});

describe("an instance that is no longer ready", () => {
  it("gets no request; those that come are held until it is ready again", async () => {
    const { clock, engine, runtime, send, requests, results } = bind(
      await open({ plan: { readinessProbe: { tcpSocket: {}, periodSeconds: 1, failureThreshold: 1 } } }),
    );
    await runtime.becameReady;
    const [running] = engine.running;
    await running?.unlisten();
    while (runtime.ready.length > 0) await clock.advance(100);
    const reply = send();
    await requests(1);
    await clock.advance(5_000);
    expect(results).toEqual([]);
    await running?.listen();
    while (runtime.ready.length === 0) await clock.advance(100);
    expect(await reply).toMatchObject({ status: 200 });
    expect(results[0]).toMatchObject({ coldStart: true, instance: running?.run.name });
    expect(engine.instances).toHaveLength(1);
  });
});
