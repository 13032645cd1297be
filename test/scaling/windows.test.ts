import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createWindow } from "../../src/scaling/windows.ts";

const S = 1000;

describe("the linear window", () => {
  it("averages a young window over its age", () => {
    const window = createWindow("linear", 60 * S);
    window.record(100 * S, 10);
    window.record(101 * S, 20);
    expect(window.average(101 * S)).toBe(15);
  });

  it("adds up the values of one second", () => {
    const window = createWindow("linear", 60 * S);
    window.record(100_000, 3);
    window.record(100_999, 4);
    expect(window.average(100_999)).toBe(7);
  });

  it("counts a gap inside as zero, and missing newest seconds not at all", () => {
    const window = createWindow("linear", 6 * S);
    window.record(10 * S, 12);
    window.record(13 * S, 12);
    expect(window.average(13 * S)).toBe(6);
    expect(window.average(15 * S)).toBe(6);
    // Second 10 has left the window of 6 that ends at 16: one value in three seconds is left.
    expect(window.average(16 * S)).toBe(4);
  });

  it("rounds to six digits", () => {
    const window = createWindow("linear", 60 * S);
    for (const [second, value] of [1, 1, 0].entries()) window.record(second * S, value);
    expect(window.average(2 * S)).toBe(0.666667);
  });

  it("is at zero a whole window after the last value, and empty beyond that", () => {
    const window = createWindow("linear", 60 * S);
    window.record(0, 50);
    expect([window.average(59 * S), window.isEmpty(59 * S)]).toEqual([50, false]);
    expect([window.average(60 * S), window.isEmpty(60 * S)]).toEqual([0, false]);
    expect([window.average(61 * S), window.isEmpty(61 * S)]).toEqual([0, true]);
  });

  it("begins anew after a window without values", () => {
    const window = createWindow("linear", 6 * S);
    for (let second = 0; second < 6; second++) window.record(second * S, 100);
    window.record(11 * S, 8);
    expect(window.average(11 * S)).toBe(8);
  });

  it("takes a late value into its own second, and drops one from before the window", () => {
    const window = createWindow("linear", 6 * S);
    window.record(10 * S, 6);
    window.record(8 * S, 3);
    expect(window.average(10 * S)).toBe(3);
    window.record(4 * S, 1000);
    expect(window.average(10 * S)).toBe(3);
  });

  it("agrees with a sum over all that was recorded, whatever the order and the gaps", () => {
    fc.assert(
      fc.property(windowSize, recordings, (size, steps) => {
        const window = createWindow("linear", size * S);
        const seconds = new Map<number, number>();
        let now = 0;
        let first = 0;
        for (const { gap, value } of steps) {
          if (gap >= size || seconds.size === 0) {
            seconds.clear();
            first = now + gap;
          }
          now += gap;
          seconds.set(now, (seconds.get(now) ?? 0) + value);
          window.record(now * S, value);
          const sum = [...seconds].reduce((all, [at, v]) => all + (at > now - size ? v : 0), 0);
          expect(window.average(now * S)).toBeCloseTo(sum / Math.min(now - first + 1, size), 5);
          expect(window.average(now * S)).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});

describe("the weighted-exponential window", () => {
  it("gives the newest of sixty seconds a fifth of the weight", () => {
    const window = createWindow("weighted-exponential", 60 * S);
    window.record(0, 10);
    expect(window.average(0)).toBeCloseTo(2, 12);
    window.record(S, 10);
    expect(window.average(S)).toBeCloseTo(3.6, 12);
  });

  it("weighs a short window so that nothing notable is lost", () => {
    const window = createWindow("weighted-exponential", 6 * S);
    for (let second = 0; second < 6; second++) window.record(second * S, 1);
    expect(window.average(5 * S)).toBeCloseTo(0.9999, 10);
  });

  it("lets silence weigh as zeros", () => {
    const window = createWindow("weighted-exponential", 60 * S);
    window.record(0, 10);
    expect(window.average(2 * S)).toBeCloseTo(10 * 0.2 * 0.8 ** 2, 12);
    expect(window.average(60 * S)).toBe(0);
  });

  it("agrees with the whole weighted sum", () => {
    fc.assert(
      fc.property(windowSize, recordings, (size, steps) => {
        const window = createWindow("weighted-exponential", size * S);
        const smoothing = Math.max(0.2, 1 - 0.0001 ** (1 / size));
        const seconds = new Map<number, number>();
        let now = 0;
        for (const { gap, value } of steps) {
          now += gap;
          seconds.set(now, (seconds.get(now) ?? 0) + value);
          window.record(now * S, value);
          let sum = 0;
          for (let age = 0; age < size; age++) {
            sum += (seconds.get(now - age) ?? 0) * smoothing * (1 - smoothing) ** age;
          }
          expect(Math.abs(window.average(now * S) - sum)).toBeLessThanOrEqual(1e-9 * (1 + sum));
        }
      }),
    );
  });
});

describe("a copy of a window", () => {
  it.each(["linear", "weighted-exponential"] as const)("lives its own life: %s", (aggregation) => {
    const window = createWindow(aggregation, 6 * S);
    window.record(0, 10);
    const before = window.average(0);
    const copy = window.clone();
    expect(copy.average(0)).toBe(before);
    copy.record(0, 90);
    expect(window.average(0)).toBe(before);
    expect(copy.average(0)).toBeCloseTo(before * 10, 10);
  });
});

const windowSize = fc.integer({ min: 1, max: 40 });
const recordings = fc.array(
  fc.record({
    gap: fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 0, max: 3 }) }, fc.integer({ min: 0, max: 60 })),
    value: fc.double({ min: 0, max: 1000, noNaN: true }),
  }),
  { maxLength: 60 },
);
