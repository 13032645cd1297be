import { describe, expect, it } from "vitest";
import type { ActiveCondition } from "../../src/scaling/active.ts";
import type { ScalingSettings } from "../../src/scaling/settings.ts";
import { scaleToZero } from "../../src/scaling/to-zero.ts";
import { settingsWith } from "./settings-with.ts";

const S = 1000;
const KEEP_ONE = { want: 1, apply: true };
const UNKNOWN = { want: -1, apply: false };
const WAIT = { want: 0, apply: false };
const GO = { want: 0, apply: true };

interface Given {
  readonly settings?: Partial<ScalingSettings>;
  readonly status: ActiveCondition["status"];
  /** Seconds. */
  readonly been: number;
  readonly activatorFor?: number;
  readonly reachable?: boolean;
}

function verdict({ settings = {}, status, been, activatorFor, reachable = true }: Given) {
  const now = 10_000 * S;
  const active: ActiveCondition = { status, reason: "", since: now - been * S };
  const activatorSince = activatorFor === undefined ? undefined : now - activatorFor * S;
  return scaleToZero(settingsWith(settings), { active, reachable, activatorSince }, now);
}

const retention = (seconds: number) => ({ podRetentionMs: seconds * S });

describe("the way to zero", () => {
  it.each<[string, Given, { want: number; apply: boolean }]>([
    [
      "no scale to zero at all",
      { settings: { enableScaleToZero: false }, status: "False", been: 999, activatorFor: 999 },
      KEEP_ONE,
    ],
    ["active for less than the stable window", { status: "True", been: 59.999, activatorFor: 999 }, KEEP_ONE],
    ["active for the stable window", { status: "True", been: 60, activatorFor: 999 }, WAIT],
    ["inactive, the activator long in the path", { status: "False", been: 0, activatorFor: 30 }, GO],
    ["inactive, the activator just in the path", { status: "False", been: 0, activatorFor: 29.999 }, WAIT],
    ["inactive, the activator not in the path", { status: "False", been: 29.999 }, WAIT],
    ["inactive for the grace period", { status: "False", been: 30, activatorFor: 30 }, GO],
    [
      "a shorter grace period",
      { settings: { scaleToZeroGraceMs: 6000 }, status: "False", been: 6, activatorFor: 6 },
      GO,
    ],
    [
      "within the retention",
      { settings: retention(10), status: "False", been: 9.999, activatorFor: 999 },
      WAIT,
    ],
    ["past the retention", { settings: retention(10), status: "False", been: 10, activatorFor: 999 }, GO],
    [
      "past the retention, not the grace period",
      { settings: retention(10), status: "False", been: 10, activatorFor: 12 },
      WAIT,
    ],
    [
      "past the grace period, not the retention",
      { settings: retention(300), status: "False", been: 299, activatorFor: 999 },
      WAIT,
    ],
    ["past both", { settings: retention(300), status: "False", been: 300, activatorFor: 999 }, GO],
    [
      "unreachable: no retention",
      { settings: retention(300), status: "False", been: 0, activatorFor: 30, reachable: false },
      GO,
    ],
    ["activating", { status: "Unknown", been: 630 }, UNKNOWN],
    ["activating for more than the deadline and its buffer", { status: "Unknown", been: 630.001 }, GO],
    ["a shorter deadline", { settings: { progressDeadlineMs: 60_000 }, status: "Unknown", been: 90.001 }, GO],
  ])("%s", (_, given, expected) => {
    expect(verdict(given)).toEqual(expected);
  });
});
