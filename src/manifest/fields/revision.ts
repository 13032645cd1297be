/** What a revision is made from: the pod's fields that Knative lets through, and Knative's own. */
import {
  anything,
  embedded,
  flag,
  int32,
  int64,
  list,
  object,
  shape,
  strings,
  text,
  texts,
  type Shape,
} from "./field.ts";
import { CONTAINER, SECCOMP } from "./container.ts";
import { OBJECT_META } from "./metadata.ts";
import { LOCAL_REFERENCE } from "./references.ts";
import { VOLUME } from "./volumes.ts";

const NOWHERE = "there are no nodes to choose from here";
const UID_BOUNDS = [0, 2_147_483_647] as const;

const POD_SECURITY_CONTEXT = shape("PodSecurityContext", {
  runAsUser: int64("User ID of the processes.", { pointer: true, bounds: UID_BOUNDS }),
  runAsGroup: int64("Group ID of the processes.", { pointer: true, bounds: UID_BOUNDS }),
  runAsNonRoot: flag("Refuse to start as root.", { pointer: true }),
  fsGroup: int64("Group that owns the volumes.", { pointer: true, bounds: UID_BOUNDS }),
  supplementalGroups: { type: { kind: "list", of: { kind: "int64" } }, doc: "Further groups." },
  seccompProfile: object("Filter of system calls.", () => SECCOMP),
  seLinuxOptions: anything("SELinux labels.", { pointer: true, closed: true }),
  windowsOptions: anything("Windows settings.", { pointer: true, closed: true }),
  sysctls: anything("Kernel parameters.", { closed: true }),
  fsGroupChangePolicy: text("When ownership is changed.", { pointer: true, closed: true }),
  appArmorProfile: anything("AppArmor profile.", { pointer: true, closed: true }),
  supplementalGroupsPolicy: text("How groups are computed.", { pointer: true, closed: true }),
  seLinuxChangePolicy: text("How labels are changed.", { pointer: true, closed: true }),
});

const TOLERATION = shape("Toleration", {
  key: text("Taint."),
  operator: text("Exists or Equal."),
  value: text("Value of the taint."),
  effect: text("Effect of the taint."),
  tolerationSeconds: int64("Seconds.", { pointer: true }),
});

const HOST_ALIAS = shape("HostAlias", {
  ip: text("Address.", { keep: true }),
  hostnames: texts("Names of that address."),
});

const DNS_CONFIG = shape("PodDNSConfig", {
  nameservers: texts("Name servers."),
  searches: texts("Search domains."),
  options: list("Resolver options.", () =>
    shape("PodDNSConfigOption", { name: text("Name."), value: text("Value.", { pointer: true }) }),
  ),
});

const SPREAD = shape("TopologySpreadConstraint", {
  maxSkew: int32("Largest difference.", { keep: true }),
  topologyKey: text("Label of the nodes.", { keep: true }),
  whenUnsatisfiable: text("DoNotSchedule or ScheduleAnyway.", { keep: true }),
  labelSelector: anything("Which pods count.", { pointer: true }),
  minDomains: int32("Fewest domains.", { pointer: true }),
  nodeAffinityPolicy: text("Honor or Ignore.", { pointer: true }),
  nodeTaintsPolicy: text("Honor or Ignore.", { pointer: true }),
  matchLabelKeys: texts("Labels."),
});

const AFFINITY = shape("Affinity", {
  nodeAffinity: object("Nodes to prefer.", () => ANYTHING_INSIDE, { open: true }),
  podAffinity: object("Pods to be near to.", () => ANYTHING_INSIDE, { open: true }),
  podAntiAffinity: object("Pods to be away from.", () => ANYTHING_INSIDE, { open: true }),
});

const ANYTHING_INSIDE = shape("Anything", {});

