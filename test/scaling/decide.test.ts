import { describe, expect, it } from "vitest";
import {
  decide,
  excessBurstCapacity,
  initialExcessBurstCapacity,
  type Observed,
  type PanicState,
} from "../../src/scaling/decide.ts";
import { settingsWith } from "./settings-with.ts";

const CALM: PanicState = { since: undefined, pods: 0 };
const NOW = 1_000_000;

function desired(seen: Partial<Observed>, settings = settingsWith()): number {
  return decide(settings, CALM, { stable: 0, panic: 0, ready: 1, reachable: true, ...seen }, NOW).desired;
}

describe("the count that a load asks for", () => {
  it.each<[string, Partial<Observed>, number]>([
    ["nothing", {}, 0],
    ["a trace of a request", { stable: 0.000001, panic: 0 }, 1],
    ["the target exactly", { stable: 70, panic: 70 }, 1],
    ["above the target: two, which panics", { stable: 60, panic: 71 }, 2],
    ["the stable load alone", { stable: 350, panic: 10, ready: 5 }, 5],
    ["at most halved", { ready: 9 }, 4],
    ["unreachable: no limit downwards", { ready: 9, reachable: false }, 0],
    ["at most a thousandfold", { stable: 1e9, panic: 1e9 }, 1000],
    ["no instance counts as one", { stable: 1e9, panic: 1e9, ready: 0 }, 1000],
  ])("%s", (_, seen, pods) => {
    expect(desired(seen)).toBe(pods);
  });

  it("rounds the rates outwards, so that a step of one is always possible", () => {
    const settings = settingsWith({ maxScaleUpRate: 1.1, maxScaleDownRate: 1.1 });
    expect(desired({ stable: 700, panic: 0, ready: 2 }, settings)).toBe(3);
    expect(desired({ ready: 10 }, settings)).toBe(9);
  });

  it("takes the activation scale as soon as there is load, and not before", () => {
    const settings = settingsWith({ activationScale: 5 });
    expect(desired({ stable: 1, panic: 1 }, settings)).toBe(5);
    expect(desired({ stable: 500, panic: 0, ready: 8 }, settings)).toBe(8);
    expect(desired({}, settings)).toBe(0);
  });
});

describe("panic", () => {
  const settings = settingsWith();
  const step = (before: PanicState, seen: Partial<Observed>, now: number) =>
    decide(settings, before, { stable: 0, panic: 0, ready: 1, reachable: true, ...seen }, now);

  it("begins where the rounded count reaches the threshold", () => {
    expect(step(CALM, { panic: 70 }, NOW).panic.since).toBeUndefined();
    expect(step(CALM, { panic: 70.000001 }, NOW).panic).toEqual({ since: NOW, pods: 2 });
    expect(step(CALM, { panic: 490, ready: 4 }, NOW).panic.since).toBeUndefined();
    expect(step(CALM, { panic: 491, ready: 4 }, NOW).panic).toEqual({ since: NOW, pods: 8 });
  });

  it("never lowers the count, and is prolonged by load over the threshold", () => {
    const high = step(CALM, { panic: 700 }, NOW);
    expect(high.desired).toBe(10);
    const lower = step(high.panic, { panic: 140 }, NOW + 2000);
    expect(lower).toEqual({ desired: 10, panic: { since: NOW + 2000, pods: 10 } });
    expect(step(lower.panic, { panic: 10 }, NOW + 4000).panic).toEqual({ since: NOW + 2000, pods: 10 });
  });

  it("takes the stable load too, if that is greater", () => {
    const panicking: PanicState = { since: NOW, pods: 2 };
    expect(step(panicking, { stable: 350, panic: 10 }, NOW + 2000).desired).toBe(5);
  });

  it("ends only after more than a stable window", () => {
    const panicking: PanicState = { since: NOW, pods: 8 };
    expect(step(panicking, {}, NOW + 60_000).desired).toBe(8);
    expect(step(panicking, {}, NOW + 60_001)).toEqual({ desired: 0, panic: { since: undefined, pods: 0 } });
  });
});

describe("excess burst capacity", () => {
  it.each([
    [211, 100, 1, 75, -186],
    [211, 100, 4, 75, 114],
    [211, 100, 3, 89.5, -1],
    [211, 100, 0, 0, -211],
    [0, 100, 0, 999, 0],
    [-1, 100, 50, 0, -1],
  ])("of %d, %d each, %d ready, %d in flight: %d", (targetBurstCapacity, total, ready, panic, ebc) => {
    expect(excessBurstCapacity({ targetBurstCapacity, total }, ready, panic)).toBe(ebc);
  });

  it.each([
    [211, 100, 1, -111],
    [211, 100, 4, 189],
    [211, 0.01, 1, -210],
    [100, 100, 1, 0],
    [0, 100, 1, 0],
    [-1, 100, 1, -1],
  ])(
    "before the first data, of %d, %d each, initial scale %d: %d",
    (targetBurstCapacity, total, initialScale, ebc) => {
      expect(initialExcessBurstCapacity({ targetBurstCapacity, total, initialScale })).toBe(ebc);
    },
  );
});
