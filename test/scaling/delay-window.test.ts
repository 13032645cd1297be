import * as fc from "fast-check";
import { expect, it } from "vitest";
import { DelayWindow } from "../../src/scaling/delay-window.ts";

it("keeps the greatest count for the delay", () => {
  const window = new DelayWindow(6000);
  const counts = [1, 8, 3, 2, 2, 1, 1].map((count, tick) => window.record(tick * 2000, count));
  expect(counts).toEqual([1, 8, 8, 8, 3, 2, 2]);
});

it("takes the greater of two decisions in one slot", () => {
  const window = new DelayWindow(2000);
  expect(window.record(4000, 5)).toBe(5);
  expect(window.record(5999, 2)).toBe(5);
  expect(window.record(6000, 2)).toBe(2);
});

it("rounds a delay up to whole ticks", () => {
  const window = new DelayWindow(3000);
  expect([9, 1, 1].map((count, tick) => window.record(tick * 2000, count))).toEqual([9, 9, 1]);
});

it("agrees with the maximum over all slots of the delay", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.array(fc.record({ gap: fc.integer({ min: 0, max: 5 }), count: fc.nat(20) }), { maxLength: 60 }),
      (slots, steps) => {
        const window = new DelayWindow(slots * 2000);
        const all: Array<{ slot: number; count: number }> = [];
        let slot = 0;
        for (const { gap, count } of steps) {
          slot += gap;
          all.push({ slot, count });
          const inside = all.filter((entry) => slot - entry.slot < slots).map((entry) => entry.count);
          const copy = window.clone();
          expect(window.record(slot * 2000, count)).toBe(Math.max(...inside));
          expect(copy.record(slot * 2000, count)).toBe(Math.max(...inside));
        }
      },
    ),
  );
});
