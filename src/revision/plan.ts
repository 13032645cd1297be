/** Translates a Revision into what the engine runs and how the platform treats it. Pure. */
import type { Artifact, ContainerRun, InstanceRun } from "../engine/engine.ts";
import { KserveLocalError } from "../kernel/errors.ts";
import { cpuMillis, quantityBytes } from "../manifest/quantity.ts";
import type { Container, Probe, SecurityContext } from "../manifest/spec.ts";
import { LABELS, type StoredRevision } from "../resources/objects.ts";
import { type ConfigLookup, containerEnv } from "./env.ts";
import { expand } from "./expand.ts";
import { containerVolumes } from "./volumes.ts";

/** Where the port is not named (BEHAVIOUR 2.2). */
const DEFAULT_PORT = 8080;
/** Where a revision carries no timeoutSeconds, which defaulting normally sets. */
const DEFAULT_TIMEOUT_SECONDS = 300;

/** Everything about a revision that does not change while it lives. Durations in ms of platform time. */
export interface RevisionPlan {
  readonly name: string;
  readonly uid: string;
  readonly service: string;
  readonly namespace: string;
  readonly port: number;
  /** Port named h2c: the app speaks HTTP/2 with prior knowledge. */
  readonly h2c: boolean;
  readonly run: Omit<InstanceRun, "name" | "onLog">;
  readonly readinessProbe: Probe;
  readonly livenessProbe?: Probe;
  readonly startupProbe?: Probe;
  /** 0 = no limit. */
  readonly containerConcurrency: number;
  readonly timeoutMs: number;
  /** Off when undefined. */
  readonly responseStartTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface PlanOptions {
  readonly artifact: Artifact;
  readonly lookup: ConfigLookup;
  /** Entries of `--env-file`: they win over the manifest's env, never over the platform's own. */
  readonly extraEnv: ReadonlyArray<readonly [string, string]>;
  /** The command after `--` (process engine), in place of the manifest's. */
  readonly command?: readonly string[];
  /** Changes env values before they are used, e.g. cluster-local URLs where the engine can't resolve them. */
  readonly mapEnvValue?: (value: string) => string;
}

/** The container that gets the requests: the one with a port, else the only one. */
export function mainContainer(revision: { readonly spec: StoredRevision["spec"] }): Container {
  const { containers } = revision.spec;
  const main = containers.find((container) => (container.ports ?? []).length > 0) ?? containers[0];
  if (main === undefined) throw new KserveLocalError("internal", { what: "a revision without containers" });
  return main;
}

/** @throws KserveLocalError `manifest-invalid` for several containers, which are not run yet */
export function requireOneContainer(name: string, spec: StoredRevision["spec"]): void {
  if (spec.containers.length <= 1) return;
  throw new KserveLocalError("manifest-invalid", {
    what: `${name} has ${spec.containers.length} containers; kserve-local runs one for each instance so far`,
    why: `they are ${spec.containers.map((container) => container.name).join(", ")}; the manifest itself is valid on a cluster`,
    fix: "run a manifest with the serving container alone, for example a service.dev.yaml beside service.yaml",
  });
}

export function planRevision(revision: StoredRevision, options: PlanOptions): RevisionPlan {
  const { metadata, spec } = revision;
  const main = mainContainer(revision);
  requireOneContainer(metadata.name, spec);
  const configuration = metadata.labels?.[LABELS.configuration] ?? metadata.name;
  const service = metadata.labels?.[LABELS.service] ?? configuration;
  const port = main.ports?.[0]?.containerPort || DEFAULT_PORT;
  const env = containerEnv(
    main,
    { service, revision: metadata.name, configuration, port },
    options.lookup,
    options.extraEnv,
  ).map(([name, value]): readonly [string, string] => [name, options.mapEnvValue?.(value) ?? value]);
  const seconds = (value: number | undefined): number | undefined => (value ? value * 1000 : undefined);
  const responseStart = seconds(spec.responseStartTimeoutSeconds);
  const idle = seconds(spec.idleTimeoutSeconds);
  return {
    name: metadata.name,
    uid: metadata.uid,
    service,
    namespace: metadata.namespace,
    port,
    h2c: main.ports?.[0]?.name === "h2c",
    run: {
      service,
      revision: metadata.name,
      main: containerRun(main, spec.securityContext, env, revision, options),
      port,
    },
    readinessProbe: main.readinessProbe ?? { tcpSocket: {}, periodSeconds: 0, successThreshold: 1 },
    ...(main.livenessProbe === undefined ? {} : { livenessProbe: main.livenessProbe }),
    ...(main.startupProbe === undefined ? {} : { startupProbe: main.startupProbe }),
    containerConcurrency: spec.containerConcurrency ?? 0,
    timeoutMs: (spec.timeoutSeconds || DEFAULT_TIMEOUT_SECONDS) * 1000,
    ...(responseStart === undefined ? {} : { responseStartTimeoutMs: responseStart }),
    ...(idle === undefined ? {} : { idleTimeoutMs: idle }),
    annotations: metadata.annotations ?? {},
  };
}

function containerRun(
  container: Container,
  podSecurity: SecurityContext | undefined,
  env: ContainerRun["env"],
  revision: StoredRevision,
  options: PlanOptions,
): ContainerRun {
  const values = new Map(env);
  const expanded = (words: readonly string[]): string[] =>
    words.map((word) => expand(word, (name) => values.get(name)));
  const command = options.command ?? (container.command?.length ? expanded(container.command) : undefined);
  const args = options.command === undefined && container.args?.length ? expanded(container.args) : undefined;
  const limits = container.resources?.limits ?? {};
  const user = container.securityContext?.runAsUser ?? podSecurity?.runAsUser;
  const group = container.securityContext?.runAsGroup ?? podSecurity?.runAsGroup;
  const cpu = limits["cpu"] === undefined ? undefined : cpuMillis(limits["cpu"]);
  const memory = limits["memory"] === undefined ? undefined : quantityBytes(limits["memory"]);
  const volumes = containerVolumes(container, revision.spec.volumes ?? [], options.lookup);
  return {
    name: container.name,
    artifact: options.artifact,
    env,
    ...(command === undefined ? {} : { command }),
    ...(args === undefined ? {} : { args }),
    ...(container.workingDir ? { workingDir: container.workingDir } : {}),
    ...(user === undefined ? {} : { user: group === undefined ? String(user) : `${user}:${group}` }),
    ...(cpu === undefined ? {} : { cpuMillis: cpu }),
    ...(memory === undefined ? {} : { memoryBytes: memory }),
    ...(container.securityContext?.readOnlyRootFilesystem === true ? { readOnlyRootFilesystem: true } : {}),
    files: volumes.files,
    emptyDirs: volumes.emptyDirs,
  };
}
