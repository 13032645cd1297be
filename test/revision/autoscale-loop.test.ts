import { describe, expect, it } from "vitest";
import { AutoscaleLoop } from "../../src/revision/autoscale-loop.ts";
import { RequestStats } from "../../src/revision/request-stats.ts";
import type { ScalingSettings } from "../../src/scaling/settings.ts";
import { settingsWith } from "../scaling/settings-with.ts";
import { FakeClock } from "../support/fake-clock.ts";

/** A loop whose instances are ready as soon as they are wanted, unless `slow`. */
class LoopRig {
  readonly clock = new FakeClock();
  readonly stats = new RequestStats(this.clock.now());
  readonly applied: Array<{ readonly at: number; readonly replicas: number; readonly reason: string }> = [];
  readonly loop: AutoscaleLoop;
  ready = 0;
  reachable = true;
  readonly #began = this.clock.now();

  constructor(settings: Partial<ScalingSettings> = {}, options: { readonly slow?: boolean } = {}) {
    this.loop = new AutoscaleLoop({
      settings: settingsWith(settings),
      clock: this.clock,
      stats: this.stats,
      ready: () => this.ready,
      reachable: () => this.reachable,
      apply: (replicas, reason) => {
        this.applied.push({ at: this.clock.now() - this.#began, replicas, reason });
        if (options.slow !== true) this.ready = replicas;
      },
    });
  }

  get counts(): readonly number[] {
    return this.applied.map((change) => change.replicas);
  }

  /** A request comes; the function is its end. */
  request(): () => void {
    this.stats.arrive(this.clock.now());
    this.loop.poke();
    return () => this.stats.leave(this.clock.now());
  }
}

describe("the initial scale", () => {
  it.each([
    [{}, 1],
    [{ initialScale: 3 }, 3],
    [{ minScale: 2 }, 2],
    [{ initialScale: 3, minScale: 2 }, 3],
  ])("of %j is %i", (settings, count) => {
    const rig = new LoopRig(settings);
    rig.loop.start();
    expect(rig.applied).toEqual([{ at: 0, replicas: count, reason: `initial scale ${count}` }]);
    expect(rig.loop.replicas).toBe(count);
  });

  it("of 0 starts nothing and sets no timer until a request comes", async () => {
    const rig = new LoopRig({ initialScale: 0 });
    rig.loop.start();
    expect(rig.applied).toEqual([{ at: 0, replicas: 0, reason: "initial-scale is 0" }]);
    expect(rig.clock.pending).toBe(0);
    rig.request();
    expect(rig.loop.replicas).toBe(1);
  });

  it("of 0 gives way to min-scale", () => {
    const rig = new LoopRig({ initialScale: 0, minScale: 2 });
    rig.loop.start();
    expect(rig.loop.replicas).toBe(2);
    expect(rig.clock.pending).toBe(1);
  });
});

describe("to zero and back", () => {
  it("goes to zero about a minute after the last request, and then sleeps without a timer", async () => {
    const rig = new LoopRig();
    rig.loop.start();
    await rig.clock.advance(10_000);
    const end = rig.request();
    await rig.clock.advance(5_000);
    end();
    await rig.clock.advance(58_000);
    expect(rig.loop.replicas).toBe(1);
    await rig.clock.advance(5_000);
    expect(rig.loop.replicas).toBe(0);
    expect(rig.applied.at(-1)?.reason).toBe("no traffic");
    expect(rig.clock.pending).toBe(0);
    await rig.clock.advance(3_600_000);
    expect(rig.counts).toEqual([1, 0]);
  });

  it("does not go while one long request is in flight", async () => {
    const rig = new LoopRig();
    rig.loop.start();
    rig.request();
    await rig.clock.advance(600_000);
    expect(rig.counts).toEqual([1]);
  });

  it("comes back at once for the first request, without waiting for a tick", async () => {
    const rig = new LoopRig();
    rig.loop.start();
    await rig.clock.advance(120_000);
    expect(rig.loop.replicas).toBe(0);
    const before = rig.clock.now();
    rig.request();
    expect(rig.loop.replicas).toBe(1);
    expect(rig.clock.now()).toBe(before);
    expect(rig.clock.pending).toBe(1);
  });

  it("asks once for many requests that come together", async () => {
    const rig = new LoopRig({}, { slow: true });
    rig.loop.start();
    rig.ready = 1;
    await rig.clock.advance(120_000);
    rig.ready = 0;
    rig.applied.length = 0;
    for (let n = 0; n < 50; n += 1) rig.request();
    expect(rig.counts).toEqual([1]);
  });

  it("stays at one where scaling to zero is off", async () => {
    const rig = new LoopRig({ enableScaleToZero: false });
    rig.loop.start();
    await rig.clock.advance(600_000);
    expect(rig.counts).toEqual([1]);
  });

  it("gives up on an instance that never gets ready, after the progress deadline and 30 s", async () => {
    const rig = new LoopRig({ progressDeadlineMs: 60_000 }, { slow: true });
    rig.loop.start();
    await rig.clock.advance(90_000);
    expect(rig.loop.replicas).toBe(1);
    await rig.clock.advance(5_000);
    expect(rig.loop.replicas).toBe(0);
    expect(rig.applied.at(-1)?.reason).toBe("it never became ready");
  });
});

describe("load", () => {
  it("scales up within two seconds of a burst, and not beyond max-scale", async () => {
    const rig = new LoopRig({ total: 10, target: 7, maxScale: 3 });
    rig.loop.start();
    await rig.clock.advance(20_000);
    for (let n = 0; n < 50; n += 1) rig.request();
    await rig.clock.advance(2_000);
    expect(rig.loop.replicas).toBeGreaterThan(1);
    await rig.clock.advance(60_000);
    expect(rig.loop.replicas).toBe(3);
    expect(Math.max(...rig.counts)).toBe(3);
  });

  it("holds min-scale while a route leads there, and lets it go at once when none does", async () => {
    const rig = new LoopRig({ minScale: 2 });
    rig.loop.start();
    await rig.clock.advance(300_000);
    expect(rig.counts).toEqual([2]);
    rig.reachable = false;
    rig.loop.look();
    await rig.clock.advance(100_000);
    expect(rig.loop.replicas).toBe(0);
    expect(rig.clock.pending).toBe(0);
  });

  it("restores min-scale as soon as a route leads there again, also from its sleep", async () => {
    const rig = new LoopRig({ minScale: 1 });
    rig.loop.start();
    rig.reachable = false;
    await rig.clock.advance(300_000);
    expect(rig.loop.replicas).toBe(0);
    rig.reachable = true;
    rig.loop.look();
    expect(rig.loop.replicas).toBe(1);
    await rig.clock.advance(300_000);
    expect(rig.loop.replicas).toBe(1);
  });
});

it("says which bound held the count", async () => {
  const rig = new LoopRig({ total: 10, target: 7, maxScale: 2 });
  rig.loop.start();
  for (let n = 0; n < 500; n += 1) rig.request();
  await rig.clock.advance(2_000);
  expect(rig.applied.at(-1)).toMatchObject({ replicas: 2, reason: expect.stringContaining("; max-scale") });
});

it("does nothing after stop", async () => {
  const rig = new LoopRig();
  rig.loop.start();
  rig.loop.stop();
  rig.request();
  rig.loop.look();
  await rig.clock.advance(300_000);
  expect(rig.counts).toEqual([1]);
  expect(rig.clock.pending).toBe(0);
});
