import type { ScalingSettings } from "./settings.ts";

/** A setting that held the count. */
export type HeldBy = "min-scale" | "max-scale" | "initial-scale";

/**
 * Puts a count between the bounds. The minimum holds only while a route leads to the revision, and the initial scale
 * only until it was once reached. An unknown count (-1) counts as none. Source: knative/serving
 * pkg/reconciler/autoscaling/kpa/scaler.go.
 */
export function applyBounds(
  settings: Pick<ScalingSettings, "minScale" | "maxScale" | "initialScale">,
  seen: { readonly reachable: boolean; readonly initialized: boolean },
  count: number,
): { readonly count: number; readonly heldBy?: HeldBy } {
  const min = effectiveMin(settings, seen.reachable);
  const initial =
    !seen.initialized && seen.reachable && settings.initialScale > 1 ? settings.initialScale : 0;
  const least = Math.max(min, initial);
  if (count < 0 && least === 0) return { count: 0 };
  if (count < least) return { count: least, heldBy: initial > min ? "initial-scale" : "min-scale" };
  if (settings.maxScale !== 0 && count > settings.maxScale) {
    return { count: settings.maxScale, heldBy: "max-scale" };
  }
  return { count };
}

export function effectiveMin(settings: Pick<ScalingSettings, "minScale">, reachable: boolean): number {
  return reachable ? settings.minScale : 0;
}

/** From how many ready instances on the revision counts as active. 0: with initial-scale 0, before the first request. */
export function activeThreshold(
  settings: Pick<ScalingSettings, "minScale" | "initialScale">,
  seen: { readonly reachable: boolean; readonly initialized: boolean },
): number {
  const min = effectiveMin(settings, seen.reachable);
  return Math.max(min, seen.initialized ? 1 : settings.initialScale);
}
