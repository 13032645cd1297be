/** The Engine for Docker and what speaks its API. */
import type Docker from "dockerode";
import type { Clock } from "../../kernel/clock.ts";
import { KserveLocalError } from "../../kernel/errors.ts";
import type {
  Artifact,
  Engine,
  EngineDescription,
  EngineInstance,
  ImageSource,
  InstanceRun,
  PrepareOptions,
} from "../engine.ts";
import { bridgeSubnets, mayReachDirectly } from "./address.ts";
import { buildImage } from "./build.ts";
import { type DockerClient, engineFailure } from "./client.ts";
import type { CredentialSource } from "./credentials.ts";
import type { EngineFacts } from "./facts.ts";
import { findImage } from "./find.ts";
import { machineLiveness, ownIdentity, sessionLabels } from "./labels.ts";
import { type Starter, startInstance } from "./start.ts";
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
}

export class DockerEngine implements Engine {
  readonly description: EngineDescription;
  readonly #parts: DockerEngineParts;
  readonly #docker: Docker;
  /** Starts that have not come back: `close` waits for them, or it would miss their containers. */
  readonly #starting = new Set<Promise<unknown>>();
  readonly #running = new Set<EngineInstance>();
  readonly #closing = new AbortController();
  #starter: Promise<Starter> | undefined;
  #watchdog: Watchdog | undefined;
  #closed: Promise<void> | undefined;

  constructor(parts: DockerEngineParts) {
    this.#parts = parts;
    this.#docker = parts.client.docker;
    const { facts, hostAccess } = parts;
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
    const instance = await startInstance(await this.#prepareStart(), run, signal);
    this.#running.add(instance);
    void instance.removed.then(() => this.#running.delete(instance));
    return instance;
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
      await Promise.all([...this.#running].map((instance) => instance.stop(0)));
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

  #prepareStart(): Promise<Starter> {
    this.#starter ??= this.#makeStarter();
    return this.#starter;
  }

  async #makeStarter(): Promise<Starter> {
    const { facts, clock, session, around, watchdog } = this.#parts;
    this.#watchdog = watchdog();
    const subnets = facts.sharesNetwork ? await bridgeSubnets(this.#docker) : [];
    return {
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
  }
}
