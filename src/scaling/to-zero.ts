import type { ActiveCondition } from "./active.ts";
import type { ScalingSettings } from "./settings.ts";

/** How long the last steps wait for what happens beside them: the deployment reports its own failure first. */
const ACTIVATION_BUFFER_MS = 30_000;

export interface ZeroVerdict {
  /** The count asked for; -1: unknown, nothing changes. */
  readonly want: number;
  /** Whether the count is applied now. Not so while the activator is not yet known to be in the path. */
  readonly apply: boolean;
}

/**
 * What to do once nothing is wanted: keep one until the revision was active for a stable window; then have the activator
 * take over and wait the grace and retention periods; then zero. Source: knative/serving
 * pkg/reconciler/autoscaling/kpa/scaler.go. There the activator's taking over is probed; here it is this same process.
 */
export function scaleToZero(
  settings: ScalingSettings,
  seen: {
    readonly active: ActiveCondition;
    readonly reachable: boolean;
    /** Since when all requests have come through the activator; undefined while they do not. */
    readonly activatorSince: number | undefined;
  },
  now: number,
): ZeroVerdict {
  if (!settings.enableScaleToZero) return { want: 1, apply: true };
  const been = now - seen.active.since;
  switch (seen.active.status) {
    case "Unknown":
      return been > settings.progressDeadlineMs + ACTIVATION_BUFFER_MS
        ? { want: 0, apply: true }
        : { want: -1, apply: false };
    case "True":
      return been >= settings.stableWindowMs ? { want: 0, apply: false } : { want: 1, apply: true };
    case "False":
      return { want: 0, apply: mayGo(settings, seen, been, now) };
  }
}

function mayGo(
  settings: ScalingSettings,
  seen: { readonly reachable: boolean; readonly activatorSince: number | undefined },
  inactiveFor: number,
  now: number,
): boolean {
  // Nobody will call a revision again that no route leads to.
  const retention = seen.reachable ? settings.podRetentionMs : 0;
  if (inactiveFor >= Math.max(settings.scaleToZeroGraceMs, retention)) return true;
  if (inactiveFor < retention) return false;
  return seen.activatorSince !== undefined && now - seen.activatorSince >= settings.scaleToZeroGraceMs;
}
