import { describe, expect, it } from "vitest";
import { settle } from "../support/fake-clock.ts";
import { InstanceRig } from "./rig.ts";

describe("stopping", () => {
  it("before the start leaves nothing to start", async () => {
    const rig = new InstanceRig();
    await rig.instance.stop("not wanted");
    await rig.instance.start();
    expect(rig.path).toBe("pending terminating gone");
    expect(rig.engine.calls).toEqual([]);
  });

  it("while the engine starts takes the start back", async () => {
    const rig = new InstanceRig();
    rig.engine.behaviour.startDelayMs = 5_000;
    const started = rig.instance.start();
    await settle();
    await rig.instance.stop("scaled down");
    await started;
    expect(rig.path).toBe("pending starting terminating gone");
    expect(rig.engine.running).toEqual([]);
    expect(rig.clock.pending).toBe(0);
  });

  it("while an engine starts that takes no notice of the signal, still stops what then came up", async () => {
    let give = (): void => undefined;
    const inner = new InstanceRig();
    const rig = new InstanceRig({
      engine: () => ({
        description: inner.engine.description,
        prepare: (source, options) => inner.engine.prepare(source, options),
        sweep: () => inner.engine.sweep(),
        close: () => inner.engine.close(),
        async start(run) {
          await new Promise<void>((resolve) => {
            give = resolve;
          });
          return inner.engine.start(run, new AbortController().signal);
        },
      }),
    });
    const started = rig.instance.start();
    const stopped = rig.instance.stop("scaled down");
    await settle();
    expect(rig.instance.state).toBe("terminating");
    give();
    await Promise.all([started, stopped]);
    expect(inner.engine.instances).toHaveLength(1);
    expect(inner.engine.running).toEqual([]);
    expect(rig.instance.state).toBe("gone");
  });

  it("while it is probed stops the app and is no failure", async () => {
    const rig = new InstanceRig();
    rig.engine.behaviour.neverListens = true;
    const started = rig.instance.start();
    await rig.engine.startedInstances(1);
    await rig.instance.stop("scaled down");
    await started;
    expect(rig.path).toBe("pending starting terminating gone");
    expect(rig.instance.failure).toBeUndefined();
    expect(rig.engine.running).toEqual([]);
    expect(rig.clock.pending).toBe(0);
  });

  it("waits for requests in flight, then sends SIGTERM with the grace period", async () => {
    const rig = new InstanceRig();
    await rig.instance.start();
    const first = rig.instance.reserve();
    const second = rig.instance.reserve();
    const stopped = rig.instance.stop("no traffic");
    expect(rig.instance.state).toBe("draining");
    expect(() => rig.instance.reserve()).toThrow("draining");
    first();
    first();
    await settle();
    expect(rig.instance.inFlight).toBe(1);
    expect(rig.instance.state).toBe("draining");
    second();
    await stopped;
    expect(rig.engine.calls.filter((call) => call.kind === "stop")).toEqual([
      { kind: "stop", instance: "hello-00001-a", graceMs: 10_000 },
    ]);
    expect(rig.reasonOf("draining")).toBe("no traffic");
    expect(rig.reasonOf("gone")).toBe("it ended");
    expect(rig.clock.pending).toBe(0);
  });

  it("sends SIGTERM all the same when requests outlast the drain", async () => {
    const rig = new InstanceRig({ termination: { drainMs: 60_000 } });
    await rig.instance.start();
    rig.instance.reserve();
    const stopped = rig.instance.stop("no traffic");
    await rig.clock.advance(59_999);
    expect(rig.instance.state).toBe("draining");
    await rig.clock.advance(1);
    await stopped;
    expect(rig.path).toBe("pending starting ready draining terminating gone");
  });

  it("holds SIGTERM back for the quiet period of upstream's queue-proxy", async () => {
    const rig = new InstanceRig({ termination: { quietMs: 30_000 } });
    await rig.instance.start();
    const stopped = rig.instance.stop("no traffic");
    await rig.clock.advance(29_999);
    expect(rig.instance.state).toBe("draining");
    await rig.clock.advance(1);
    await stopped;
    expect(rig.instance.state).toBe("gone");
  });

  it("is hurried by `now`, also when it has begun: drain and grace end at once", async () => {
    const rig = new InstanceRig({ termination: { quietMs: 30_000 } });
    await rig.instance.start();
    rig.engine.running[0]?.onTerminate(() => undefined);
    rig.instance.reserve();
    const slow = rig.instance.stop("Ctrl-C");
    await settle();
    expect(rig.instance.state).toBe("draining");
    const hurried = rig.instance.stop("Ctrl-C again", { now: true });
    await rig.clock.advance(0);
    await Promise.all([slow, hurried]);
    expect(rig.path).toBe("pending starting ready draining terminating gone");
    expect(rig.clock.pending).toBe(0);
  });

  it("is hurried by `now` in its grace period too, and does not blame the app for that", async () => {
    const rig = new InstanceRig();
    await rig.instance.start();
    rig.engine.running[0]?.onTerminate(() => undefined);
    const slow = rig.instance.stop("Ctrl-C");
    await rig.clock.advance(3_000);
    expect(rig.instance.state).toBe("terminating");
    void rig.instance.stop("Ctrl-C again", { now: true });
    await rig.clock.advance(0);
    await slow;
    expect(rig.engine.calls.filter((call) => call.kind === "stop").map((call) => call.graceMs)).toEqual([
      10_000, 0,
    ]);
    expect(rig.reasonOf("gone")).not.toContain("ignored SIGTERM");
  });

  it("has one ending for all who ask", async () => {
    const rig = new InstanceRig();
    await rig.instance.start();
    const first = rig.instance.stop("one");
    expect(rig.instance.stop("two")).toBe(first);
    await first;
    await rig.instance.stop("three");
    expect(rig.moves.filter((move) => move.to === "gone")).toHaveLength(1);
    expect(rig.reasonOf("draining")).toBe("one");
  });

  it("names an app that ignores SIGTERM", async () => {
    const rig = new InstanceRig();
    await rig.instance.start();
    rig.engine.running[0]?.onTerminate(() => undefined);
    const stopped = rig.instance.stop("no traffic");
    await rig.clock.advance(9_999);
    expect(rig.instance.state).toBe("terminating");
    await rig.clock.advance(1);
    await stopped;
    expect(rig.reasonOf("gone")).toBe("it ignored SIGTERM and was killed after 10 s");
  });

  it("never rejects, whatever the engine says", async () => {
    const rig = new InstanceRig();
    await rig.instance.start();
    const engineInstance = rig.engine.running[0];
    if (engineInstance !== undefined)
      engineInstance.stop = () => Promise.reject(new Error("the engine is gone"));
    await rig.instance.stop("over");
    expect(rig.instance.state).toBe("gone");
    engineInstance?.exit(0);
  });
});
