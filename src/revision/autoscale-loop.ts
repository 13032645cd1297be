/**
 * Drives the pure autoscaler of one revision: a sample each second, a decision every two, and at once when a request
 * finds nothing wanted. A revision at zero without requests sets no timer at all.
 */
import type { CancelTimer, Clock } from "../kernel/clock.ts";
import { Autoscaler, type ScaleOutcome } from "../scaling/autoscaler.ts";
import type { ScalingSettings } from "../scaling/settings.ts";
import type { RequestStat, RequestStats } from "./request-stats.ts";

/** Knative's queue-proxy and activator report once a second, its autoscaler decides every two. */
const SAMPLE_MS = 1_000;
const SAMPLES_PER_TICK = 2;
/** A timer later than this many seconds means that the machine was suspended. */
const MOST_LATE_SAMPLES = 600;

export interface AutoscaleDeps {
  readonly settings: ScalingSettings;
  readonly clock: Clock;
  readonly stats: RequestStats;
  /** Instances that are ready. */
  ready(): number;
  reachable(): boolean;
  /** The number of instances that is wanted from now on, with the reason in words; called when it changes. */
  apply(replicas: number, reason: string): void;
}

export class AutoscaleLoop {
  readonly #deps: AutoscaleDeps;
  readonly #autoscaler: Autoscaler;
  #timer: CancelTimer | undefined;
  /** The grid of whole seconds: a sample late by a timer's jitter still belongs to its second. */
  #anchor = 0;
  #samples = 0;
  #replicas: number;
  #outcome: ScaleOutcome | undefined;
  #stopped = false;
  readonly #fixed: boolean;

  constructor(deps: AutoscaleDeps) {
    this.#deps = deps;
    const { settings, clock } = deps;
    // Other classes than Knative's own decide by CPU, memory or custom metrics, and never go to zero.
    this.#fixed = settings.class !== "kpa";
    this.#replicas =
      settings.initialScale === 0 && !this.#fixed ? 0 : Math.max(1, settings.initialScale, settings.minScale);
    const from = this.#replicas === 0 ? "zero" : "new";
    this.#autoscaler = new Autoscaler(settings, { now: clock.now(), ready: 0, from });
  }

  /** Instances wanted now. */
  get replicas(): number {
    return this.#replicas;
  }

  /** The autoscaler's last word; undefined before the first. */
  get outcome(): ScaleOutcome | undefined {
    return this.#outcome;
  }

  /** Whether requests come through the activator. Other classes of autoscaler never put it in the path. */
  get mode(): ScaleOutcome["mode"] {
    return this.#fixed ? "Serve" : (this.#outcome?.mode ?? "Proxy");
  }

  get decision(): Autoscaler["decision"] {
    return this.#autoscaler.decision;
  }

  /** Asks for the initial scale and begins to sample. */
  start(): void {
    const count = this.#replicas;
    this.#deps.apply(count, count === 0 ? "initial-scale is 0" : `initial scale ${count}`);
    if (count > 0) this.#arm();
    else this.look();
  }

  /** A request has come: if nothing is wanted, decide at once; in any case see that the loop runs. */
  poke(): void {
    if (this.#stopped || this.#fixed) return;
    const now = this.#deps.clock.now();
    if (this.#autoscaler.decision.desired <= 0 && this.#replicas === 0) {
      if (this.#autoscaler.record(now, { concurrency: 1, requests: 1 }))
        this.#decide(now, true, "a request waits");
    }
    this.#arm();
  }

  /** Reachability or readiness has changed: look at once, without waiting for the next second. */
  look(): void {
    if (this.#stopped || this.#fixed) return;
    this.#decide(this.#deps.clock.now(), false);
    // A revision asleep that a route leads to again has its min-scale to keep.
    if (this.#replicas > 0) this.#arm();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.();
    this.#timer = undefined;
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#stopped || this.#fixed) return;
    const now = this.#deps.clock.now();
    this.#anchor = now;
    this.#samples = 0;
    this.#deps.stats.sample(now);
    this.#next();
  }

  #next(): void {
    const { clock } = this.#deps;
    const at = this.#anchor + (this.#samples + 1) * SAMPLE_MS;
    this.#timer = clock.after(at - clock.now(), () => this.#sample());
  }

  /** Takes every second that has ended since the last one: more than one where the timer came late. */
  #sample(): void {
    const { clock, stats } = this.#deps;
    const now = clock.now();
    const ended = Math.floor((now - this.#anchor) / SAMPLE_MS) - this.#samples;
    if (ended > MOST_LATE_SAMPLES) {
      // The machine slept: what happened meanwhile is not known, and the windows have run out anyway.
      this.#timer = undefined;
      this.#arm();
      return;
    }
    if (ended > 0) {
      const { concurrency, requests } = stats.sample(now);
      for (let n = 0; n < ended; n += 1) this.#second({ concurrency, requests: n === 0 ? requests : 0 });
    }
    this.#timer = undefined;
    if (this.#stopped || (this.#replicas === 0 && stats.inFlight === 0)) return;
    this.#next();
  }

  #second(stat: RequestStat): void {
    this.#samples += 1;
    const at = this.#anchor + this.#samples * SAMPLE_MS;
    let due = this.#samples % SAMPLES_PER_TICK === 0;
    // An instance that never gets ready is reported as idle rather than not at all, so that it goes again.
    if (this.#replicas > 0 || stat.concurrency > 0 || stat.requests > 0)
      due = this.#autoscaler.record(at, stat) || due;
    this.#decide(at, due);
  }

  #decide(now: number, tick: boolean, because?: string): void {
    const seen = { ready: this.#deps.ready(), reachable: this.#deps.reachable() };
    if (tick) this.#autoscaler.tick(now, seen);
    this.#outcome = this.#autoscaler.reconcile(now, { ...seen, replicas: this.#replicas });
    if (this.#outcome.replicas === this.#replicas) return;
    this.#replicas = this.#outcome.replicas;
    this.#deps.apply(this.#replicas, because ?? this.#reason());
  }

  #reason(): string {
    const { outcome } = this;
    const { decision } = this.#autoscaler;
    if (this.#replicas === 0) return outcome?.reason === "TimedOut" ? "it never became ready" : "no traffic";
    return outcome?.heldBy === undefined ? decision.reason : `${decision.reason}; ${outcome.heldBy}`;
  }
}
