/**
 * A Configuration stamps out a Revision for each state of its template and knows the newest that is ready
 * (knative/serving pkg/reconciler/configuration).
 */
import type { Clock } from "../kernel/clock.ts";
import { type ConditionUpdate, conditionOf, isReady, withConditions } from "../resources/conditions.ts";
import { LABELS, type StoredConfiguration, type StoredRevision } from "../resources/objects.ts";
import type { Store } from "../resources/store.ts";
import { expiredRevisions } from "./garbage.ts";
import { revisionName } from "./names.ts";

export function reconcileConfiguration(store: Store, clock: Clock, namespace: string, name: string): void {
  const configuration = store.get("Configuration", namespace, name);
  if (configuration === undefined) return;
  const latest = latestRevision(store, configuration);
  const revisions = revisionsOf(store, namespace, name);
  const newestReady = revisions.filter(isReady).toSorted((a, b) => generationOf(b) - generationOf(a))[0];
  const ready = readiness(latest);
  store.updateStatus("Configuration", namespace, name, (status) => ({
    observedGeneration: configuration.metadata.generation,
    latestCreatedRevisionName: latest.metadata.name,
    ...(newestReady === undefined ? {} : { latestReadyRevisionName: newestReady.metadata.name }),
    conditions: withConditions(status.conditions, [ready], clock.now()),
  }));
  const oldestFirst = revisions.toSorted((a, b) => generationOf(a) - generationOf(b));
  for (const revision of expiredRevisions(oldestFirst, newestReady?.metadata.name))
    store.delete("Revision", namespace, revision.metadata.name);
}

/** The Revision of the template as it stands; created where there is none yet. */
function latestRevision(store: Store, configuration: StoredConfiguration): StoredRevision {
  const { namespace, name, generation, labels } = configuration.metadata;
  const existing = revisionsOf(store, namespace, name).find(
    (revision) => generationOf(revision) === generation,
  );
  if (existing !== undefined) return existing;
  const { template } = configuration.spec;
  return store.apply({
    apiVersion: "serving.knative.dev/v1",
    kind: "Revision",
    metadata: {
      name: freeName(store, configuration),
      namespace,
      labels: {
        ...template.metadata?.labels,
        [LABELS.configuration]: name,
        [LABELS.configurationGeneration]: String(generation),
        [LABELS.service]: labels?.[LABELS.service] ?? name,
        [LABELS.routingState]: "pending",
      },
      annotations: template.metadata?.annotations ?? {},
      ownerReferences: [{ kind: "Configuration", name }],
    },
    spec: template.spec,
  } as Parameters<typeof store.apply<"Revision">>[0]);
}

/**
 * The template's own name, else the generated one. Where that is taken (a rebuild of a revision that brings its own name;
 * a name of its own that looks generated) the next generated one that is free stands in: a revision never changes.
 */
function freeName(store: Store, { metadata, spec }: StoredConfiguration): string {
  const { namespace, name, generation } = metadata;
  const isFree = (candidate: string): boolean => store.get("Revision", namespace, candidate) === undefined;
  const own = spec.template.metadata?.name ?? "";
  if (own !== "" && isFree(own)) return own;
  let number = generation;
  while (!isFree(revisionName(name, number))) number += 1;
  return revisionName(name, number);
}

function readiness(latest: StoredRevision): ConditionUpdate {
  const ready = conditionOf(latest, "Ready");
  if (ready?.status === "True") return { type: "Ready", status: "True" };
  if (ready?.status === "False")
    return {
      type: "Ready",
      status: "False",
      reason: "RevisionFailed",
      message: `Revision "${latest.metadata.name}" failed with message: ${ready.message ?? ready.reason ?? "unknown"}`,
    };
  return { type: "Ready", status: "Unknown" };
}

export function revisionsOf(
  store: Store,
  namespace: string,
  configuration: string,
): readonly StoredRevision[] {
  return store
    .list("Revision", namespace)
    .filter((revision) => revision.metadata.labels?.[LABELS.configuration] === configuration);
}

export function generationOf(revision: StoredRevision): number {
  return Number(revision.metadata.labels?.[LABELS.configurationGeneration] ?? 0);
}
