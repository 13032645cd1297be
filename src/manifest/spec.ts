/**
 * The objects of a manifest after defaulting: the shapes that the rest of the program reads. Absence here means
 * "not set" and never "not yet defaulted". Field names are Kubernetes' own.
 */

export interface ObjectMeta {
  readonly name: string;
  readonly namespace: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface KnativeService {
  readonly apiVersion: "serving.knative.dev/v1";
  readonly kind: "Service";
  readonly metadata: ObjectMeta;
  readonly spec: { readonly template: RevisionTemplate; readonly traffic: readonly TrafficTarget[] };
}

export interface ConfigMap {
  readonly apiVersion: "v1";
  readonly kind: "ConfigMap";
  readonly metadata: ObjectMeta;
  readonly data?: Readonly<Record<string, string>>;
  /** base64. */
  readonly binaryData?: Readonly<Record<string, string>>;
}

export interface Secret {
  readonly apiVersion: "v1";
  readonly kind: "Secret";
  readonly metadata: ObjectMeta;
  readonly type?: string;
  /** base64. */
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
}

export interface TrafficTarget {
  readonly tag?: string;
  readonly revisionName?: string;
  readonly configurationName?: string;
  readonly latestRevision?: boolean;
  /** 0 to 100; absent counts as 0. */
  readonly percent?: number;
  /** Set by the platform; refused in a manifest. */
  readonly url?: string;
}

export interface RevisionTemplate {
  readonly metadata?: {
    readonly name?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: RevisionSpec;
}

export interface RevisionSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Volume[];
  /** 0 = no limit. */
  readonly containerConcurrency?: number;
  /** Seconds. */
  readonly timeoutSeconds?: number;
  readonly responseStartTimeoutSeconds?: number;
  readonly idleTimeoutSeconds?: number;
  readonly serviceAccountName?: string;
  readonly enableServiceLinks?: boolean;
  readonly automountServiceAccountToken?: boolean;
  readonly imagePullSecrets?: ReadonlyArray<{ readonly name: string }>;
  readonly securityContext?: PodSecurityContext;
}

export interface PodSecurityContext {
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly runAsNonRoot?: boolean;
  readonly fsGroup?: number;
  readonly supplementalGroups?: readonly number[];
  readonly seccompProfile?: { readonly type: string; readonly localhostProfile?: string };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly workingDir?: string;
  readonly env?: readonly EnvVar[];
  readonly envFrom?: readonly EnvFromSource[];
  readonly ports?: readonly ContainerPort[];
  readonly resources?: { readonly limits?: ResourceList; readonly requests?: ResourceList };
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly startupProbe?: Probe;
  readonly volumeMounts?: readonly VolumeMount[];
  readonly imagePullPolicy?: string;
  readonly securityContext?: SecurityContext;
  readonly terminationMessagePath?: string;
  readonly terminationMessagePolicy?: string;
}

export interface SecurityContext {
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly runAsNonRoot?: boolean;
  readonly readOnlyRootFilesystem?: boolean;
  readonly allowPrivilegeEscalation?: boolean;
  readonly privileged?: boolean;
  readonly seccompProfile?: { readonly type: string; readonly localhostProfile?: string };
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
}

/** Quantities as written (`500m`, `512Mi`, `1`), by resource name. */
export type ResourceList = Readonly<Record<string, string | number>>;

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly configMapKeyRef?: KeySelector;
    readonly secretKeyRef?: KeySelector;
    readonly fieldRef?: { readonly apiVersion?: string; readonly fieldPath: string };
    readonly resourceFieldRef?: {
      readonly containerName?: string;
      readonly resource: string;
      readonly divisor?: string;
    };
  };
}

export interface KeySelector {
  readonly name: string;
  readonly key: string;
  readonly optional?: boolean;
}

export interface EnvFromSource {
  readonly prefix?: string;
  readonly configMapRef?: { readonly name: string; readonly optional?: boolean };
  readonly secretRef?: { readonly name: string; readonly optional?: boolean };
}

export interface ContainerPort {
  /** "", "http1" or "h2c" (others where the platform allows). */
  readonly name?: string;
  /** 0 or absent counts as 8080. */
  readonly containerPort?: number;
  readonly protocol?: string;
}

