/**
 * A revision that lives: its instances, its autoscaler, and what the activator needs of it. It begins with the initial
 * scale and is ready once that was reached.
 */
import type { Engine } from "../engine/engine.ts";
import type { Clock } from "../kernel/clock.ts";
import { KserveLocalError } from "../kernel/errors.ts";
import type { PlatformEventBody } from "../resources/events.ts";
import type { InstanceState } from "../resources/instance-state.ts";
import { explain } from "../scaling/explain.ts";
import type { ScalingSettings } from "../scaling/settings.ts";
import { AutoscaleLoop } from "./autoscale-loop.ts";
import type { RevisionBackend } from "./backend.ts";
import { InstanceSet } from "./instance-set.ts";
import type { Instance, TerminationPolicy } from "./instance.ts";
import type { RevisionPlan } from "./plan.ts";
import { RequestStats } from "./request-stats.ts";

export interface RevisionRuntimeDeps {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly realClock: Clock;
  readonly random: () => number;
  readonly settings: ScalingSettings;
  readonly termination: TerminationPolicy;
  /** ms of platform time from start to ready. */
  readonly startDeadlineMs: number;
  /** See InstanceDeps. */
  readonly currentRun?: () => RevisionPlan["run"];
  readonly emit: (event: PlatformEventBody) => void;
  /** Counts for the Revision's status. */
  onReplicas(counts: { readonly desired: number; readonly actual: number }): void;
}

export class RevisionRuntime implements RevisionBackend {
  readonly plan: RevisionPlan;
  /** Resolves when the initial scale was reached; rejects with why the first instance failed. */
  readonly becameReady: Promise<void>;
  readonly #deps: RevisionRuntimeDeps;
  readonly #stats: RequestStats;
  readonly #instances: InstanceSet;
  readonly #loop: AutoscaleLoop;
  readonly #listeners = new Set<(instance: Instance, state: InstanceState) => void>();
  #ready: readonly Instance[] = [];
  #reachable = true;
  #settleReady: { resolve: () => void; reject: (error: unknown) => void } | undefined;

  constructor(plan: RevisionPlan, deps: RevisionRuntimeDeps) {
    this.plan = plan;
    this.#deps = deps;
    this.#stats = new RequestStats(deps.clock.now());
    this.becameReady = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    this.becameReady.catch(() => undefined);
    this.#instances = new InstanceSet(plan, {
      ...deps,
      onState: (instance, from, to, reason) => this.#changed(instance, from, to, reason),
      onLog: (instance, { container, stream, line }) =>
        deps.emit({ type: "log", instance: instance.name, revision: plan.name, container, stream, line }),
      onSlowStart: (instance, last) =>
        deps.emit({
          type: "notice",
          message: `${instance.name} is not ready yet; the last probe said: ${last}. It has to listen on 0.0.0.0:$PORT (PORT is ${plan.port})`,
        }),
      onFailure: (instance, attempt) => this.#failed(instance, attempt),
    });
    this.#loop = new AutoscaleLoop({
      settings: deps.settings,
      clock: deps.clock,
      stats: this.#stats,
      ready: () => this.#ready.length,
      reachable: () => this.#reachable,
      apply: (replicas, reason) => this.#scale(replicas, reason),
    });
  }

  get ready(): readonly Instance[] {
    return this.#ready;
  }

  get mode(): "Proxy" | "Serve" {
    return this.#ready.length === 0 ? "Proxy" : this.#loop.mode;
  }

  async health(): Promise<boolean> {
    return (await this.#ready[0]?.healthy()) === true;
  }

  /** Every instance that has not gone, for listings and for the shutdown to name. */
  get instances(): readonly Instance[] {
    return this.#instances.all;
  }

  get inFlight(): number {
    return this.#stats.inFlight;
  }

  start(): void {
    this.#loop.start();
    if (this.#loop.replicas === 0) this.#settle();
  }

  arrive(): () => void {
    const { clock } = this.#deps;
    this.#stats.arrive(clock.now());
    this.#loop.poke();
    let counted = true;
    return () => {
      if (!counted) return;
      counted = false;
      this.#stats.leave(clock.now());
    };
  }

  onInstance(listener: (instance: Instance, state: InstanceState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** False once no route names the revision: min-scale holds no longer. */
  setReachable(reachable: boolean): void {
    if (this.#reachable === reachable) return;
    this.#reachable = reachable;
    if (!reachable) void this.#instances.expectNone();
    this.#loop.look();
  }

  explain(): string {
    const { decision, outcome } = this.#loop;
    if (outcome === undefined)
      return `${this.#instances.live.length} instances: initial scale ${this.#loop.replicas}`;
    const now = this.#deps.clock.now();
    const lastRequestAt = this.#stats.lastActive(now);
    return explain({
      now,
      settings: this.#deps.settings,
      decision,
      outcome,
      ready: this.#ready.length,
      inFlight: this.#stats.inFlight,
      ...(lastRequestAt === undefined ? {} : { lastRequestAt }),
    });
  }

  /** Ends every instance; with `now`, at once. Resolves when nothing is left. */
  close(reason: string, options: { readonly now?: boolean } = {}): Promise<void> {
    this.#loop.stop();
    this.#settleReady?.reject(
      new KserveLocalError("not-ready", {
        what: `${this.plan.name} was stopped before it was ready`,
        why: reason,
      }),
    );
    return this.#instances.close(reason, options);
  }

  #changed(instance: Instance, from: InstanceState, to: InstanceState, reason: string): void {
    if (from === "ready" || to === "ready") this.#ready = this.#instances.ready;
    this.#deps.emit({
      type: "instance.state",
      instance: instance.name,
      revision: this.plan.name,
      from,
      to,
      reason,
    });
    for (const listener of this.#listeners) listener(instance, to);
    if (to === "ready" && this.#ready.length >= Math.max(1, this.#loop.replicas)) this.#settle();
    if (to === "ready") this.#loop.look();
    if (this.#reachable && (to === "ready" || this.#isBackAtZero(instance))) this.#instances.expectOne();
    this.#report();
  }

  /** Of its own accord: what failed would fail again. */
  #isBackAtZero({ state, failure }: Instance): boolean {
    return state === "gone" && failure === undefined && this.#instances.all.length === 0;
  }

  #settle(): void {
    this.#settleReady?.resolve();
    this.#settleReady = undefined;
  }

  #failed(instance: Instance, attempt: number): void {
    const { failure } = instance;
    if (failure === undefined) return;
    this.#settleReady?.reject(failure);
    this.#settleReady = undefined;
    this.#deps.emit({
      type: "problem",
      severity: "error",
      code: failure.code,
      message:
        attempt > 1 && instance.readyAt === undefined
          ? `${failure.message} (${attempt} times in a row)`
          : failure.message,
      ...(failure.why === undefined ? {} : { why: failure.why }),
      ...(failure.fix === undefined ? {} : { hint: failure.fix }),
    });
  }

  #scale(replicas: number, reason: string): void {
    this.#deps.emit({
      type: "revision.scaled",
      revision: this.plan.name,
      desired: replicas,
      actual: this.#instances.live.length,
      reason,
      ...(this.#loop.outcome === undefined ? {} : { explanation: this.explain() }),
    });
    this.#instances.scaleTo(replicas, reason);
    this.#report();
  }

  #report(): void {
    this.#deps.onReplicas({ desired: this.#loop.replicas, actual: this.#ready.length });
  }
}
