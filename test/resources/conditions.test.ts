import { describe, expect, it } from "vitest";
import {
  type ConditionUpdate,
  conditionOf,
  isReady,
  readyFrom,
  withConditions,
} from "../../src/resources/conditions.ts";

const T0 = Date.UTC(2026, 0, 1);
const at = (ms: number): string => new Date(T0 + ms).toISOString();

describe("withConditions", () => {
  it("sorts by type and keeps what is not updated", () => {
    const first = withConditions(undefined, [{ type: "RoutesReady", status: "Unknown" }], T0);
    const both = withConditions(first, [{ type: "ConfigurationsReady", status: "True" }], T0 + 5);
    expect(both.map((condition) => condition.type)).toEqual(["ConfigurationsReady", "RoutesReady"]);
  });

  it("moves the time with the status alone", () => {
    const waiting = withConditions(undefined, [{ type: "Ready", status: "Unknown", reason: "A" }], T0);
    const other = withConditions(waiting, [{ type: "Ready", status: "Unknown", reason: "B" }], T0 + 1_000);
    expect(other).toEqual([{ type: "Ready", status: "Unknown", reason: "B", lastTransitionTime: at(0) }]);
    const ready = withConditions(other, [{ type: "Ready", status: "True" }], T0 + 2_000);
    expect(ready).toEqual([{ type: "Ready", status: "True", lastTransitionTime: at(2_000) }]);
  });
});

describe("readyFrom", () => {
  const part = (status: ConditionUpdate["status"], reason?: string): ConditionUpdate => ({
    type: `Part${status}${reason ?? ""}`,
    status,
    ...(reason === undefined ? {} : { reason, message: `${reason}!` }),
  });

  it.each([
    [[part("True", "X"), part("True")], { type: "Ready", status: "True" }],
    [
      [part("True"), part("Unknown", "A"), part("Unknown", "B")],
      { type: "Ready", status: "Unknown", reason: "A", message: "A!" },
    ],
    [
      [part("Unknown", "A"), part("False", "B")],
      { type: "Ready", status: "False", reason: "B", message: "B!" },
    ],
    [[part("Unknown")], { type: "Ready", status: "Unknown" }],
  ])("of %j is %j", (parts, ready) => {
    expect(readyFrom(parts)).toEqual(ready);
  });
});

it("isReady is true for True alone", () => {
  const object = (status: ConditionUpdate["status"]) => ({
    status: { conditions: withConditions(undefined, [{ type: "Ready", status }], T0) },
  });
  expect([object("True"), object("False"), object("Unknown"), {}, undefined].map(isReady)).toEqual([
    true,
    false,
    false,
    false,
    false,
  ]);
  expect(conditionOf(object("False"), "Other")).toBeUndefined();
});
