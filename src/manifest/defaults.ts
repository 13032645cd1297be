/**
 * What Knative's mutating webhook fills in. Sources: knative/serving pkg/apis/serving/v1/
 * {service,configuration,route,revision}_defaults.go. Works on decoded objects, which it changes.
 */
import type { WebhookSettings } from "./platform.ts";
import type {
  Container,
  ContainerPort,
  Probe,
  ResourceList,
  RevisionSpec,
  TrafficTarget,
  Volume,
} from "./spec.ts";

type Mutable<T> =
  T extends ReadonlyArray<infer Item>
    ? Array<Mutable<Item>>
    : T extends object
      ? { -readonly [Key in keyof T]: Mutable<T[Key]> }
      : T;

export type MutableRevisionSpec = Mutable<RevisionSpec>;
type MutableContainer = Mutable<Container>;

export function defaultRevisionSpec(
  spec: MutableRevisionSpec,
  settings: WebhookSettings,
  parentName: string,
): void {
  if ((spec.timeoutSeconds ?? 0) === 0) spec.timeoutSeconds = settings.revisionTimeoutSeconds;
  defaultTimeouts(spec, settings);
  spec.containerConcurrency ??= settings.containerConcurrency;
  const containers = spec.containers ?? [];
  const inits = spec.initContainers ?? [];
  const names = new Set([...containers, ...inits].map((container) => container.name));
  nameContainers(containers, names, fromTemplate(settings.containerName, parentName));
  nameContainers(inits, names, fromTemplate(settings.initContainerName, parentName));
  const writable = new Set((spec.volumes ?? []).filter(isWritable).map((volume) => volume.name));
  if (settings.securePodDefaults !== "disabled") {
    for (const container of [...inits, ...containers])
      secure(container, spec, settings.securePodDefaults === "enabled");
  }
  for (const container of containers) {
    defaultContainer(container, containers.length === 1 || (container.ports ?? []).length > 0, settings);
    for (const mount of container.volumeMounts ?? []) if (!writable.has(mount.name)) mount.readOnly = true;
  }
  if (spec.enableServiceLinks === undefined && settings.enableServiceLinks !== undefined) {
    spec.enableServiceLinks = settings.enableServiceLinks;
  }
}

/** The platform's value counts where nothing is said, unless it is 0 or timeoutSeconds ends the request sooner. */
function defaultTimeouts(spec: MutableRevisionSpec, settings: WebhookSettings): void {
  const timeout = spec.timeoutSeconds ?? settings.revisionTimeoutSeconds;
  const start = settings.revisionResponseStartTimeoutSeconds;
  const idle = settings.revisionIdleTimeoutSeconds;
  if (start !== 0 && start < timeout) spec.responseStartTimeoutSeconds ??= start;
  if (idle !== 0 && idle < timeout) spec.idleTimeoutSeconds ??= idle;
}

/** Go templates over the parent's metadata; the one field that makes sense in a container name is {{.Name}}. */
function fromTemplate(template: string, parentName: string): string {
  return template.replaceAll(/\{\{\s*\.Name\s*\}\}/g, () => parentName);
}

function nameContainers(
  containers: readonly MutableContainer[],
  given: ReadonlySet<string>,
  base: string,
): void {
  let suffix = 0;
  for (const container of containers) {
    if (container.name !== "") continue;
    let name = base;
    if (containers.length > 1 || given.has(base)) {
      while (given.has(`${base}-${suffix}`)) suffix++;
      name = `${base}-${suffix}`;
      suffix++;
    }
    container.name = name;
  }
}

function isWritable(volume: Volume): boolean {
  return volume.emptyDir != null || volume.persistentVolumeClaim !== undefined || "ephemeral" in volume;
}

function defaultContainer(container: MutableContainer, serving: boolean, settings: WebhookSettings): void {
  const resources = container.resources ?? {};
  const requests: ResourceList = { ...settings.requests, ...resources.requests };
  const limits: ResourceList = { ...settings.limits, ...resources.limits };
  if (Object.keys(requests).length > 0) resources.requests = requests;
  if (Object.keys(limits).length > 0) resources.limits = limits;
  container.resources = resources;
  if (serving) container.readinessProbe ??= {};
  if (container.readinessProbe !== undefined) defaultReadiness(container.readinessProbe, serving);
}

/** What the flag secure-pod-defaults adds where nothing is said. */
function secure(
  container: MutableContainer,
  { securityContext: pod = {} }: MutableRevisionSpec,
  nonRoot: boolean,
): void {
  const own = container.securityContext ?? {};
  own.allowPrivilegeEscalation ??= false;
  if ((pod.seccompProfile?.type ?? "") === "" && (own.seccompProfile?.type ?? "") === "") {
    own.seccompProfile = { ...own.seccompProfile, type: "RuntimeDefault" };
  }
  if (own.capabilities === undefined) {
    const lowPort = (container.ports ?? []).some((port) => (port.containerPort ?? 0) < 1024);
    own.capabilities = { drop: ["ALL"], ...(lowPort ? { add: ["NET_BIND_SERVICE"] } : {}) };
  }
  if (nonRoot && pod.runAsNonRoot === undefined) own.runAsNonRoot ??= true;
  container.securityContext = own;
}

function defaultReadiness(probe: Mutable<Probe>, serving: boolean): void {
  const handlers = [probe.httpGet, probe.tcpSocket, probe.exec, probe.grpc];
  if (serving && handlers.every((handler) => handler === undefined)) probe.tcpSocket = { port: 0 };
  probe.successThreshold ??= 1;
  if ((probe.periodSeconds ?? 0) === 0) return;
  probe.timeoutSeconds ??= 1;
  probe.failureThreshold ??= 3;
}

export function defaultTraffic(
  traffic: ReadonlyArray<Mutable<TrafficTarget>> | undefined,
  forService: boolean,
): Array<Mutable<TrafficTarget>> | undefined {
  if (traffic === undefined || traffic.length === 0)
    return forService ? [{ latestRevision: true, percent: 100 }] : undefined;
  for (const target of traffic) {
    target.latestRevision ??= (target.revisionName ?? "") === "";
    target.percent ??= 0;
  }
  return [...traffic];
}

/** The port that the app listens on: 0 and absence mean 8080. */
export function servingPort(
  containers: readonly Container[],
): Required<Pick<ContainerPort, "name" | "containerPort">> {
  const ports = containers.flatMap((container) => container.ports?.slice(0, 1) ?? []);
  const port = ports.at(-1);
  return { name: port?.name || "http", containerPort: port?.containerPort || 8080 };
}
