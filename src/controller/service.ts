/** A Service owns one Configuration and one Route of its own name (knative/serving pkg/reconciler/service). */
import type { Clock } from "../kernel/clock.ts";
import { type ConditionUpdate, conditionOf, readyFrom, withConditions } from "../resources/conditions.ts";
import {
  LABELS,
  type StoredConfiguration,
  type StoredRoute,
  type StoredService,
} from "../resources/objects.ts";
import type { Store } from "../resources/store.ts";

const ROLLOUT_DURATION = "serving.knative.dev/rollout-duration";
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

export function reconcileService(store: Store, clock: Clock, namespace: string, name: string): void {
  const service = store.get("Service", namespace, name);
  if (service === undefined) return;
  const owner = [{ kind: "Service" as const, name }];
  const labels = { ...service.metadata.labels, [LABELS.service]: name };
  const annotations = { ...service.metadata.annotations };
  delete annotations[LAST_APPLIED];
  const { [ROLLOUT_DURATION]: rollout, ...configurationAnnotations } = annotations;
  store.apply({
    apiVersion: "serving.knative.dev/v1",
    kind: "Configuration",
    metadata: { name, namespace, labels, annotations: configurationAnnotations, ownerReferences: owner },
    spec: { template: service.spec.template },
  } as Parameters<typeof store.apply<"Configuration">>[0]);
  store.apply({
    apiVersion: "serving.knative.dev/v1",
    kind: "Route",
    metadata: {
      name,
      namespace,
      labels,
      annotations:
        rollout === undefined
          ? configurationAnnotations
          : { ...configurationAnnotations, [ROLLOUT_DURATION]: rollout },
      ownerReferences: owner,
    },
    // A Service's latestRevision targets mean its own Configuration.
    spec: {
      traffic: service.spec.traffic.map((target) =>
        target.revisionName ? target : { ...target, configurationName: name },
      ),
    },
  } as Parameters<typeof store.apply<"Route">>[0]);
  updateStatus(store, clock, service);
}

function updateStatus(store: Store, clock: Clock, service: StoredService): void {
  const { namespace, name, generation } = service.metadata;
  const configuration = store.get("Configuration", namespace, name);
  const route = store.get("Route", namespace, name);
  const parts: ConditionUpdate[] = [
    child("ConfigurationsReady", configuration),
    migrated(child("RoutesReady", route), configuration, route),
  ];
  store.updateStatus("Service", namespace, name, (status) => ({
    observedGeneration: generation,
    ...pick(configuration?.status, ["latestCreatedRevisionName", "latestReadyRevisionName"]),
    ...pick(route?.status, ["url", "address", "traffic"]),
    conditions: withConditions(status.conditions, [...parts, readyFrom(parts)], clock.now()),
  }));
}

/** The child's Ready as a condition of the Service; Unknown until the child has seen its newest generation. */
function child(type: string, object: StoredConfiguration | StoredRoute | undefined): ConditionUpdate {
  const ready = conditionOf(object, "Ready");
  if (
    object === undefined ||
    ready === undefined ||
    object.status?.observedGeneration !== object.metadata.generation
  )
    return { type, status: "Unknown", reason: "OutOfDate" };
  return {
    type,
    status: ready.status,
    ...(ready.reason === undefined ? {} : { reason: ready.reason }),
    ...(ready.message === undefined ? {} : { message: ready.message }),
  };
}

/** The Route is not done as long as it sends the latest revision's traffic to an older one. */
function migrated(
  routesReady: ConditionUpdate,
  configuration: StoredConfiguration | undefined,
  route: StoredRoute | undefined,
): ConditionUpdate {
  const latestReady = configuration?.status?.latestReadyRevisionName;
  const targets = (route?.status?.traffic ?? []).filter((target) => target.latestRevision === true);
  const stale = targets.some((target) => target.revisionName !== latestReady);
  if (routesReady.status !== "True" || !stale) return routesReady;
  return {
    type: "RoutesReady",
    status: "Unknown",
    reason: "TrafficNotMigrated",
    message: "Traffic is not yet migrated to the latest revision.",
  };
}

function pick<T extends object, K extends keyof T>(
  from: T | undefined,
  keys: readonly K[],
): Partial<Pick<T, K>> {
  const picked: Partial<Pick<T, K>> = {};
  for (const key of keys) if (from?.[key] !== undefined) picked[key] = from[key];
  return picked;
}
