import type { Clock } from "../../kernel/clock.ts";
import { KserveLocalError, messageOf } from "../../kernel/errors.ts";
import type {
  Artifact,
  Engine,
  EngineDescription,
  EngineInstance,
  ImageSource,
  InstanceRun,
  PrepareOptions,
} from "../engine.ts";
import { FreePorts } from "./free-port.ts";
import { argvOf, commandOnHost, environment, type HostLayout, onHost } from "./host-layout.ts";
import { HostInstance } from "./instance.ts";
import { prepareOnHost } from "./prepare.ts";
import { defaultStateDirectory, ProcessRecords } from "./process-records.ts";
import { type HostCommand, hopeless, spawnOnHost, startFailure } from "./spawn.ts";
import { HOST_PROCESS_NOTICE } from "./unsupported.ts";
import { Watchdog } from "./watchdog.ts";

export interface ProcessEngineOptions {
  readonly clock: Clock;
  /** Names this run of kserve-local in the records; letters, digits and dashes. */
  readonly session: string;
  /** The user's environment; default: this process's. Only a small part of it reaches the apps. */
  readonly env?: NodeJS.ProcessEnv;
  /** Where records of running processes are kept; made with mode 0700. Default: by user, in a temporary place. */
  readonly stateDirectory?: string;
}

/**
 * Runs instances as processes of this machine. Limits, which no amount of care here removes: no image, so no base
 * image's files or ENTRYPOINT; no limits of memory and CPU, no other user (`unsupportedByProcess` lists them); a port of
 * its own for each instance in PORT, so that an argument into which the manifest wrote the container port, also by
 * `$(PORT)`, names the wrong one; a process that leaves its process group by itself isn't found again.
 */
export function createProcessEngine(options: ProcessEngineOptions): Engine {
  return new ProcessEngine(options);
}

class ProcessEngine implements Engine {
  readonly description: EngineDescription = {
    kind: "process",
    title: "processes of this machine",
    hostAccess: { listen: "127.0.0.1", reach: "127.0.0.1" },
  };
  readonly #clock: Clock;
  readonly #env: NodeJS.ProcessEnv;
  readonly #records: ProcessRecords;
  readonly #watchdog = new Watchdog();
  readonly #ports = new FreePorts();
  /** By artifact id: what the paths of the image mean here. */
  readonly #layouts = new Map<string, HostLayout>();
  readonly #instances = new Set<HostInstance>();
  readonly #unsettled = new Set<Promise<void>>();
  #noticed = false;
  #closing: Promise<void> | undefined;

  constructor(options: ProcessEngineOptions) {
    this.#clock = options.clock;
    this.#env = options.env ?? process.env;
    const directory = options.stateDirectory ?? defaultStateDirectory(this.#env);
    this.#records = new ProcessRecords({ directory, session: options.session });
  }

  async prepare(source: ImageSource, options: PrepareOptions): Promise<Artifact> {
    const { artifact, layout } = await prepareOnHost(source, options, this.#env);
    this.#layouts.set(artifact.id, layout);
    await this.#notice(options);
    return artifact;
  }

  start(run: InstanceRun, signal: AbortSignal): Promise<EngineInstance> {
    const starting = this.#start(run, signal);
    this.#holdClose(starting);
    return starting;
  }

  async sweep(): Promise<number> {
    return this.#records.sweep();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #start(run: InstanceRun, signal: AbortSignal): Promise<EngineInstance> {
    const throwIfUnwanted = (): void => {
      signal.throwIfAborted();
      if (this.#closing === undefined) return;
      throw new KserveLocalError("engine-lost", { what: `${run.name} can't start: the session is ending` });
    };
    throwIfUnwanted();
    const { artifact } = run.main;
    const layout = this.#layouts.get(artifact.id) ?? { directory: artifact.workingDir, imageDirectory: "/" };
    const reserved = await this.#ports.reserve();
    try {
      const command = this.#command(run, layout, reserved.port);
      throwIfUnwanted();
      const instance = await this.#launch(run, command, layout, reserved.port);
      void instance.exited.then(() => reserved.release());
      if (signal.aborted) await instance.stop(0);
      throwIfUnwanted();
      return instance;
    } catch (error) {
      reserved.release();
      throw error;
    }
  }

  #command(run: InstanceRun, layout: HostLayout, port: number): HostCommand {
    const { artifact, env, workingDir } = run.main;
    const command: HostCommand = {
      argv: commandOnHost(argvOf(run.main), layout),
      cwd: workingDir === undefined ? layout.directory : onHost(workingDir, layout),
      env: environment({ host: this.#env, image: artifact.env, run: env, port }, layout),
    };
    const reason = hopeless(command);
    if (reason !== undefined) throw reason;
    return command;
  }

  async #launch(
    run: InstanceRun,
    command: HostCommand,
    layout: HostLayout,
    port: number,
  ): Promise<HostInstance> {
    const { process: child, begun } = spawnOnHost(command);
    const pid = child.pid;
    if (pid === undefined) throw startFailure(command, await begun);
    const forget = this.#track(pid);
    const instance = new HostInstance({
      process: child,
      pid,
      command,
      layout,
      address: { host: "127.0.0.1", port, connectProves: true },
      clock: this.#clock,
      onLine: (stream, line) => run.onLog({ container: run.main.name, stream, line }),
      track: (other) => this.#track(other),
    });
    this.#instances.add(instance);
    const recorded = this.#records.add(pid, run.name);
    void instance.exited.then(() => {
      this.#instances.delete(instance);
      forget();
      this.#holdClose(recorded.then(() => this.#records.remove(pid)));
    });
    await Promise.all([begun, recorded]);
    return instance;
  }

  /** Puts a group under the watchdog. */
  #track(pid: number): () => void {
    this.#watchdog.add(pid, this.#records.path(pid));
    return () => this.#watchdog.remove(pid);
  }

  /** `close` waits for this, however it ends. */
  #holdClose(work: Promise<unknown>): void {
    const settled = work.then(
      () => undefined,
      () => undefined,
    );
    this.#unsettled.add(settled);
    void settled.then(() => this.#unsettled.delete(settled));
  }

  async #notice(options: PrepareOptions): Promise<void> {
    if (this.#noticed) return;
    this.#noticed = true;
    options.onProgress({ kind: "notice", message: HOST_PROCESS_NOTICE });
    try {
      await this.#records.open();
    } catch (error) {
      const consequence =
        "should kserve-local and its watchdog both be killed, processes of yours may be left running";
      options.onProgress({ kind: "notice", message: `${messageOf(error)}; ${consequence}` });
    }
  }

  async #close(): Promise<void> {
    const stopAll = (): Promise<unknown> =>
      Promise.all([...this.#instances].map((instance) => instance.stop(0)));
    await stopAll();
    await Promise.all(this.#unsettled);
    await stopAll();
    await Promise.all(this.#unsettled);
    await this.#watchdog.close();
  }
}
