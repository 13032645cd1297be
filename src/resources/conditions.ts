/** Conditions as Knative keeps them: one per type, sorted by type, with the time of the last change of status. */
export interface Condition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason?: string;
  readonly message?: string;
  /** Absent = Error; `Info` conditions take no part in Ready. */
  readonly severity?: "Info";
  /** RFC 3339. */
  readonly lastTransitionTime: string;
}

export type ConditionUpdate = Omit<Condition, "lastTransitionTime">;

/** The conditions with `updates` in; `lastTransitionTime` moves only where the status does. `now` in ms. */
export function withConditions(
  current: readonly Condition[] | undefined,
  updates: readonly ConditionUpdate[],
  now: number,
): readonly Condition[] {
  const byType = new Map((current ?? []).map((condition) => [condition.type, condition]));
  for (const update of updates) {
    const before = byType.get(update.type);
    const lastTransitionTime =
      before !== undefined && before.status === update.status
        ? before.lastTransitionTime
        : new Date(now).toISOString();
    byType.set(update.type, { ...update, lastTransitionTime });
  }
  return [...byType.values()].toSorted((a, b) => (a.type < b.type ? -1 : 1));
}

/**
 * Ready from the conditions it depends on, as knative.dev/pkg's condition set does: False wins over Unknown, Unknown
 * over True; reason and message come from the one that decides.
 */
export function readyFrom(parts: readonly ConditionUpdate[]): ConditionUpdate {
  const deciding =
    parts.find((part) => part.status === "False") ?? parts.find((part) => part.status === "Unknown");
  if (deciding === undefined) return { type: "Ready", status: "True" };
  return {
    type: "Ready",
    status: deciding.status,
    ...(deciding.reason === undefined ? {} : { reason: deciding.reason }),
    ...(deciding.message === undefined ? {} : { message: deciding.message }),
  };
}

export function conditionOf(
  object: { readonly status?: { readonly conditions?: readonly Condition[] } } | undefined,
  type: string,
): Condition | undefined {
  return object?.status?.conditions?.find((condition) => condition.type === type);
}

export function isReady(
  object: { readonly status?: { readonly conditions?: readonly Condition[] } } | undefined,
): boolean {
  return conditionOf(object, "Ready")?.status === "True";
}