export const REVISION_SPEC: Shape = shape("RevisionSpec", {
  containers: list("The containers of an instance. The one with a port gets the requests.", () => CONTAINER, {
    keep: true,
  }),
  containerConcurrency: int64("Requests that one instance works on at once. 0 = no limit.", {
    pointer: true,
    default: "0",
    bounds: [0, 1000],
    fidelity: "emulated",
  }),
  timeoutSeconds: int64("Seconds for a whole request, cold start included; afterwards 504.", {
    pointer: true,
    default: "300",
    bounds: [0, 600],
    fidelity: "emulated",
  }),
  responseStartTimeoutSeconds: int64("Seconds until the first byte of the response.", {
    pointer: true,
    fidelity: "emulated",
  }),
  idleTimeoutSeconds: int64("Seconds between two parts of the response.", {
    pointer: true,
    fidelity: "emulated",
  }),
  serviceAccountName: text("Service account as which the app runs.", {
    default: "default",
    quietFor: ["default"],
    fidelity: "accepted",
    note: "every instance has the same identity here",
  }),
  imagePullSecrets: list("Secrets with credentials for the image's registry.", () => LOCAL_REFERENCE, {
    mapKeys: ["name"],
    fidelity: "accepted",
    note: "the credentials of your docker CLI are used",
  }),
  enableServiceLinks: flag("Environment variables for every Kubernetes service of the namespace.", {
    pointer: true,
    default: "false",
    quietFor: [false],
    fidelity: "accepted",
    note: "there are no Kubernetes services here",
  }),
  automountServiceAccountToken: flag("Only false is allowed.", { pointer: true, fidelity: "emulated" }),
  volumes: list("Volumes that containers mount. Every one must be mounted.", () => VOLUME, {
    mapKeys: ["name"],
  }),
  initContainers: list("Containers that run to their end before the others start.", () => CONTAINER, {
    open: true,
    flag: "kubernetes.podspec-init-containers",
    fidelity: "accepted",
    note: "the emulator does not run them yet",
  }),
  securityContext: object("Rights of all containers.", () => POD_SECURITY_CONTEXT, {
    open: true,
    flag: "kubernetes.podspec-securitycontext",
    fidelity: "accepted",
    note: "the emulator does not apply it",
  }),
  affinity: object("Nodes and pods to be near to.", () => AFFINITY, {
    open: true,
    flag: "kubernetes.podspec-affinity",
    fidelity: "accepted",
    note: NOWHERE,
  }),
  nodeSelector: strings("Labels that the node must have.", {
    flag: "kubernetes.podspec-nodeselector",
    fidelity: "accepted",
    note: NOWHERE,
  }),
  tolerations: list("Taints of nodes to put up with.", () => TOLERATION, {
    open: true,
    flag: "kubernetes.podspec-tolerations",
    fidelity: "accepted",
    note: NOWHERE,
  }),
  topologySpreadConstraints: list("How instances spread over nodes.", () => SPREAD, {
    open: true,
    flag: "kubernetes.podspec-topologyspreadconstraints",
    fidelity: "accepted",
    note: NOWHERE,
  }),
  hostAliases: list("Entries of /etc/hosts.", () => HOST_ALIAS, {
    open: true,
    flag: "kubernetes.podspec-hostaliases",
    fidelity: "accepted",
    note: "the emulator does not write them",
  }),
  dnsPolicy: text("How names are resolved.", {
    flag: "kubernetes.podspec-dnspolicy",
    fidelity: "accepted",
    note: "names are resolved by the engine",
  }),
  dnsConfig: object("Name servers and search domains.", () => DNS_CONFIG, {
    open: true,
    flag: "kubernetes.podspec-dnsconfig",
    fidelity: "accepted",
    note: "names are resolved by the engine",
  }),
  hostIPC: flag("Share the node's IPC namespace.", {
    flag: "kubernetes.podspec-hostipc",
    fidelity: "accepted",
    note: "the emulator does not share it",
  }),
  hostPID: flag("Share the node's process namespace.", {
    flag: "kubernetes.podspec-hostpid",
    fidelity: "accepted",
    note: "the emulator does not share it",
  }),
  hostNetwork: flag("Share the node's network.", {
    flag: "kubernetes.podspec-hostnetwork",
    fidelity: "accepted",
    note: "the emulator does not share it",
  }),
  priorityClassName: text("Priority of the pods.", {
    flag: "kubernetes.podspec-priorityclassname",
    fidelity: "accepted",
    note: NOWHERE,
  }),
  runtimeClassName: text("Runtime of the containers.", {
    pointer: true,
    flag: "kubernetes.podspec-runtimeclassname",
    fidelity: "accepted",
    note: "the engine's default runtime is used",
  }),
  schedulerName: text("Scheduler of the pods.", {
    flag: "kubernetes.podspec-schedulername",
    fidelity: "accepted",
    note: NOWHERE,
  }),
  shareProcessNamespace: flag("Let containers see each other's processes.", {
    pointer: true,
    flag: "kubernetes.podspec-shareprocessnamespace",
    quietFor: [false],
    fidelity: "accepted",
    note: "the emulator does not share it",
  }),
});

export const REVISION_TEMPLATE: Shape = shape("RevisionTemplate", {
  metadata: embedded(
    "Name, labels and annotations of the revisions; autoscaling annotations belong here.",
    () => OBJECT_META,
    { lenient: true, schemaKnows: ["annotations", "finalizers", "labels", "name", "namespace"] },
  ),
  spec: embedded("What an instance is made of.", () => REVISION_SPEC),
});
