import { describe, expect, it } from "vitest";
import { activeThreshold, applyBounds } from "../../src/scaling/bounds.ts";

const open = { minScale: 0, maxScale: 0, initialScale: 1 };
const reached = { reachable: true, initialized: true };

describe("bounds", () => {
  it.each([
    ["nothing is bounded", open, reached, 7, { count: 7 }],
    ["an unknown count is none", open, reached, -1, { count: 0 }],
    ["min", { ...open, minScale: 2 }, reached, 0, { count: 2, heldBy: "min-scale" }],
    ["min of an unknown count", { ...open, minScale: 2 }, reached, -1, { count: 2, heldBy: "min-scale" }],
    ["min only while reachable", { ...open, minScale: 2 }, { ...reached, reachable: false }, 0, { count: 0 }],
    ["max", { ...open, maxScale: 3 }, reached, 9, { count: 3, heldBy: "max-scale" }],
    [
      "max of an unreachable one too",
      { ...open, maxScale: 3 },
      { ...reached, reachable: false },
      9,
      { count: 3, heldBy: "max-scale" },
    ],
    ["at the bounds nothing is held", { ...open, minScale: 3, maxScale: 3 }, reached, 3, { count: 3 }],
    [
      "initial scale until reached",
      { ...open, initialScale: 4 },
      { ...reached, initialized: false },
      1,
      { count: 4, heldBy: "initial-scale" },
    ],
    ["and not afterwards", { ...open, initialScale: 4 }, reached, 1, { count: 1 }],
    [
      "nor while unreachable",
      { ...open, initialScale: 4 },
      { reachable: false, initialized: false },
      0,
      { count: 0 },
    ],
    ["nor if it is one", open, { ...reached, initialized: false }, 0, { count: 0 }],
    [
      "min above initial",
      { ...open, minScale: 5, initialScale: 4 },
      { ...reached, initialized: false },
      1,
      { count: 5, heldBy: "min-scale" },
    ],
  ])("%s", (_, settings, seen, count, expected) => {
    expect(applyBounds(settings, seen, count)).toEqual(expected);
  });
});

describe("from how many ready on a revision is active", () => {
  it.each([
    ["one", open, reached, 1],
    ["min", { ...open, minScale: 3 }, reached, 3],
    ["one while unreachable", { ...open, minScale: 3 }, { ...reached, reachable: false }, 1],
    ["the initial scale at first", { ...open, initialScale: 4 }, { ...reached, initialized: false }, 4],
    [
      "none with initial scale 0 at first",
      { ...open, initialScale: 0 },
      { ...reached, initialized: false },
      0,
    ],
    ["one with initial scale 0 later", { ...open, initialScale: 0 }, reached, 1],
  ])("%s", (_, settings, seen, threshold) => {
    expect(activeThreshold(settings, seen)).toBe(threshold);
  });
});
