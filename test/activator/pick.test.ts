import { describe, expect, it } from "vitest";
import { pick, type PickState } from "../../src/activator/pick.ts";

const busy = (...counts: number[]) => counts.map((inFlight) => ({ inFlight }));
const START: PickState = { next: 0 };

/** The picks of `times` requests, each of which stays in flight. */
function picks(
  counts: number[],
  limit: number,
  times: number,
  random: () => number = () => 0,
): Array<number | undefined> {
  const inFlight = [...counts];
  let state = START;
  return Array.from({ length: times }, () => {
    const picked = pick(busy(...inFlight), limit, state, random);
    state = picked.state;
    if (picked.index !== undefined) inFlight[picked.index] = (inFlight[picked.index] ?? 0) + 1;
    return picked.index;
  });
}

describe("without a limit", () => {
  it("takes the less busy of two that chance names, never the same twice", () => {
    // The first draw names 2; the second, of those that are left, names the one 1 or 2 places behind it.
    const draw = (second: number) => {
      const values = [0.9, second];
      return () => values.shift() ?? 0;
    };
    expect(pick(busy(1, 9, 5), 0, START, draw(0)).index).toBe(0);
    expect(pick(busy(1, 9, 5), 0, START, draw(0.9)).index).toBe(2);
  });

  it("takes whoever there is, however busy", () => {
    expect(pick(busy(10_000), 0, START, () => 0.5).index).toBe(0);
    expect(pick([], 0, START, () => 0.5).index).toBeUndefined();
  });
});

describe("with a limit of 1 to 3", () => {
  it("fills the first before the next", () => {
    expect(picks([0, 0, 0], 1, 4)).toEqual([0, 1, 2, undefined]);
    expect(picks([0, 0], 3, 7)).toEqual([0, 0, 0, 1, 1, 1, undefined]);
  });

  it("goes back to the first that has a free slot again", () => {
    const { state } = pick(busy(1, 0), 1, START, () => 0);
    expect(pick(busy(0, 0), 1, state, () => 0).index).toBe(0);
  });
});

describe("with a limit above 3", () => {
  it("goes round those with a free slot", () => {
    expect(picks([0, 0, 0], 5, 6)).toEqual([0, 1, 2, 0, 1, 2]);
    expect(picks([4, 5, 3], 5, 4)).toEqual([0, 2, 2, undefined]);
  });

  it("survives that there are fewer than last time", () => {
    expect(pick(busy(0), 5, { next: 7 }, () => 0).index).toBe(0);
  });
});
