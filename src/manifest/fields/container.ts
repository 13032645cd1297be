/** Containers: image, process, environment, ports, resources, rights. */
import {
  anything,
  embedded,
  flag,
  int32,
  int64,
  list,
  object,
  quantities,
  shape,
  text,
  texts,
  type Shape,
} from "./field.ts";
import { PROBE } from "./probe.ts";
import { ENV_SOURCE, FIELD_REF, KEY_SELECTOR, RESOURCE_FIELD_REF } from "./references.ts";
import { VOLUME_MOUNT } from "./volumes.ts";

const ENV_VAR_SOURCE = shape("EnvVarSource", {
  configMapKeyRef: object("Entry of a ConfigMap.", () => KEY_SELECTOR),
  secretKeyRef: object("Entry of a Secret.", () => KEY_SELECTOR),
  fieldRef: object("Field of the pod.", () => FIELD_REF, { open: true, flag: "kubernetes.podspec-fieldref" }),
  resourceFieldRef: object("Resource of the container.", () => RESOURCE_FIELD_REF, {
    open: true,
    flag: "kubernetes.podspec-fieldref",
  }),
  fileKeyRef: anything("Entry of a file.", { closed: true, pointer: true }),
});

const ENV_VAR = shape("EnvVar", {
  name: text(
    "Name of the variable. PORT, K_SERVICE, K_CONFIGURATION and K_REVISION are set by the platform and refused here.",
    { keep: true },
  ),
  value: text(
    "Its value, a string: quote numbers and booleans. $(NAME) stands for a variable defined before.",
  ),
  valueFrom: object("Where the value comes from instead.", () => ENV_VAR_SOURCE),
});

const ENV_FROM = shape("EnvFromSource", {
  prefix: text("Put before every name."),
  configMapRef: object("All entries of a ConfigMap.", () => ENV_SOURCE),
  secretRef: object("All entries of a Secret.", () => ENV_SOURCE),
});

const PORT = shape("ContainerPort", {
  containerPort: int32("Port on which the app listens, given to it as PORT.", {
    keep: true,
    default: "8080",
    bounds: [0, 65_535],
  }),
  name: text("Protocol of the app: http1 or h2c (HTTP/2 without TLS, needed for gRPC).", {
    values: ["", "http1", "h2c"],
    default: "http1",
    quietFor: ["http1"],
    fidelity: "accepted",
    note: "requests do not reach the app over HTTP/2 yet",
  }),
  protocol: text("TCP.", { values: ["TCP"], schemaDefault: "TCP", default: "TCP" }),
  hostPort: int32("Port on the node; not available.", { closed: true }),
  hostIP: text("Address on the node; not available.", { closed: true }),
});

const RESOURCES = shape("ResourceRequirements", {
  limits: quantities("Most that the container may use: cpu (500m, 1) and memory (512Mi)."),
  requests: quantities(
    "What is set aside for the container on a node. It places pods; here there is nothing to place.",
  ),
  claims: anything("Claims of devices.", { closed: true }),
});

const CAPABILITIES = shape("Capabilities", {
  add: texts("Capabilities to add.", { flag: "kubernetes.containerspec-addcapabilities" }),
  drop: texts("Capabilities to drop; ALL drops all."),
});

export const SECCOMP: Shape = shape("SeccompProfile", {
  type: text("RuntimeDefault, Unconfined or Localhost.", {
    keep: true,
    values: ["RuntimeDefault", "Unconfined", "Localhost"],
  }),
  localhostProfile: text("Path of the profile on the node.", { pointer: true }),
});

const NOT_APPLIED = "the emulator does not apply it";
const UID_BOUNDS = [0, 2_147_483_647] as const;

const SECURITY_CONTEXT = shape("SecurityContext", {
  runAsUser: int64("User ID of the process.", { pointer: true, bounds: UID_BOUNDS, fidelity: "emulated" }),
  runAsGroup: int64("Group ID of the process.", { pointer: true, bounds: UID_BOUNDS, fidelity: "emulated" }),
  runAsNonRoot: flag("Refuse to start as root.", { pointer: true, fidelity: "accepted", note: NOT_APPLIED }),
  readOnlyRootFilesystem: flag("Make the container's file system read-only.", {
    pointer: true,
    fidelity: "emulated",
  }),
  allowPrivilegeEscalation: flag("Whether the process can gain rights, e.g. by setuid programs.", {
    pointer: true,
    fidelity: "accepted",
    note: NOT_APPLIED,
  }),
  capabilities: object("Linux capabilities.", () => CAPABILITIES, {
    fidelity: "accepted",
    note: NOT_APPLIED,
  }),
  seccompProfile: object("Filter of system calls.", () => SECCOMP, {
    fidelity: "accepted",
    note: NOT_APPLIED,
  }),
  privileged: flag("Only false is allowed.", { pointer: true }),
  seLinuxOptions: anything("SELinux labels.", { closed: true, pointer: true }),
  windowsOptions: anything("Windows settings.", { closed: true, pointer: true }),
  procMount: text("How /proc is mounted.", { closed: true, pointer: true }),
  appArmorProfile: anything("AppArmor profile.", { closed: true, pointer: true }),
});

export const CONTAINER: Shape = shape("Container", {
  name: text("Name of the container.", {
    keep: true,
    default: "user-container, or user-container-0, -1, ... when there are several",
  }),
  image: text("Image reference, e.g. registry.example.com/team/app:1.2.3."),
  command: texts(
    "Program and its first arguments instead of the image's ENTRYPOINT; without args it drops the image's CMD as well.",
  ),
  args: texts("Arguments instead of the image's CMD."),
  workingDir: text("Directory in which the process starts.", { default: "the image's WORKDIR" }),
  env: list("Environment variables.", () => ENV_VAR, { mapKeys: ["name"] }),
  envFrom: list("Whole ConfigMaps and Secrets as environment variables.", () => ENV_FROM),
  ports: list(
    "The one port of the app. In a Service with several containers exactly one container has it.",
    () => PORT,
  ),
  resources: embedded("What the container may use.", () => RESOURCES),
  readinessProbe: object("Decides when an instance may get requests.", () => PROBE, {
    default: "a TCP connection to the port",
  }),
  livenessProbe: object("Decides when an instance is restarted.", () => PROBE),
  startupProbe: object("Holds the other probes back until the app has started.", () => PROBE),
  volumeMounts: list("Where volumes appear in the container.", () => VOLUME_MOUNT, {
    mapKeys: ["mountPath"],
  }),
  imagePullPolicy: text("Always, IfNotPresent or Never.", {
    values: ["Always", "IfNotPresent", "Never"],
    fidelity: "emulated",
  }),
  securityContext: object("Rights of the process.", () => SECURITY_CONTEXT),
  terminationMessagePath: text("File whose text explains the end of the process.", {
    fidelity: "accepted",
    note: "the last log lines are shown instead",
  }),
  terminationMessagePolicy: text("Where that text comes from.", {
    values: ["File", "FallbackToLogsOnError"],
    fidelity: "accepted",
    note: "the last log lines are shown instead",
  }),
  lifecycle: anything("Hooks; not available.", { closed: true, pointer: true }),
  stdin: flag("Keep stdin open; not available.", { closed: true }),
  stdinOnce: flag("Close stdin after the first attach; not available.", { closed: true }),
  tty: flag("Allocate a terminal; not available.", { closed: true }),
  volumeDevices: anything("Raw block devices; not available.", { closed: true }),
  resizePolicy: anything("Not available.", { closed: true }),
  restartPolicy: text("Not available.", { closed: true, pointer: true }),
  restartPolicyRules: anything("Not available.", { closed: true }),
});
