/**
 * Which revisions are collected. Knative keeps at least 20 that no route names and lets age decide beyond that
 * (BEHAVIOUR 1.3, config-gc); a session of edits is over before anything is old, so here the count alone decides.
 */
import { conditionOf } from "../resources/conditions.ts";
import { LABELS, type StoredRevision } from "../resources/objects.ts";

/** config-gc's min-non-active-revisions. */
export const KEPT_REVISIONS = 20;
const NO_GC = "serving.knative.dev/no-gc";

/**
 * The revisions of one Configuration that go: those that serve nobody and never will, but for the newest `kept`.
 * `revisions` from the oldest to the newest.
 */
export function expiredRevisions(
  revisions: readonly StoredRevision[],
  latestReady: string | undefined,
  kept = KEPT_REVISIONS,
): readonly StoredRevision[] {
  const newest = revisions.at(-1);
  const idle = revisions.filter(
    (revision) =>
      revision !== newest &&
      revision.metadata.name !== latestReady &&
      revision.metadata.annotations?.[NO_GC] !== "true" &&
      (revision.metadata.labels?.[LABELS.routingState] === "reserve" ||
        conditionOf(revision, "Ready")?.status === "False"),
  );
  return idle.slice(0, Math.max(0, idle.length - kept));
}
