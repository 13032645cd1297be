/**
 * What a revision needs from the thing that runs containers, in our own types. Three implementations keep this
 * contract: docker/, process/ and the fake of the tests; test/suites/engine-suite.ts is the contract as a test.
 * All durations are ms of the injected Clock.
 */

/** Where an image comes from. */
export type ImageSource = BuildSource | ReferenceSource | HostSource;

export interface BuildSource {
  readonly kind: "build";
  /** Absolute path of the build context. */
  readonly context: string;
  /** Path of the Dockerfile relative to the context, `/`-separated. */
  readonly dockerfile: string;
  readonly target?: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Name:tag that the built image gets. */
  readonly tag: string;
  /** Fetch the base images anew (`--pull always`). */
  readonly pullBase: boolean;
}

/** Source on the host, run without an image (process engine only). */
export interface HostSource {
  readonly kind: "host";
  /** Absolute path: the working directory, and what `id` is computed over. */
  readonly directory: string;
  /** Dockerfile relative to `directory` whose last stage gives ENTRYPOINT, CMD, ENV and WORKDIR; absent = none. */
  readonly dockerfile?: string;
  /** The manifest's image, for messages. */
  readonly reference: string;
}

export type PullPolicy = "always" | "missing" | "never";

export interface ReferenceSource {
  readonly kind: "reference";
  readonly reference: string;
  readonly pull: PullPolicy;
}

/** An image that is ready to run: pinned, inspected, of the right platform. */
export interface Artifact {
  /** Engine's id of the content, e.g. `sha256:…`; equal ids run equal code. */
  readonly id: string;
  /** The reference as the user knows it. */
  readonly reference: string;
  /** `repo@sha256:…` where a registry gave one. */
  readonly digest?: string;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly env: ReadonlyArray<readonly [name: string, value: string]>;
  readonly workingDir: string;
  readonly user: string;
  /** e.g. `["8080/tcp"]`. */
  readonly exposedPorts: readonly string[];
  readonly sizeBytes: number;
}

export type PrepareProgress =
  /** A step began or ended: `[2/5] RUN npm ci`. */
  | {
      readonly kind: "step";
      readonly name: string;
      readonly status: "start" | "done" | "cached" | "error";
      readonly durationMs?: number;
    }
  /** A line that a build step printed. */
  | { readonly kind: "output"; readonly step: string; readonly line: string }
  /** Bytes of a layer or context. `total` 0 = unknown. */
  | {
      readonly kind: "transfer";
      readonly id: string;
      readonly what: string;
      readonly current: number;
      readonly total: number;
    }
  | { readonly kind: "notice"; readonly message: string };

export interface PrepareOptions {
  readonly signal: AbortSignal;
  onProgress(progress: PrepareProgress): void;
}

/** A file that the platform puts into the container before its process starts (secret and configMap volumes). */
export interface ContainerFile {
  /** Absolute path in the container. */
  readonly path: string;
  readonly content: Uint8Array;
  /** Permission bits, e.g. 0o644. */
  readonly mode: number;
}

export interface ContainerRun {
  /** `user-container` or the manifest's name. */
  readonly name: string;
  readonly artifact: Artifact;
  /** Replaces the image's ENTRYPOINT (and drops its CMD) when given. */
  readonly command?: readonly string[];
  /** Replaces the image's CMD when given. */
  readonly args?: readonly string[];
  /** Complete and expanded; later entries win over the image's own. */
  readonly env: ReadonlyArray<readonly [name: string, value: string]>;
  readonly workingDir?: string;
  /** `uid` or `uid:gid`. */
  readonly user?: string;
  /** Hard limit in thousandths of a CPU. */
  readonly cpuMillis?: number;
  readonly memoryBytes?: number;
  readonly readOnlyRootFilesystem?: boolean;
  readonly files: readonly ContainerFile[];
  /** Empty writable directories (emptyDir), absolute paths. */
  readonly emptyDirs: readonly string[];
}

export interface InstanceRun {
  /** Unique name: the container's name and host name, e.g. `hello-00001-deployment-6b9f4d7c5f-x8k2p`. */
  readonly name: string;
  readonly service: string;
  readonly revision: string;
  /** The container that gets the requests, listening on `port`. */
  readonly main: ContainerRun;
  readonly port: number;
  /** Called for each line of the app, newline removed, in order; must not throw. */
  readonly onLog: (line: LogLine) => void;
}

/** A run that nobody has asked for yet. */
export type StandbyRun = Omit<InstanceRun, "onLog">;

export interface LogLine {
  readonly container: string;
  readonly stream: "stdout" | "stderr";
  readonly line: string;
}

/** How an instance is reached from this process. */
export interface Address {
  readonly host: string;
  readonly port: number;
  /**
   * False where something in between accepts a TCP connection before the app listens (a published port): there a
   * connect proves nothing and the readiness probe has to see that the connection stays open.
   */
  readonly connectProves: boolean;
}

export interface Exit {
  /** Exit code, 128+n for signal n; undefined where it can't be known any more. */
  readonly code?: number;
  readonly reason: "exited" | "oom" | "removed" | "engine-lost";
  /** True where we had to send SIGKILL because the grace period passed. */
  readonly killed: boolean;
}

export interface ExecResult {
  readonly exitCode: number;
  /** stdout and stderr together, at most the first 4 KiB. */
  readonly output: string;
}

/** A running instance. It has started when `start` resolves; whether it is ready is for the probe to say. */
export interface EngineInstance {
  /** The engine's id (container id, pid). */
  readonly id: string;
  readonly address: Address;
  /** Resolves when the main container has ended and its output is drained; never rejects. */
  readonly exited: Promise<Exit>;
  /** Runs a command inside the container (exec probes). Rejects on abort or when the instance is gone. */
  exec(command: readonly string[], signal: AbortSignal): Promise<ExecResult>;
  /** SIGTERM now, SIGKILL after `graceMs`, then removes everything. Repeated calls share the first run, but a shorter grace counts. */
  stop(graceMs: number): Promise<Exit>;
}

export interface EngineDescription {
  readonly kind: "docker" | "process" | "fake";
  /** For people: `Docker 28.5.2 at unix:///var/run/docker.sock`. */
  readonly title: string;
  /**
   * How a container reaches a listener of this process: we listen on `listen`, the container connects to `reach`.
   * Undefined where there is no such way.
   */
  readonly hostAccess?: { readonly listen: string; readonly reach: string };
}

export interface Engine {
  readonly description: EngineDescription;
  /** Builds, pulls or finds. Throws KserveLocalError with a code whose exit code is 4, or the signal's reason. */
  prepare(source: ImageSource, options: PrepareOptions): Promise<Artifact>;
  /** Creates and starts. Throws KserveLocalError `start-failed` with the cause in the user's words. */
  start(run: InstanceRun, signal: AbortSignal): Promise<EngineInstance>;
  /**
   * A hint: a start of this run, under this very name, is likely to come. An engine may prepare what it can short of executing
   * the app; `start` of an equal run then uses it; any other start is as always. The result takes the hint back and resolves when nothing
   * of what was prepared is left; after the start it does nothing. Repeating a hint says that the run is likely anew.
   */
  standby?(run: StandbyRun): () => Promise<void>;
  /** Removes what sessions that are dead have left. Resolves to the number of things removed; never throws for a single failure. */
  sweep(): Promise<number>;
  /** Stops and removes everything of this session at once and lets go of the engine. Idempotent. */
  close(): Promise<void>;
}
