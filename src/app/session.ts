/** One running emulator, from the engine to the ingress: opened, given manifests, closed. */
import { randomUUID } from "node:crypto";
import type { Engine } from "../engine/engine.ts";
import { type Clock, systemClock } from "../kernel/clock.ts";
import { EventBus } from "../kernel/event-bus.ts";
import type { Manifest } from "../manifest/judge.ts";
import type { PlatformEvent, PlatformEventBody } from "../resources/events.ts";
import { type Assembly, type AssemblyOptions, assemble } from "./assemble.ts";
import { type EngineChoice, chooseEngine } from "./choose-engine.ts";
import { servicesIn } from "./documents.ts";
import type { UsedContext } from "./deployment.ts";

export interface SessionOptions extends AssemblyOptions {
  readonly engine: EngineChoice;
  /** How many times faster than real time the platform's clock runs. */
  readonly timeScale: number;
  /** Most containers that wait for a start that is likely to come. */
  readonly standby: number;
  /** Where what apps write goes. */
  readonly filesystem: "memory" | "disk";
  /** Receives every event from the first on. */
  onEvent(event: PlatformEvent): void;
}

export class Session {
  readonly #parts: Assembly;
  #closing: Promise<void> | undefined;

  /** Chooses the engine, sweeps what dead sessions left, and listens. @throws KserveLocalError */
  static async open(options: SessionOptions, realClock: Clock): Promise<Session> {
    const id = randomUUID();
    const clock = systemClock(options.timeScale);
    const bus = new EventBus<PlatformEvent>();
    bus.subscribe((event) => options.onEvent(event));
    const emit = (event: PlatformEventBody): void => bus.emit({ time: realClock.now(), ...event });
    const { engine, reason } = await chooseEngine(options.engine, {
      clock,
      session: id,
      hasCommand: options.command !== undefined,
      standby: options.standby,
      filesystem: options.filesystem,
      onNotice: (message) => emit({ type: "notice", message }),
    });
    try {
      emit({
        type: "engine.chosen",
        engine: engine.description.kind,
        title: engine.description.title,
        reason,
      });
      await sweep(engine, emit);
      const parts = await assemble({ engine, clock, realClock, emit }, options);
      const { port } = parts;
      if (options.port !== 0 && port !== options.port)
        emit({
          type: "notice",
          message: `port ${options.port} is taken, so this listens on ${port} (--strict-port refuses instead)`,
        });
      emit({
        type: "session.started",
        session: id,
        url: `http://localhost:${port}`,
        port,
        profile: options.profile,
        timeScale: options.timeScale,
      });
      return new Session(parts);
    } catch (error) {
      await engine.close();
      throw error;
    }
  }

  private constructor(parts: Assembly) {
    this.#parts = parts;
  }

  get engineKind(): Engine["description"]["kind"] {
    return this.#parts.engine.description.kind;
  }

  /** Says something in the session's name. */
  emit(event: PlatformEventBody): void {
    this.#parts.emit(event);
  }

  /** The build contexts of a valid manifest. @throws KserveLocalError `usage` */
  contexts(manifest: Manifest): readonly UsedContext[] {
    return this.#parts.deployment.contexts(manifest.documents);
  }

  /** Builds and applies a valid manifest; the controllers do the rest. @throws KserveLocalError where a build fails */
  async apply(manifest: Manifest, rebuild: "all" | ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    const { settings, clusterUrls, deployment } = this.#parts;
    settings.autoscaler = manifest.platform.autoscaler;
    await clusterUrls.prepare(servicesIn(manifest.documents));
    await deployment.apply(manifest.documents, rebuild, signal);
  }

  /** Resolves when every service is ready. @throws why one is not */
  ready(signal: AbortSignal): Promise<void> {
    return this.#parts.reports.allReady(signal);
  }

  /** Where a service answers, as a URL that every client can resolve: a listener of its own where there are several. */
  async directUrl(service: { readonly namespace: string; readonly name: string }): Promise<string> {
    const { store, ingress, port } = this.#parts;
    if (store.list("Service").length === 1) return `http://127.0.0.1:${port}`;
    return `http://127.0.0.1:${await ingress.listenFor(service, "127.0.0.1")}`;
  }

  /** Instances that are not gone yet, for the shutdown to name. */
  get instances(): ReadonlyArray<{
    readonly name: string;
    readonly state: string;
    readonly inFlight: number;
  }> {
    return this.#parts.revisions.runtimes.flatMap((runtime) => runtime.instances);
  }

  /**
   * Ends everything: no new requests, those in flight finish, SIGTERM, grace, SIGKILL. With `now` nothing is waited
   * for, also not by an ending that has begun. Resolves when nothing is left.
   */
  close(reason: string, options: { readonly now?: boolean } = {}): Promise<void> {
    this.#closing ??= this.#end(reason);
    return options.now === true ? this.#hurry(reason).then(() => this.#closing) : this.#closing;
  }

  async #end(reason: string): Promise<void> {
    const { emit, engine, ingress, activator, revisions, controllers, reports } = this.#parts;
    emit({ type: "session.stopping", reason });
    sayWhatIsWaitedFor(revisions.runtimes, emit);
    reports.close();
    activator.close();
    const ingressClosed = ingress.close();
    try {
      await Promise.all([controllers.close(), revisions.close(reason)]);
    } finally {
      ingress.destroy();
      await ingressClosed;
      await engine.close();
    }
  }

  async #hurry(reason: string): Promise<void> {
    const { ingress, revisions } = this.#parts;
    ingress.destroy();
    await revisions.close(reason, { now: true });
  }
}

/** A graceful end can take as long as a request may: nobody should wonder what it waits for. */
function sayWhatIsWaitedFor(
  runtimes: Assembly["revisions"]["runtimes"],
  emit: (event: PlatformEventBody) => void,
): void {
  for (const { plan, instances } of runtimes) {
    const inFlight = instances.reduce((sum, instance) => sum + instance.inFlight, 0);
    if (inFlight === 0) continue;
    const requests = inFlight === 1 ? "a request" : `${inFlight} requests`;
    emit({
      type: "notice",
      message: `waiting for ${requests} in flight on ${plan.name}, up to ${plan.timeoutMs / 1000} s of platform time; another Ctrl-C stops at once`,
    });
  }
}

async function sweep(engine: Engine, emit: (event: PlatformEventBody) => void): Promise<void> {
  const count = await engine.sweep();
  if (count > 0)
    emit({ type: "notice", message: `removed ${count} left over from sessions that did not end properly` });
}
