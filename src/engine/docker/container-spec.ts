/** From an InstanceRun to what the engine is asked to create. Pure. */
import type Docker from "dockerode";
import type { ContainerRun, StandbyRun } from "../engine.ts";
import type { EngineFacts } from "./facts.ts";
import { LABEL } from "./labels.ts";

export interface SpecOptions {
  /** Labels of the session. */
  readonly labels: Readonly<Record<string, string>>;
  /** Put an init process in front (see `wantsInit`). */
  readonly init: boolean;
  /** Publish the port on this address of the engine's machine; absent: the container is reached directly. */
  readonly publishOn?: string;
  readonly product: EngineFacts["product"];
  /** Name the platform, where the engine's own is another. */
  readonly platform?: string;
}

export type ContainerSpec = Docker.ContainerCreateOptions;

/** With period and quota rather than NanoCpus: an engine that has the one refuses to change the other later. */
const CPU_PERIOD_US = 100_000;
/** The kernel takes no less than one thousandth of a second. */
const SMALLEST_QUOTA_US = 1000;

/**
 * 169.254.169.254 belongs to the container itself. Otherwise an app that asks for the metadata server on a developer's
 * cloud machine would get that machine's real credentials. Podman ignores the setting without a word.
 */
const OWN_METADATA_ADDRESS = "169.254.169.254";

/** Linux's limit for a host name. Kubernetes cuts a pod's name to it in the same way. */
const LONGEST_HOST_NAME = 63;

/** Programs that want to be PID 1 themselves, or that do an init's work. */
const INITS = new Set([
  "tini",
  "tini-static",
  "dumb-init",
  "docker-init",
  "catatonit",
  "init",
  "my_init",
  "systemd",
  "s6-svscan",
]);

export function containerSpec(run: StandbyRun, options: SpecOptions): ContainerSpec {
  const { main } = run;
  const port = `${run.port}/tcp`;
  return {
    name: run.name,
    Hostname: run.name.slice(0, LONGEST_HOST_NAME).replace(/[-.]+$/, ""),
    Image: main.artifact.id,
    ...(options.platform === undefined ? {} : { platform: options.platform }),
    ...commandOf(main),
    Env: environmentOf(main),
    ...(main.workingDir === undefined ? {} : { WorkingDir: main.workingDir }),
    ...(main.user === undefined ? {} : { User: main.user }),
    Labels: {
      ...options.labels,
      [LABEL.service]: run.service,
      [LABEL.revision]: run.revision,
      [LABEL.role]: "app",
    },
    Tty: false,
    OpenStdin: false,
    AttachStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    // Knative ignores an image's HEALTHCHECK.
    Healthcheck: { Test: ["NONE"] },
    ExposedPorts: { [port]: {} },
    HostConfig: hostConfig(run, options),
    ...(options.product === "docker" ? ownMetadata() : {}),
  };
}

function hostConfig(
  { main, port }: StandbyRun,
  { init, product, publishOn }: SpecOptions,
): Docker.HostConfig {
  return {
    Init: init && wantsInit(argvOf(main)),
    // Bounded, and `docker logs` works. `local` costs half of json-file; Podman refuses names that it doesn't know.
    LogConfig: { Type: product === "docker" ? "local" : "json-file", Config: { "max-size": "10m" } },
    ReadonlyRootfs: main.readOnlyRootFilesystem ?? false,
    ...(publishOn === undefined
      ? {}
      : { PortBindings: { [`${port}/tcp`]: [{ HostIp: publishOn, HostPort: "" }] } }),
    ...limitsOf(main),
    ...storageOf(main),
  };
}

/** What the container executes, as the kubelet computes it. An empty list counts as absent. */
export function argvOf(run: ContainerRun): readonly string[] {
  const command = run.command ?? [];
  const args = run.args ?? [];
  if (command.length > 0) return [...command, ...args];
  return [...run.artifact.entrypoint, ...(args.length > 0 ? args : run.artifact.cmd)];
}

/**
 * The gke contract ends an app that doesn't handle SIGTERM at once. The kernel ignores a signal without a handler for
 * PID 1, so an init process takes that place. Images that bring an init of their own keep it.
 */
export function wantsInit(argv: readonly string[]): boolean {
  const program = argv[0]?.split("/").pop() ?? "";
  return !INITS.has(program);
}

/** A path on a read-only root needs a volume to be written before the start; see files.ts. */
export function fileVolumes(run: ContainerRun): readonly string[] {
  if (run.readOnlyRootFilesystem !== true) return [];
  const folders = [
    ...new Set(run.files.map((file) => file.path.slice(0, file.path.lastIndexOf("/")) || "/")),
  ].sort();
  return folders.filter(
    (folder, index) => !folders.slice(0, index).some((outer) => folder.startsWith(`${outer}/`)),
  );
}

function commandOf(run: ContainerRun): Pick<ContainerSpec, "Entrypoint" | "Cmd"> {
  const command = run.command ?? [];
  const args = run.args ?? [];
  // The engine drops the image's CMD by itself when an entrypoint is given.
  if (command.length > 0) return { Entrypoint: [...command], Cmd: [...args] };
  return args.length > 0 ? { Cmd: [...args] } : {};
}

function environmentOf(run: ContainerRun): string[] {
  return [...new Map(run.env)].map(([name, value]) => `${name}=${value}`);
}

function limitsOf(run: ContainerRun): Docker.HostConfig {
  const { cpuMillis, memoryBytes } = run;
  return {
    ...(cpuMillis === undefined
      ? {}
      : {
          CpuPeriod: CPU_PERIOD_US,
          CpuQuota: Math.max(SMALLEST_QUOTA_US, Math.round((cpuMillis * CPU_PERIOD_US) / 1000)),
        }),
    // No swap on top: Kubernetes' nodes have none.
    ...(memoryBytes === undefined ? {} : { Memory: memoryBytes, MemorySwap: memoryBytes }),
  };
}

/** An emptyDir is a tmpfs: a volume belongs to root with 0755, so that an app of another user couldn't write. */
function storageOf(run: ContainerRun): Docker.HostConfig {
  const volumes = fileVolumes(run);
  return {
    ...(run.emptyDirs.length === 0
      ? {}
      : {
          Tmpfs: Object.fromEntries(
            run.emptyDirs.map((folder) => [folder, "rw,exec,nosuid,nodev,mode=0777"]),
          ),
        }),
    ...(volumes.length === 0
      ? {}
      : { Mounts: volumes.map((Target) => ({ Type: "volume" as const, Source: "", Target })) }),
  };
}

function ownMetadata(): Pick<ContainerSpec, "NetworkingConfig"> {
  return {
    NetworkingConfig: {
      EndpointsConfig: { bridge: { IPAMConfig: { LinkLocalIPs: [OWN_METADATA_ADDRESS] } } },
    },
  };
}
