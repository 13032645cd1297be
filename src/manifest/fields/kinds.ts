/** The kinds of object that a manifest may hold. */
import { anything, embedded, flag, int64, list, object, shape, strings, text, type Shape } from "./field.ts";
import { OBJECT_META } from "./metadata.ts";
import { REVISION_SPEC, REVISION_TEMPLATE } from "./revision.ts";

const TRAFFIC_TARGET = shape("TrafficTarget", {
  revisionName: text("Revision that gets this share."),
  latestRevision: flag("Follow the latest ready revision.", {
    pointer: true,
    default: "true unless revisionName is set",
  }),
  percent: int64("Share of the requests; all shares together make 100.", {
    pointer: true,
    default: "0",
    bounds: [0, 100],
  }),
  tag: text("Name of a host of its own for this target: <tag>-<service>."),
  configurationName: text("Configuration whose latest revision gets this share; only in a Route."),
  url: text("Set by the server.", { pointer: true }),
});

const CONDITION = shape("Condition", {
  type: text("Name.", { keep: true }),
  status: text("True, False or Unknown.", { keep: true }),
  reason: text("Reason."),
  message: text("Message."),
  severity: text("Severity."),
  lastTransitionTime: anything("When it changed."),
});

const ADDRESS = shape("Addressable", {
  name: text("Name.", { pointer: true }),
  url: text("URL."),
  CACerts: text("Certificates.", { pointer: true }),
  audience: text("Audience.", { pointer: true }),
});

/** Written by the platform; what a user puts here is dropped. */
const STATUS = {
  observedGeneration: int64("Set by the server."),
  conditions: list("Set by the server.", () => CONDITION),
  annotations: strings("Set by the server."),
};

const ROUTE_STATUS = {
  url: text("Set by the server."),
  address: object("Set by the server.", () => ADDRESS),
  traffic: list("Set by the server.", () => TRAFFIC_TARGET),
};

const CONFIGURATION_STATUS = {
  latestReadyRevisionName: text("Set by the server."),
  latestCreatedRevisionName: text("Set by the server."),
};

const CONTAINER_STATUS = shape("ContainerStatus", { name: text("Name."), imageDigest: text("Digest.") });

const template = embedded(
  "What revisions are made from. A change here makes a new revision.",
  () => REVISION_TEMPLATE,
);
const traffic = list("How requests are shared among revisions.", () => TRAFFIC_TARGET, {
  default: "all of it to the latest ready revision",
});

export interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly shape: Shape;
}

function knative(kind: string, spec: Shape, status: Shape, apiVersion = "serving.knative.dev/v1"): Kind {
  return {
    apiVersion,
    kind,
    shape: shape(kind, {
      apiVersion: text(`Always ${apiVersion}.`),
      kind: text(`Always ${kind}.`),
      metadata: embedded("Name, namespace, labels and annotations.", () => OBJECT_META),
      spec: embedded("What is wanted.", () => spec),
      status: object("What is; written by the platform.", () => status),
    }),
  };
}

export const SERVICE = knative(
  "Service",
  shape("ServiceSpec", { template, traffic }),
  shape("ServiceStatus", { ...STATUS, ...CONFIGURATION_STATUS, ...ROUTE_STATUS }),
);

export const CONFIGURATION = knative(
  "Configuration",
  shape("ConfigurationSpec", { template }),
  shape("ConfigurationStatus", { ...STATUS, ...CONFIGURATION_STATUS }),
);

export const ROUTE = knative(
  "Route",
  shape("RouteSpec", { traffic }),
  shape("RouteStatus", { ...STATUS, ...ROUTE_STATUS }),
);

export const REVISION = knative(
  "Revision",
  REVISION_SPEC,
  shape("RevisionStatus", {
    ...STATUS,
    logUrl: text("Set by the server."),
    containerStatuses: list("Set by the server.", () => CONTAINER_STATUS),
    initContainerStatuses: list("Set by the server.", () => CONTAINER_STATUS),
    actualReplicas: int64("Set by the server."),
    desiredReplicas: int64("Set by the server."),
  }),
);

const REFERENCE = shape("KReference", {
  apiVersion: text("serving.knative.dev/v1.", { keep: true }),
  kind: text("Service.", { keep: true }),
  name: text("Name of the Service.", { keep: true }),
  namespace: text("Namespace of the Service: that of the DomainMapping."),
  address: text("Not used."),
  group: text("Not used."),
});

export const DOMAIN_MAPPING = knative(
  "DomainMapping",
  shape("DomainMappingSpec", {
    ref: embedded("The Service that the domain leads to.", () => REFERENCE),
    tls: object("TLS of the domain.", () =>
      shape("SecretTLS", { secretName: text("Secret with the certificate.", { keep: true }) }),
    ),
  }),
  shape("DomainMappingStatus", { ...STATUS, url: ROUTE_STATUS.url, address: ROUTE_STATUS.address }),
  "serving.knative.dev/v1beta1",
);

export const CONFIG_MAP: Kind = {
  apiVersion: "v1",
  kind: "ConfigMap",
  shape: shape("ConfigMap", {
    apiVersion: text("Always v1."),
    kind: text("Always ConfigMap."),
    metadata: embedded("Name, namespace, labels and annotations.", () => OBJECT_META),
    data: strings("Entries: strings. Quote numbers and booleans."),
    binaryData: strings("Entries in base64."),
    immutable: flag("Whether the entries can change.", { pointer: true }),
  }),
};

export const SECRET: Kind = {
  apiVersion: "v1",
  kind: "Secret",
  shape: shape("Secret", {
    apiVersion: text("Always v1."),
    kind: text("Always Secret."),
    metadata: embedded("Name, namespace, labels and annotations.", () => OBJECT_META),
    type: text("What the Secret holds.", { default: "Opaque" }),
    data: strings("Entries in base64."),
    stringData: strings("Entries as plain text."),
    immutable: flag("Whether the entries can change.", { pointer: true }),
  }),
};

export const KINDS: readonly Kind[] = [
  SERVICE,
  CONFIGURATION,
  REVISION,
  ROUTE,
  DOMAIN_MAPPING,
  CONFIG_MAP,
  SECRET,
];
