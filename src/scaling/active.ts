/** Knative's Active condition: Unknown means activating. The reason is empty while active. */
export interface ActiveCondition {
  readonly status: "True" | "False" | "Unknown";
  readonly reason: "" | "Queued" | "NoTraffic" | "TimedOut";
  /** Since when, in ms; a new reason starts it anew. */
  readonly since: number;
}

/**
 * What becomes of the condition. `want` is the count that is asked for, -1 if unknown; `threshold` the number of ready
 * instances from which on the revision is active. Source: knative/serving pkg/reconciler/autoscaling/kpa/kpa.go.
 */
export function nextActive(
  before: ActiveCondition,
  counts: { readonly want: number; readonly ready: number; readonly threshold: number },
  now: number,
): ActiveCondition {
  const { want, ready, threshold } = counts;
  if (want === 0 || threshold === 0) {
    // While activating, zero is only ever asked for because that took too long.
    const timedOut = before.status === "Unknown" && threshold > 0;
    return changed(before, "False", timedOut ? "TimedOut" : "NoTraffic", now);
  }
  if (want < 0 && before.status === "False") {
    return ready < threshold ? changed(before, "False", "NoTraffic", now) : before;
  }
  return ready < threshold ? changed(before, "Unknown", "Queued", now) : changed(before, "True", "", now);
}

function changed(
  before: ActiveCondition,
  status: ActiveCondition["status"],
  reason: ActiveCondition["reason"],
  now: number,
): ActiveCondition {
  return before.status === status && before.reason === reason ? before : { status, reason, since: now };
}
