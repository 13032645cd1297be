/**
 * The objects of the store: what a cluster would keep, in Knative's own shapes, so that `get`, a dashboard or a
 * Kubernetes facade can show them as they are. Every stored object is deeply frozen.
 */
import type {
  ConfigMap,
  KnativeService,
  ObjectMeta,
  RevisionSpec,
  RevisionTemplate,
  Secret,
  TrafficTarget,
} from "../manifest/spec.ts";
import type { Condition } from "./conditions.ts";

export interface OwnerReference {
  readonly kind: Kind;
  readonly name: string;
}

/** What the store adds to an object's metadata. */
export interface StoredMeta extends ObjectMeta {
  readonly uid: string;
  /** Counts changes of `spec`, from 1. */
  readonly generation: number;
  /** Counts every change in the store; only good for comparing for equality. */
  readonly resourceVersion: string;
  /** RFC 3339. */
  readonly creationTimestamp: string;
  readonly ownerReferences?: readonly OwnerReference[];
}

interface Status {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
}

export interface RouteTraffic extends TrafficTarget {
  readonly url?: string;
}

export interface ServiceStatus extends Status {
  readonly url?: string;
  readonly address?: { readonly url: string };
  readonly latestCreatedRevisionName?: string;
  readonly latestReadyRevisionName?: string;
  readonly traffic?: readonly RouteTraffic[];
}

export interface ConfigurationStatus extends Status {
  readonly latestCreatedRevisionName?: string;
  readonly latestReadyRevisionName?: string;
}

export interface RevisionStatus extends Status {
  readonly containerStatuses?: ReadonlyArray<{ readonly name: string; readonly imageDigest: string }>;
  readonly actualReplicas?: number;
  readonly desiredReplicas?: number;
}

export interface RouteStatus extends Status {
  readonly url?: string;
  readonly address?: { readonly url: string };
  readonly traffic?: readonly RouteTraffic[];
}

export interface StoredService extends Omit<KnativeService, "metadata"> {
  readonly metadata: StoredMeta;
  readonly status?: ServiceStatus;
}

export interface StoredConfiguration {
  readonly apiVersion: "serving.knative.dev/v1";
  readonly kind: "Configuration";
  readonly metadata: StoredMeta;
  readonly spec: { readonly template: RevisionTemplate };
  readonly status?: ConfigurationStatus;
}

export interface StoredRevision {
  readonly apiVersion: "serving.knative.dev/v1";
  readonly kind: "Revision";
  readonly metadata: StoredMeta;
  readonly spec: RevisionSpec;
  readonly status?: RevisionStatus;
}

export interface StoredRoute {
  readonly apiVersion: "serving.knative.dev/v1";
  readonly kind: "Route";
  readonly metadata: StoredMeta;
  readonly spec: { readonly traffic: readonly TrafficTarget[] };
  readonly status?: RouteStatus;
}

export interface StoredConfigMap extends Omit<ConfigMap, "metadata"> {
  readonly metadata: StoredMeta;
}

export interface StoredSecret extends Omit<Secret, "metadata"> {
  readonly metadata: StoredMeta;
}

export interface ObjectsByKind {
  readonly Service: StoredService;
  readonly Configuration: StoredConfiguration;
  readonly Revision: StoredRevision;
  readonly Route: StoredRoute;
  readonly ConfigMap: StoredConfigMap;
  readonly Secret: StoredSecret;
}

export type Kind = keyof ObjectsByKind;
export type StoredObject = ObjectsByKind[Kind];

/** Labels and annotations that the controllers set. */
export const LABELS = {
  service: "serving.knative.dev/service",
  configuration: "serving.knative.dev/configuration",
  configurationGeneration: "serving.knative.dev/configurationGeneration",
  routingState: "serving.knative.dev/routingState",
  visibility: "networking.knative.dev/visibility",
} as const;

export const ANNOTATIONS = {
  /** On a template: the image that was built for it; a new build makes a new revision by changing it. */
  imageId: "kserve-local.dev/image-id",
  build: "kserve-local.dev/build",
  dockerfile: "kserve-local.dev/dockerfile",
  target: "kserve-local.dev/target",
  buildArgs: "kserve-local.dev/build-args",
} as const;
