import type { ScalingSettings } from "./settings.ts";

/** Panic is on while `since` is set: the last time the load was over the threshold. `pods` never falls meanwhile. */
export interface PanicState {
  readonly since: number | undefined;
  readonly pods: number;
}

export interface Observed {
  /** The metric's mean over the stable and the panic window. */
  readonly stable: number;
  readonly panic: number;
  /** Ready instances. */
  readonly ready: number;
  /** Whether a route leads to the revision. */
  readonly reachable: boolean;
}

/**
 * How many instances the load asks for, before the scale-down delay and the bounds. Source: knative/serving
 * pkg/autoscaler/scaling/autoscaler.go.
 */
export function decide(
  settings: ScalingSettings,
  before: PanicState,
  seen: Observed,
  now: number,
): { readonly desired: number; readonly panic: PanicState } {
  const ready = Math.max(1, seen.ready);
  const stableWanted = Math.ceil(seen.stable / settings.target);
  const panicWanted = Math.ceil(seen.panic / settings.target);
  const stablePods = withinRates(settings, stableWanted, ready, seen.reachable);
  const panicPods = withinRates(settings, panicWanted, ready, seen.reachable);
  // Rounded up before it is compared: one instance with 71 at a target of 70 wants two, and that is twice as many.
  const since = panicSince(settings, before, panicWanted / ready >= settings.panicThreshold, now);
  if (since === undefined) {
    return { desired: stablePods, panic: { since, pods: before.since === undefined ? before.pods : 0 } };
  }
  const pods = Math.max(before.pods, stablePods, panicPods);
  return { desired: pods, panic: { since, pods } };
}

function withinRates(settings: ScalingSettings, wanted: number, ready: number, reachable: boolean): number {
  const most = Math.ceil(settings.maxScaleUpRate * ready);
  // What nobody can reach may go as fast as its requests do.
  const least = reachable ? Math.floor(ready / settings.maxScaleDownRate) : 0;
  const pods = Math.min(Math.max(wanted, least), most);
  return wanted > 0 ? Math.max(pods, settings.activationScale) : pods;
}

/** Panic begins over the threshold, and ends when a stable window has passed since the last time over it. */
function panicSince(
  settings: ScalingSettings,
  before: PanicState,
  over: boolean,
  now: number,
): number | undefined {
  if (over) return now;
  if (before.since === undefined) return undefined;
  return before.since + settings.stableWindowMs < now ? undefined : before.since;
}

/**
 * The room that is left beyond the target burst capacity, in units of the metric. Negative: the activator stays in the
 * path.
 */
export function excessBurstCapacity(
  settings: Pick<ScalingSettings, "targetBurstCapacity" | "total">,
  ready: number,
  panic: number,
): number {
  const { targetBurstCapacity, total } = settings;
  if (targetBurstCapacity === 0) return 0;
  if (targetBurstCapacity < 0) return -1;
  return Math.floor(ready * total - targetBurstCapacity - panic) + 0;
}

/** The same before there are data: the initial scale is taken as there, and nothing as in flight. */
export function initialExcessBurstCapacity(
  settings: Pick<ScalingSettings, "targetBurstCapacity" | "total" | "initialScale">,
): number {
  const { targetBurstCapacity, total, initialScale } = settings;
  if (targetBurstCapacity <= 0) return targetBurstCapacity;
  return Math.trunc(initialScale * total - targetBurstCapacity) + 0;
}
