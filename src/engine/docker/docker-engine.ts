/** The Engine for Docker and what speaks its API. */
import type Docker from "dockerode";
import type { Clock } from "../../kernel/clock.ts";
import { isKserveLocalError, KserveLocalError } from "../../kernel/errors.ts";
import type {
  Artifact,
  Engine,
  EngineDescription,
  EngineInstance,
  ImageSource,
  InstanceRun,
  PrepareOptions,
  StandbyRun,
} from "../engine.ts";
import { bridgeSubnets, mayReachDirectly } from "./address.ts";
import { buildImage } from "./build.ts";
import { type DockerClient, engineFailure } from "./client.ts";
import type { CredentialSource } from "./credentials.ts";
import type { EngineFacts } from "./facts.ts";
import { findImage } from "./find.ts";
import { GatedStarter, startGated } from "./gated-start.ts";
import { machineLiveness, ownIdentity, sessionLabels } from "./labels.ts";
import { Standby } from "./standby.ts";
import { type Starter, startInstance } from "./start.ts";
import type { DockerInstance } from "./instance.ts";
import { sweepDead, sweepSession } from "./sweep.ts";
import type { Watchdog } from "./watchdog.ts";

export interface DockerEngineParts {
  readonly client: DockerClient;
  readonly facts: EngineFacts;
  readonly hostAccess: EngineDescription["hostAccess"];
  readonly clock: Clock;
  /** Names everything this engine makes. */
  readonly session: string;
  readonly around: CredentialSource;
  /** Started with the first container, so that commands that only build need none. */
  readonly watchdog: () => Watchdog | undefined;
  readonly filesystem: Filesystem;
  /** Most containers that wait for a start that is likely to come. */
  readonly standby: number;
  /** For people, each at most once. */
  readonly onNotice: (message: string) => void;
}

/** Where what an app writes goes: to memory, as on the platform, or to the container's layer. */
export type Filesystem = "memory" | "disk";

export class DockerEngine implements Engine {
  readonly description: EngineDescription;
  readonly #parts: DockerEngineParts;
  readonly #docker: Docker;
  /** Starts that have not come back: `close` waits for them, or it would miss their containers. */
  readonly #starting = new Set<Promise<unknown>>();
  readonly #running = new Set<EngineInstance>();
  readonly #closing = new AbortController();
  readonly #standby: Standby | undefined;
  #starter: Promise<GatedStarter> | undefined;
  #watchdog: Watchdog | undefined;
  #saidOnDisk = false;
  #closed: Promise<void> | undefined;

  constructor(parts: DockerEngineParts) {
    this.#parts = parts;
    this.#docker = parts.client.docker;
    const { facts, hostAccess, standby: most, clock, onNotice } = parts;
    const prepare = async (run: StandbyRun, signal: AbortSignal) =>
      startGated(await this.#prepareStart(), run, signal);
    this.#standby = most > 0 ? new Standby({ most, clock, prepare, onNotice }) : undefined;
    this.description = {
      kind: "docker",
      title: facts.title,
      ...(hostAccess === undefined ? {} : { hostAccess }),
    };
  }

  async prepare(source: ImageSource, options: PrepareOptions): Promise<Artifact> {
    options.signal.throwIfAborted();
    const { facts, around } = this.#parts;
    switch (source.kind) {
      case "reference":
        return findImage(this.#docker, source, around, options);
      case "build":
        return buildImage(this.#docker, source, facts, around, options);
      case "host":
        throw new KserveLocalError("internal", { what: "The docker engine can't run a program of the host" });
    }
  }

  start(run: InstanceRun, signal: AbortSignal): Promise<EngineInstance> {
    if (this.#closed !== undefined)
      return Promise.reject(new KserveLocalError("start-failed", { what: "The engine is being closed" }));
    const either = AbortSignal.any([signal, this.#closing.signal]);
    const start = this.#start(run, either);
    this.#starting.add(start);
    const forget = (): void => void this.#starting.delete(start);
    start.then(forget, forget);
    return start;
  }

  async #start(run: InstanceRun, signal: AbortSignal): Promise<EngineInstance> {
    const kit = await this.#prepareStart();
    const instance = await this.#startAnyhow(kit, run, signal);
    this.#running.add(instance);
    void instance.removed.then(() => this.#running.delete(instance));
    this.#sayOnDisk(kit);
    return instance;
  }

  async #startAnyhow(kit: GatedStarter, run: InstanceRun, signal: AbortSignal): Promise<DockerInstance> {
    const { onLog, ...standbyRun } = run;
    const waiting = await this.#standby?.take(standbyRun, signal);
    if (waiting !== undefined) return waiting.use(onLog);
    if (kit.memory && run.main.readOnlyRootFilesystem !== true)
      try {
        return (await startGated(kit, run, signal)).use(onLog);
      } catch (error) {
        signal.throwIfAborted();
        // The user's mistakes are told by the plain start; so is an engine that is gone.
        if (!isKserveLocalError(error, "start-failed")) kit.refuseMemory(error);
      }
    return startInstance(kit.starter, run, signal);
  }

  #sayOnDisk(kit: GatedStarter): void {
    if (kit.refusal === undefined || this.#saidOnDisk) return;
    this.#saidOnDisk = true;
    this.#parts.onNotice(
      `--filesystem memory: this engine can't do it, so what apps write goes to disk (${kit.refusal})`,
    );
  }

  standby(run: StandbyRun): () => Promise<void> {
    return this.#closed === undefined && this.#standby !== undefined
      ? this.#standby.keep(run)
      : () => Promise.resolve();
  }

  sweep(): Promise<number> {
    // What can't be listed or removed now is found again next time.
    return sweepDead(this.#docker, machineLiveness()).catch(() => 0);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort(new KserveLocalError("start-failed", { what: "The engine is being closed" }));
    await Promise.allSettled(this.#starting);
    try {
      const stops = [...this.#running].map((instance) => instance.stop(0));
      await Promise.all([this.#standby?.close(), ...stops]);
      // Whatever else carries our label, such as a container whose creation was cut short.
      if (this.#starter !== undefined) await sweepSession(this.#docker, this.#parts.session);
      this.#watchdog?.dismiss();
    } catch (error) {
      // The watchdog stays, and tries again when this process is gone.
      throw engineFailure(error, "removing the session's containers");
    } finally {
      this.#parts.client.destroy();
    }
  }

  #prepareStart(): Promise<GatedStarter> {
    this.#starter ??= this.#makeStarter();
    return this.#starter;
  }

  async #makeStarter(): Promise<GatedStarter> {
    const { facts, clock, session, around, watchdog, filesystem } = this.#parts;
    this.#watchdog = watchdog();
    const subnets = facts.sharesNetwork ? await bridgeSubnets(this.#docker) : [];
    const starter: Starter = {
      docker: this.#docker,
      facts,
      clock,
      labels: sessionLabels(ownIdentity(session)),
      learned: {
        direct: await mayReachDirectly(facts, subnets, around.env),
        init: facts.init,
      },
      checked: new Set(),
    };
    return new GatedStarter(starter, filesystem === "memory");
  }
}
