/**
 * Apps that wait at the gate for a start that is likely to come, at most `most` of them: those of the most recent hints stay
 * (Engine.standby).
 */
import { isDeepStrictEqual } from "node:util";
import type { CancelTimer, Clock } from "../../kernel/clock.ts";
import { messageOf } from "../../kernel/errors.ts";
import type { StandbyRun } from "../engine.ts";
import type { WaitingApp } from "./waiting-app.ts";

/** A hint often comes with an instance's first request, which is not to share the processors with our preparations. */
const BEGIN_AFTER_MS = 500;

/** An engine that refuses this often in a row is not asked again. */
const MOST_FAILURES = 3;

export interface StandbyDeps {
  /** At least 1. */
  readonly most: number;
  readonly clock: Clock;
  prepare(run: StandbyRun, signal: AbortSignal): Promise<WaitingApp>;
  /** For people, each at most once. */
  onNotice(message: string): void;
}

interface Slot {
  readonly run: StandbyRun;
  readonly abort: AbortController;
  /** Pending until it is begun. */
  app: Promise<WaitingApp | undefined> | undefined;
  cancelBegin: CancelTimer;
}

export class Standby {
  readonly #deps: StandbyDeps;
  /** By the run's name; the most recent hint last. */
  readonly #slots = new Map<string, Slot>();
  /** What is being removed, by name: nothing else of that name can be made until then. */
  readonly #endings = new Map<string, Promise<void>>();
  readonly #told = new Set<string>();
  #failures = 0;
  #closed = false;

  constructor(deps: StandbyDeps) {
    this.#deps = deps;
  }

  /** The result takes the hint back and resolves when nothing of it is left. */
  keep(run: StandbyRun): () => Promise<void> {
    const { name } = run;
    const known = this.#slots.get(name);
    if (known !== undefined && !isDeepStrictEqual(known.run, run)) void this.#drop(name);
    if (known !== undefined && this.#slots.has(name)) {
      this.#slots.delete(name);
      this.#slots.set(name, known);
    } else if (!this.#closed && this.#failures < MOST_FAILURES) this.#slots.set(name, this.#schedule(run));
    for (const oldest of [...this.#slots.keys()].slice(0, -this.#deps.most)) void this.#drop(oldest);
    return () => this.#drop(name);
  }

  /**
   * What waits for this run, for the caller to use; undefined where nothing does, and then the name is free. Waits for
   * what is being prepared. Throws the signal's reason.
   */
  async take(run: StandbyRun, signal: AbortSignal): Promise<WaitingApp | undefined> {
    const { name } = run;
    const slot = this.#slots.get(name);
    // A Secret may have changed since.
    if (slot?.app === undefined || !isDeepStrictEqual(slot.run, run)) {
      await this.#drop(name);
      return undefined;
    }
    this.#slots.delete(name);
    const abort = (): void => slot.abort.abort(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    const app = await slot.app;
    signal.removeEventListener("abort", abort);
    if (signal.aborted) await app?.discard().catch(() => undefined);
    signal.throwIfAborted();
    return app;
  }

  /** Resolves when none is left. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const name of this.#slots.keys()) void this.#drop(name);
    await Promise.all(this.#endings.values());
  }

  #schedule(run: StandbyRun): Slot {
    const slot: Slot = {
      run,
      abort: new AbortController(),
      app: undefined,
      cancelBegin: this.#deps.clock.after(BEGIN_AFTER_MS, () => {
        slot.app = this.#prepare(slot);
      }),
    };
    return slot;
  }

  /** Never rejects. */
  async #prepare(slot: Slot): Promise<WaitingApp | undefined> {
    const { run, abort } = slot;
    const isKept = (): boolean => this.#slots.get(run.name) === slot;
    try {
      await this.#endings.get(run.name);
      const app = await this.#deps.prepare(run, abort.signal);
      this.#failures = 0;
      void app.lost.then(() => (isKept() ? this.#drop(run.name) : undefined));
      this.#tell(
        "kept",
        `standby: a container waits at the gate for ${run.revision}; its app is not started and uses no CPU (--no-standby keeps none)`,
      );
      return app;
    } catch (error) {
      if (abort.signal.aborted) return undefined;
      this.#failures += 1;
      if (isKept()) this.#slots.delete(run.name);
      this.#tell(
        "failed",
        `standby: no container can be kept waiting: ${messageOf(error)}; starts take longer`,
      );
      return undefined;
    }
  }

  #tell(what: string, message: string): void {
    if (this.#told.has(what)) return;
    this.#told.add(what);
    this.#deps.onNotice(message);
  }

  /** Resolves when nothing of that name is left, whoever dropped it. What can't be removed is left to the sweep. */
  #drop(name: string): Promise<void> {
    const slot = this.#slots.get(name);
    if (slot === undefined) return this.#endings.get(name) ?? Promise.resolve();
    this.#slots.delete(name);
    slot.cancelBegin();
    if (slot.app === undefined) return this.#endings.get(name) ?? Promise.resolve();
    slot.abort.abort(new Error("nobody is expected to need it any more"));
    const ending = slot.app
      .then((app) => app?.discard())
      .catch(() => undefined)
      .finally(() => {
        if (this.#endings.get(name) === ending) this.#endings.delete(name);
      });
    this.#endings.set(name, ending);
    return ending;
  }
}
