import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Autoscaler, type ScaleOutcome } from "../../src/scaling/autoscaler.ts";
import { resolveSettings, type ScalingSettings } from "../../src/scaling/settings.ts";
import { settingsWith } from "./settings-with.ts";

const S = 1000;

/** Drives an autoscaler as the loop of a revision does; instances are ready `startDelay` seconds after they are asked for. */
class Drive {
  readonly autoscaler: Autoscaler;
  second = 1000;
  replicas = 0;
  ready = 0;
  reachable = true;
  outcome: ScaleOutcome | undefined;
  readonly #startDelay: number;
  #readyAt: number[] = [];

  constructor(settings: ScalingSettings, startDelay = 0) {
    this.#startDelay = startDelay;
    this.autoscaler = new Autoscaler(settings, { now: this.second * S, ready: 0, from: "zero" });
  }

  /** One second with this many requests in flight. */
  step(concurrency: number): ScaleOutcome {
    this.second++;
    const now = this.second * S;
    this.ready = this.#readyAt.filter((at) => at <= this.second).length;
    const seen = { ready: this.ready, reachable: this.reachable };
    const recorded = this.replicas > 0 || concurrency > 0;
    const poked = recorded && this.autoscaler.record(now, { concurrency, requests: concurrency });
    if (poked || this.second % 2 === 0) this.autoscaler.tick(now, seen);
    const outcome = this.autoscaler.reconcile(now, { ...seen, replicas: this.replicas });
    while (this.#readyAt.length < outcome.replicas) this.#readyAt.push(this.second + this.#startDelay);
    this.#readyAt.length = outcome.replicas;
    this.replicas = outcome.replicas;
    this.outcome = outcome;
    return outcome;
  }

  /** Without requests; an hour at most. */
  untilZero(): void {
    for (let left = 3600; this.replicas > 0; left--) {
      if (left === 0) throw new Error("still not at zero after an hour");
      this.step(0);
    }
  }

  run(seconds: number, concurrency: number): ScaleOutcome {
    let last = this.step(concurrency);
    for (let done = 1; done < seconds; done++) last = this.step(concurrency);
    return last;
  }
}

describe("a request at zero", () => {
  it("asks for a decision at once, which wants an instance", () => {
    const autoscaler = new Autoscaler(settingsWith(), { now: 0, ready: 0, from: "zero" });
    const seen = { ready: 0, reachable: true };
    expect(autoscaler.reconcile(500, { ...seen, replicas: 0 })).toMatchObject({
      want: 0,
      replicas: 0,
      mode: "Proxy",
    });
    expect(autoscaler.record(1234.5, { concurrency: 1, requests: 1 })).toBe(true);
    expect(autoscaler.tick(1234.5, seen)).toMatchObject({ desired: 1, valid: true });
    expect(autoscaler.reconcile(1234.5, { ...seen, replicas: 0 })).toEqual({
      want: 1,
      replicas: 1,
      mode: "Proxy",
      active: "Unknown",
      reason: "Queued",
    });
    expect(autoscaler.record(1300, { concurrency: 1, requests: 1 })).toBe(false);
  });

  it("wants one whatever came before", () => {
    const drive = new Drive(settingsWith());
    drive.run(20, 50);
    drive.run(80, 0);
    expect(drive.replicas).toBe(0);
    expect(drive.step(0.01).replicas).toBe(1);
  });

  it("is held by min-scale in the same breath", () => {
    const drive = new Drive(settingsWith({ minScale: 3 }));
    expect(drive.step(1)).toMatchObject({ want: 3, replicas: 3, heldBy: "min-scale" });
  });
});

describe("the life of one instance", () => {
  it("ends a stable window after the last request", () => {
    const drive = new Drive(settingsWith(), 2);
    drive.run(10, 1);
    const last = drive.second;
    drive.untilZero();
    expect(drive.second - last).toBeGreaterThanOrEqual(60);
    expect(drive.second - last).toBeLessThanOrEqual(63);
    expect(drive.outcome).toMatchObject({ active: "False", reason: "NoTraffic", mode: "Proxy" });
  });

  it("says beforehand when it ends, to the second", () => {
    const drive = new Drive(settingsWith({ podRetentionMs: 20_000 }), 2);
    drive.run(10, 1);
    expect(drive.outcome?.nextChange).toBeUndefined();
    const promised = drive.run(5, 0).nextChange;
    expect(promised?.to).toBe(0);
    drive.untilZero();
    expect(drive.second * S).toBe(promised?.at);
  });

  it("puts off what it said when another request comes", () => {
    const drive = new Drive(settingsWith());
    drive.run(10, 1);
    const first = drive.run(5, 0).nextChange;
    expect(drive.step(1).nextChange).toBeUndefined();
    const second = drive.step(0).nextChange;
    expect(second?.at).toBeGreaterThan(first?.at ?? Infinity);
    drive.untilZero();
    expect(drive.second * S).toBe(second?.at);
  });

  it("never ends with min-scale 1, and says no end", () => {
    const drive = new Drive(settingsWith({ minScale: 1 }), 0);
    drive.run(5, 1);
    expect(drive.run(300, 0)).toEqual({
      want: 1,
      replicas: 1,
      mode: "Proxy",
      active: "True",
      reason: "",
      heldBy: "min-scale",
    });
  });

  it("ends a start that takes longer than the progress deadline", () => {
    const drive = new Drive(settingsWith({ progressDeadlineMs: 60_000 }), Infinity);
    drive.step(1);
    const reasons = new Set(Array.from({ length: 100 }, () => drive.step(0).reason));
    expect(reasons).toContain("TimedOut");
    expect(drive.replicas).toBe(0);
  });
});

describe("every scale", () => {
  const scale = fc.constantFrom("0", "1", "2", "3", "5");
  const some = (of: fc.Arbitrary<string>) => fc.option(of, { nil: undefined });
  const annotations = fc
    .record({
      "min-scale": some(scale),
      above: fc.nat(5),
      "activation-scale": some(fc.constantFrom("2", "3")),
      metric: some(fc.constantFrom("rps", "concurrency")),
      target: some(fc.constantFrom("0.01", "1", "10", "1000")),
      "target-burst-capacity": some(fc.constantFrom("-1", "0", "1", "500")),
      window: some(fc.constantFrom("6s", "20s", "60s")),
      "scale-down-delay": some(fc.constantFrom("0s", "7s", "40s")),
      "scale-to-zero-pod-retention-period": some(fc.constantFrom("5s", "45s")),
      "metric-aggregation-algorithm": some(fc.constantFrom("linear", "weighted-exponential")),
    })
    .map(({ above, ...rest }) => {
      const max = above === 0 ? 0 : Number(rest["min-scale"] ?? 0) + above;
      const given: Record<string, string> = { "autoscaling.knative.dev/max-scale": String(max) };
      for (const [key, value] of Object.entries(rest)) {
        if (value !== undefined) given[`autoscaling.knative.dev/${key}`] = value;
      }
      return given;
    });
  const settings = fc
    .record({ annotations, containerConcurrency: fc.constantFrom(0, 1, 10) })
    .map((given) => resolveSettings({ ...given, config: {} }));
  const concurrency = fc.oneof(
    fc.constantFrom(0, 0, 1),
    fc.double({ min: 0.001, max: 5000, noNaN: true }),
    fc.constantFrom(Number.NaN, -3, Infinity),
  );
  const phases = fc.array(
    fc.record({ concurrency, seconds: fc.integer({ min: 1, max: 40 }), reachable: fc.boolean() }),
    { maxLength: 8 },
  );

  it("is a whole number within the bounds", () => {
    fc.assert(
      fc.property(settings, fc.constantFrom(0, 3, Infinity), phases, (resolved, startDelay, load) => {
        const drive = new Drive(resolved, startDelay);
        for (const phase of load) {
          drive.reachable = phase.reachable;
          for (let done = 0; done < phase.seconds; done++) {
            const { want, replicas } = drive.step(phase.concurrency);
            const { desired, ebc, stable, panic, maxPanicPods } = drive.autoscaler.decision;
            for (const count of [want, replicas, desired, ebc, maxPanicPods])
              expect(count).toSatisfy(Number.isInteger);
            for (const mean of [stable, panic]) expect(mean).toBeGreaterThanOrEqual(0);
            expect(desired).toBeGreaterThanOrEqual(-1);
            expect(replicas).toBeGreaterThanOrEqual(0);
            if (resolved.maxScale > 0) expect(want).toBeLessThanOrEqual(resolved.maxScale);
            if (phase.reachable && want >= 0) expect(want).toBeGreaterThanOrEqual(resolved.minScale);
            if (phase.concurrency > 0 && phase.concurrency < Infinity) expect(replicas).toBeGreaterThan(0);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("is zero in the end for what no route leads to", () => {
    fc.assert(
      fc.property(settings, fc.constantFrom(0, 3), phases, (resolved, startDelay, load) => {
        const drive = new Drive(resolved, startDelay);
        for (const phase of load) drive.run(phase.seconds, phase.concurrency);
        drive.reachable = false;
        drive.run(250, 0);
        expect(drive.replicas).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it("next changes when it was said to", () => {
    fc.assert(
      fc.property(settings, fc.constantFrom(0, 3), phases, (resolved, startDelay, load) => {
        const drive = new Drive(resolved, startDelay);
        for (const phase of load) drive.run(phase.seconds, phase.concurrency);
        let promised = drive.run(5, 0).nextChange;
        for (let quiet = 0; quiet < 250; quiet++) {
          const before = drive.replicas;
          const { replicas, nextChange } = drive.step(0);
          if (replicas !== before && drive.ready === before) {
            expect({ at: drive.second * S, to: replicas }).toEqual(promised);
          }
          promised = nextChange;
        }
      }),
      { numRuns: 40 },
    );
  });
});