export interface Probe {
  readonly httpGet?: {
    readonly path?: string;
    readonly port?: number | string;
    readonly host?: string;
    readonly scheme?: string;
    readonly httpHeaders?: ReadonlyArray<{ readonly name: string; readonly value: string }>;
  };
  readonly tcpSocket?: { readonly port?: number | string; readonly host?: string };
  readonly grpc?: { readonly port?: number; readonly service?: string };
  readonly exec?: { readonly command?: readonly string[] };
  readonly initialDelaySeconds?: number;
  /** 0 = aggressive, Knative's own mode. */
  readonly periodSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly successThreshold?: number;
  readonly failureThreshold?: number;
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly subPath?: string;
  readonly readOnly?: boolean;
  readonly mountPropagation?: string;
}

export interface KeyToPath {
  readonly key: string;
  readonly path: string;
  readonly mode?: number;
}

export interface Volume {
  readonly name: string;
  readonly secret?: {
    readonly secretName?: string;
    readonly items?: readonly KeyToPath[];
    readonly defaultMode?: number;
    readonly optional?: boolean;
  };
  readonly configMap?: {
    readonly name?: string;
    readonly items?: readonly KeyToPath[];
    readonly defaultMode?: number;
    readonly optional?: boolean;
  };
  readonly emptyDir?: { readonly medium?: string; readonly sizeLimit?: string | number } | null;
  readonly projected?: { readonly sources?: readonly ProjectedSource[]; readonly defaultMode?: number };
  readonly persistentVolumeClaim?: { readonly claimName: string; readonly readOnly?: boolean };
  readonly hostPath?: unknown;
  readonly csi?: unknown;
  readonly image?: unknown;
  readonly ephemeral?: unknown;
}

export interface ProjectedSource {
  readonly secret?: {
    readonly name?: string;
    readonly items?: readonly KeyToPath[];
    readonly optional?: boolean;
  };
  readonly configMap?: {
    readonly name?: string;
    readonly items?: readonly KeyToPath[];
    readonly optional?: boolean;
  };
  readonly serviceAccountToken?: {
    readonly path: string;
    readonly audience?: string;
    readonly expirationSeconds?: number;
  };
  readonly downwardAPI?: {
    readonly items?: ReadonlyArray<{
      readonly path: string;
      readonly fieldRef?: { readonly apiVersion?: string; readonly fieldPath: string };
      readonly resourceFieldRef?: {
        readonly containerName?: string;
        readonly resource: string;
        readonly divisor?: string;
      };
    }>;
  };
}

/** Metadata of any kind, as decoded: the name may still be missing. */
export interface DecodedMeta extends Partial<ObjectMeta> {
  readonly generateName?: string;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: ReadonlyArray<{
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly uid: string;
    readonly controller?: boolean;
  }>;
}

export interface KnativeConfiguration {
  readonly apiVersion: "serving.knative.dev/v1";
  readonly kind: "Configuration";
  readonly metadata: ObjectMeta;
  readonly spec: { readonly template: RevisionTemplate };
}

export interface KnativeRevision {
  readonly apiVersion: "serving.knative.dev/v1";
  readonly kind: "Revision";
  readonly metadata: ObjectMeta;
  readonly spec: RevisionSpec;
}

export interface KnativeRoute {
  readonly apiVersion: "serving.knative.dev/v1";
  readonly kind: "Route";
  readonly metadata: ObjectMeta;
  readonly spec: { readonly traffic?: readonly TrafficTarget[] };
}

export interface DomainMapping {
  readonly apiVersion: "serving.knative.dev/v1beta1";
  readonly kind: "DomainMapping";
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly ref: {
      readonly apiVersion: string;
      readonly kind: string;
      readonly name: string;
      readonly namespace?: string;
    };
    readonly tls?: { readonly secretName: string };
  };
}

export type ManifestObject =
  | KnativeService
  | KnativeConfiguration
  | KnativeRevision
  | KnativeRoute
  | DomainMapping
  | ConfigMap
  | Secret;
