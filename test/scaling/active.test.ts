import { describe, expect, it } from "vitest";
import { type ActiveCondition, nextActive } from "../../src/scaling/active.ts";

const inactive: ActiveCondition = { status: "False", reason: "NoTraffic", since: 1 };
const activating: ActiveCondition = { status: "Unknown", reason: "Queued", since: 1 };
const active: ActiveCondition = { status: "True", reason: "", since: 1 };
const NOW = 99;

describe("the Active condition", () => {
  it.each<[string, ActiveCondition, number, number, number, ActiveCondition]>([
    ["nothing wanted", active, 0, 1, 1, { ...inactive, since: NOW }],
    ["nothing wanted, still", inactive, 0, 1, 1, inactive],
    [
      "zero while activating: it took too long",
      activating,
      0,
      0,
      1,
      { status: "False", reason: "TimedOut", since: NOW },
    ],
    ["wanted, none ready", inactive, 1, 0, 1, { ...activating, since: NOW }],
    ["wanted, too few ready", active, 3, 2, 3, { ...activating, since: NOW }],
    ["wanted, still too few", activating, 3, 2, 3, activating],
    ["wanted and ready", activating, 1, 1, 1, { ...active, since: NOW }],
    ["wanted and ready, still", active, 5, 2, 1, active],
    ["unknown, none ready, inactive", inactive, -1, 0, 1, inactive],
    ["unknown, ready, inactive", inactive, -1, 1, 1, inactive],
    ["unknown, none ready, active", active, -1, 0, 1, { ...activating, since: NOW }],
    ["unknown, none ready, activating", activating, -1, 0, 1, activating],
    ["unknown, ready, activating", activating, -1, 1, 1, { ...active, since: NOW }],
    ["initial scale 0, before the first request", activating, -1, 0, 0, { ...inactive, since: NOW }],
    [
      "a new reason is a new beginning",
      { ...inactive, reason: "TimedOut" },
      -1,
      0,
      1,
      { ...inactive, since: NOW },
    ],
  ])("%s", (_, before, want, ready, threshold, after) => {
    expect(nextActive(before, { want, ready, threshold }, NOW)).toEqual(after);
  });
});
