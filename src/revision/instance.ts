/**
 * One instance of a revision: the state machine, the requests in flight on it, and its end. Nothing else changes an
 * instance's state.
 */
import type { Address, Engine, EngineInstance, Exit, LogLine } from "../engine/engine.ts";
import type { Clock } from "../kernel/clock.ts";
import { KserveLocalError, isKserveLocalError, messageOf } from "../kernel/errors.ts";
import type { InstanceState } from "../resources/instance-state.ts";
import type { RevisionPlan } from "./plan.ts";
import { InstanceProbes } from "./probe/instance-probes.ts";

/** Every move that is allowed; any other is our bug and throws. `gone` and nothing else is the end. */
export const TRANSITIONS: Readonly<Record<InstanceState, readonly InstanceState[]>> = {
  pending: ["starting", "failed", "terminating"],
  starting: ["ready", "failed", "terminating"],
  ready: ["unready", "draining", "failed", "terminating"],
  unready: ["ready", "draining", "failed", "terminating"],
  draining: ["terminating", "failed"],
  terminating: ["gone"],
  failed: ["gone"],
  gone: [],
};

/** How an instance is ended (BEHAVIOUR 3.6). Durations in ms of platform time. */
export interface TerminationPolicy {
  /** Longest wait for requests in flight before SIGTERM. */
  readonly drainMs: number;
  /** Quiet time without requests that must pass before SIGTERM (upstream's queue-proxy waits 30 s). */
  readonly quietMs: number;
  /** From SIGTERM to SIGKILL. */
  readonly graceMs: number;
}

export interface InstanceDeps {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly realClock: Clock;
  readonly termination: TerminationPolicy;
  /** From start to ready, at most: ms of platform time. */
  readonly startDeadlineMs: number;
  /** What to run, as the ConfigMaps and Secrets are at this moment; default: as they were when the plan was made. */
  readonly currentRun?: () => RevisionPlan["run"];
  /** It has been starting for a while: `last` is what the last probe said. Called once. */
  onSlowStart?(instance: Instance, last: string): void;
  onState(instance: Instance, from: InstanceState, to: InstanceState, reason: string): void;
  onLog(instance: Instance, line: LogLine): void;
}

const KEPT_LOG_LINES = 20;
/** Real time after which somebody who waits should be told what for. */
const SLOW_START_MS = 10_000;
const PROBED: ReadonlySet<InstanceState> = new Set(["starting", "ready", "unready"]);

export class Instance {
  readonly name: string;
  readonly plan: RevisionPlan;
  readonly createdAt: number;
  /** When it became ready last; undefined before. */
  readyAt: number | undefined;
  #state: InstanceState = "pending";
  #inFlight = 0;
  #engineInstance: EngineInstance | undefined;
  #failure: KserveLocalError | undefined;
  #lastProbeFailure = "the probe has not run yet";
  readonly #deps: InstanceDeps;
  readonly #lastLines: string[] = [];
  readonly #starting = new AbortController();
  /** Ends the probes: aborted by the first move to a state in which nobody asks. */
  readonly #probing = new AbortController();
  #probes: InstanceProbes | undefined;
  readonly #idleWaiters = new Set<() => void>();
  /** Settles when the engine has answered the start, whatever it said: an ending waits for it, so that nothing leaks. */
  #launched: Promise<void> = Promise.resolve();
  #ending: Promise<void> | undefined;
  readonly #hurry = new AbortController();

  constructor(name: string, plan: RevisionPlan, deps: InstanceDeps) {
    this.name = name;
    this.plan = plan;
    this.#deps = deps;
    this.createdAt = deps.clock.now();
  }

  get state(): InstanceState {
    return this.#state;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Why it failed; set exactly when it went through `failed`. */
  get failure(): KserveLocalError | undefined {
    return this.#failure;
  }

  /** Only while it runs. */
  get address(): Address | undefined {
    return this.#engineInstance?.address;
  }

  /** The last lines of its output, oldest first. */
  get lastLines(): readonly string[] {
    return this.#lastLines;
  }

  /** Starts it and waits until it is ready. Never rejects: the outcome is its state. */
  async start(): Promise<void> {
    if (this.#ending !== undefined) return;
    const { engine, clock } = this.#deps;
    const deadline = clock.after(this.#deps.startDeadlineMs, () =>
      this.#starting.abort(this.#notReady(`it was not ready within ${this.#deps.startDeadlineMs / 1000} s`)),
    );
    const slow = this.#deps.realClock.after(SLOW_START_MS, () =>
      this.#deps.onSlowStart?.(this, this.#lastProbeFailure),
    );
    const { signal } = this.#starting;
    try {
      this.#move("starting", "the container is being started");
      const run = {
        ...(this.#deps.currentRun?.() ?? this.plan.run),
        name: this.name,
        onLog: (line: LogLine) => this.#log(line),
      };
      const launching = engine.start(run, signal);
      this.#launched = launching.then(
        (instance) => void (this.#engineInstance = instance),
        () => undefined,
      );
      const started = await launching;
      void started.exited.then((exit) => this.#exited(exit));
      signal.throwIfAborted();
      this.#probes = this.#probesOf(started);
      await this.#probes.becomeReady(signal);
      // The app may have ended, or the ending begun, while the last probe's answer was on its way.
      signal.throwIfAborted();
      this.readyAt = clock.now();
      this.#move("ready", "the readiness probe passed");
      void this.#probes.watch();
    } catch (error) {
      if (this.#ending === undefined) await this.#fail(asStartFailure(error, this.name));
    } finally {
      deadline();
      slow();
    }
  }

  /** What queue-proxy's health check of this instance says now. Never rejects. */
  async healthy(): Promise<boolean> {
    return this.#state === "ready" && (await this.#probes?.healthy()) === true;
  }

  /** Takes one request; the returned release works once. Only ready instances take requests. */
  reserve(): () => void {
    if (this.#state !== "ready")
      throw new KserveLocalError("internal", { what: `${this.name} is ${this.#state}, not ready` });
    this.#inFlight += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#inFlight -= 1;
      if (this.#inFlight === 0) for (const waiter of this.#idleWaiters) waiter();
    };
  }

  /**
   * Ends it: no new requests, those in flight finish, SIGTERM, grace, SIGKILL. All callers share one ending; `now`
   * skips every wait, also of an ending that has begun. Resolves when nothing of it is left; never rejects.
   */
  stop(reason: string, options: { readonly now?: boolean } = {}): Promise<void> {
    if (options.now === true) this.#hurry.abort(new Error("stopped at once"));
    this.#ending ??= this.#end(reason);
    return this.#ending;
  }

  async #end(reason: string): Promise<void> {
    if (this.#state === "gone" || this.#state === "failed") return this.#remove();
    if (this.#state === "ready" || this.#state === "unready") {
      this.#move("draining", reason);
      await this.#drained();
    }
    this.#starting.abort(new Error(reason));
    if ((this.#state as InstanceState) !== "failed") this.#move("terminating", reason);
    return this.#remove();
  }

  async #remove(): Promise<void> {
    await this.#launched;
    const running = this.#engineInstance;
    if (running !== undefined) {
      const grace = this.#hurry.signal.aborted ? 0 : this.#deps.termination.graceMs;
      const hurry = (): void => void running.stop(0).catch(() => undefined);
      this.#hurry.signal.addEventListener("abort", hurry, { once: true });
      const exit = await running
        .stop(grace)
        .catch((error: unknown) => ({ killed: false, reason: messageOf(error) }));
      this.#hurry.signal.removeEventListener("abort", hurry);
      if (exit.killed && grace > 0 && !this.#hurry.signal.aborted) {
        this.#gone(`it ignored SIGTERM and was killed after ${grace / 1000} s`);
        return;
      }
    }
    this.#gone("it ended");
  }

  #gone(reason: string): void {
    if (this.#state !== "gone") this.#move("gone", reason);
  }

  async #drained(): Promise<void> {
    const { clock, termination } = this.#deps;
    const { signal } = this.#hurry;
    try {
      if (this.#inFlight > 0) {
        const timeout = new AbortController();
        const cancel = clock.after(termination.drainMs, () => timeout.abort());
        await this.#idle(AbortSignal.any([signal, timeout.signal])).finally(cancel);
      }
      if (termination.quietMs > 0) await clock.sleep(termination.quietMs, signal);
    } catch {
      // Hurried: what is in flight is cut off.
    }
  }

  #idle(signal: AbortSignal): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.#idleWaiters.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      this.#idleWaiters.add(done);
      signal.addEventListener("abort", done, { once: true });
      if (signal.aborted) done();
    });
  }

  #probesOf(running: EngineInstance): InstanceProbes {
    const { clock, realClock } = this.#deps;
    const exec = running.exec.bind(running);
    const target = { address: running.address, port: this.plan.port, exec };
    const probed = { target, clock, realClock, signal: this.#probing.signal };
    return new InstanceProbes(this.name, this.plan, probed, {
      onNotYet: (why) => {
        this.#lastProbeFailure = why;
      },
      onReadiness: (ready, why) => this.#move(ready ? "ready" : "unready", why),
      onDead: (error) => {
        if (this.#state === "starting") this.#starting.abort(error);
        else void this.#fail(error, { hurry: false });
      },
    });
  }

  #exited(exit: Exit): void {
    if (this.#state === "terminating" || this.#state === "gone" || this.#state === "failed") return;
    const error = new KserveLocalError(this.readyAt === undefined ? "start-failed" : "app-failed", {
      what: `${this.name} ${describeExit(exit)}`,
      ...this.#evidence(),
      fix: remedyFor(exit, this.#state === "starting"),
    });
    if (this.#state === "starting") this.#starting.abort(error);
    else void this.#fail(error);
  }

  /** `hurry` false: what is left of it gets SIGTERM and its grace. */
  async #fail(error: KserveLocalError, { hurry = true } = {}): Promise<void> {
    if (this.#state === "failed" || this.#state === "gone" || this.#state === "terminating") return;
    this.#failure = error;
    this.#move("failed", error.message);
    if (hurry) this.#hurry.abort(error);
    this.#ending ??= this.#remove();
    await this.#ending;
  }

  #notReady(what: string): KserveLocalError {
    return new KserveLocalError("not-ready", {
      what: `${this.name} did not get ready: ${what}`,
      why: [`the last probe said: ${this.#lastProbeFailure}`, ...this.#lastLines].join("\n"),
      fix: `the container must listen on 0.0.0.0:$PORT (PORT is ${this.plan.port}) and pass its readiness probe`,
    });
  }

  #evidence(): { why?: string } {
    return this.#lastLines.length === 0 ? { why: "it printed nothing" } : { why: this.#lastLines.join("\n") };
  }

  #log(line: LogLine): void {
    this.#lastLines.push(line.line);
    if (this.#lastLines.length > KEPT_LOG_LINES) this.#lastLines.shift();
    this.#deps.onLog(this, line);
  }

  #move(to: InstanceState, reason: string): void {
    const from = this.#state;
    if (!TRANSITIONS[from].includes(to))
      throw new KserveLocalError("internal", {
        what: `${this.name} cannot go from ${from} to ${to}`,
        why: reason,
      });
    this.#state = to;
    if (!PROBED.has(to)) this.#probing.abort(new Error(`${this.name} is ${to}`));
    this.#deps.onState(this, from, to, reason);
  }
}

/** For people: `exited with code 3`, `was killed for using too much memory`. */
export function describeExit(exit: Exit): string {
  switch (exit.reason) {
    case "oom":
      return "was killed because it used more memory than its limit (spec.template.spec.containers[].resources.limits.memory)";
    case "removed":
      return "was removed from the engine by somebody else";
    case "engine-lost":
      return "was lost together with the container engine";
    case "exited": {
      const { code } = exit;
      if (code === undefined) return "ended";
      if (code === 137) return "was killed (SIGKILL, exit code 137)";
      if (code > 128) return `ended by a signal (exit code ${code})`;
      return code === 0
        ? "ended by itself (exit code 0); a server must keep running"
        : `exited with code ${code}`;
    }
  }
}

function remedyFor(exit: Exit, starting: boolean): string {
  switch (exit.reason) {
    case "oom":
      return "use less memory (files that the app writes may count), or raise resources.limits.memory";
    case "removed":
      return "nothing is wrong with the app; another instance takes its place when one is wanted";
    case "engine-lost":
      return "start the container engine again";
    case "exited":
      return starting
        ? "mend what its last lines show; the container must keep running and listen on $PORT"
        : "mend what its last lines show; another instance takes its place when one is wanted";
  }
}

function asStartFailure(error: unknown, name: string): KserveLocalError {
  if (isKserveLocalError(error)) return error;
  return new KserveLocalError("start-failed", {
    what: `${name} could not be started: ${messageOf(error)}`,
    cause: error,
  });
}
