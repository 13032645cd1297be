import { TICK_MS } from "./delay-window.ts";
import { explain } from "./explain.ts";
import { forecast } from "./forecast.ts";
import { Kpa } from "./kpa.ts";
import type { LoadShape } from "./load-shape.ts";
import { loadTimeline } from "./load-timeline.ts";
import type { ScaleOutcome, Stat } from "./outcome.ts";
import { arrivalsIn } from "./requests-model-arrivals.ts";
import { ClosedRequests, type RequestTimes } from "./requests-model-closed.ts";
import { type RequestTotals, RequestsLedger } from "./requests-model-ledger.ts";
import { OpenRequests } from "./requests-model-open.ts";
import {
  type ModelCounts,
  type ModelMoment,
  ModelRecord,
  type ModelSeconds,
} from "./requests-model-record.ts";
import type { ScalingSettings } from "./settings.ts";
import { PodSimulation } from "./simulated-pods.ts";

const SECOND_MS = 1000;
const NOBODY: Stat = { concurrency: 0, requests: 0 };

export interface ModelInput extends RequestTimes {
  readonly settings: ScalingSettings;
  /** 0: no limit. */
  readonly containerConcurrency: number;
  readonly load: LoadShape;
  /** Whole seconds. */
  readonly durationSeconds: number;
  /** From asking for an instance until it is ready. */
  readonly startupMs: number;
  /** How many may wait in the activator. */
  readonly activatorQueue: number;
  /** How many times containerConcurrency may wait for each instance, while requests do not go through the activator. */
  readonly breakerFactor: number;
  /** [0, 1): when requests come, where the load is in requests per second. */
  readonly random: () => number;
}

export interface ModelRun extends ModelCounts {
  readonly seconds: ModelSeconds;
  readonly moments: readonly ModelMoment[];
  readonly requests: RequestTotals & { /** Without an answer at the end. */ readonly unanswered: number };
}

/**
 * Runs one revision in virtual time. Decisions are the autoscaler's own, each second as in `simulate`, and at once for a
 * request that comes at zero. What becomes of the requests is a model: all take the same time, any free place serves the
 * one that has waited longest, and a stopped instance finishes what it has.
 *
 * It begins at rest: at zero, or with the minimum running and without panic.
 */
export function runModel(input: ModelInput): ModelRun {
  return input.load.unit === "rps" ? new OpenRun(input).run() : new ClosedRun(input).run();
}

abstract class Run {
  protected readonly input: ModelInput;
  protected readonly ledger = new RequestsLedger();
  protected readonly record: ModelRecord;
  protected readonly pods: PodSimulation;
  /** Of the second that is being looked at. */
  protected load = 0;
  readonly #kpa: Kpa;
  #lastTick = 0;
  readonly #warmUpSeconds: number;
  #outcome: ScaleOutcome | undefined;
  #lastRequestAt: number | undefined;
  /** Of the last sample: between two requests nothing may be under way for a moment. */
  #lastConcurrency = 0;

  constructor(input: ModelInput) {
    this.input = input;
    this.record = new ModelRecord(input.durationSeconds);
    const { settings, startupMs } = input;
    const running = Math.max(settings.minScale, settings.enableScaleToZero ? 0 : 1);
    // An autoscaler that finds instances begins in panic; one stable window later it is at rest.
    this.#warmUpSeconds = running === 0 ? 0 : 2 * Math.ceil(settings.stableWindowMs / TICK_MS) + 4;
    this.pods = new PodSimulation(
      {
        mode: "simulated",
        startDelay: startupMs / SECOND_MS,
        ...(running === 0 ? { start: "zero" } : { start: "running", running }),
      },
      settings.initialScale,
    );
    this.#kpa = new Kpa(settings, {
      now: -this.#warmUpSeconds * SECOND_MS,
      ready: running,
      from: running === 0 ? "zero" : "running",
    });
  }

  run(): ModelRun {
    const { load, durationSeconds } = this.input;
    const loadIn = loadTimeline(load.segments, durationSeconds);
    for (let t = -this.#warmUpSeconds; t < 0; t++) this.#look(t, NOBODY);
    for (let t = 0; t <= durationSeconds; t++) {
      const { concurrency, rps } = loadIn(t);
      this.load = load.unit === "rps" ? rps : concurrency;
      this.pods.advance(t);
      this.#look(t, this.sample(t));
      this.#note(t);
      this.record.keep(t, this.load, this.pods, this.#kpa.decision.inPanic);
      if (t < durationSeconds) this.second(t);
    }
    return {
      seconds: this.record.seconds,
      moments: this.record.moments,
      requests: { ...this.ledger.totals(), unanswered: Math.round(this.underWay) },
      ...this.record.counts(this.pods.replicas),
    };
  }

  /** What the autoscaler is told at `t`. */
  protected abstract sample(t: number): Stat;
  /** The requests of the second that begins at `t`. */
  protected abstract second(t: number): void;
  protected abstract get underWay(): number;
  protected abstract get waiting(): number;

  /** Places for requests, ready to be taken. */
  protected get places(): number {
    const { ready } = this.pods;
    const { containerConcurrency: limit } = this.input;
    return ready === 0 ? 0 : limit === 0 ? Infinity : ready * limit;
  }

  /** How many may wait. */
  protected get queueLimit(): number {
    const { activatorQueue, breakerFactor } = this.input;
    const direct = this.#outcome?.mode === "Serve" && this.pods.ready > 0;
    return direct ? breakerFactor * this.places : activatorQueue;
  }

  /** A request found nothing there, nor anything coming: the activator tells the autoscaler at once. */
  protected poke(t: number): void {
    const now = t * SECOND_MS;
    this.#lastRequestAt = now;
    if (!this.#kpa.record(now, { concurrency: 1, requests: 1 })) return;
    this.#decide(t, true);
    this.#note(t);
  }

  #look(t: number, stat: Stat): void {
    const now = t * SECOND_MS;
    const busy = stat.concurrency > 0 || stat.requests > 0;
    if (busy) this.#lastRequestAt = now;
    this.#lastConcurrency = stat.concurrency;
    // Instances are asked for their load while there are any; the activator reports only when it has requests.
    const recorded = busy || (this.input.settings.targetBurstCapacity !== -1 && this.pods.ready > 0);
    const poked = recorded && this.#kpa.record(now, stat);
    this.#decide(t, now % TICK_MS === 0 || poked);
  }

  #decide(t: number, tick: boolean): void {
    const now = t * SECOND_MS;
    const { ready, replicas } = this.pods;
    if (tick) {
      this.#kpa.tick(now, { ready, reachable: true });
      this.#lastTick = now;
    }
    this.#outcome = this.#kpa.reconcile(now, { ready, replicas, reachable: true });
    if (this.#outcome.replicas === replicas) return;
    this.record.scaled(t, replicas, this.#outcome.replicas);
    this.pods.scaleTo(this.#outcome.replicas, t);
  }

  #note(t: number): void {
    const { ready, replicas: instances } = this.pods;
    const state = { instances, ready, panic: this.#kpa.decision.inPanic };
    if (this.#outcome === undefined || !this.record.isNew(state)) return;
    const reason = this.#explain(t, this.#outcome);
    this.record.moments.push({ t, load: this.load, waiting: this.waiting, ...state, reason });
  }

  /** The look ahead is dear, so it is taken only for what is told. */
  #explain(t: number, outcome: ScaleOutcome): string {
    const now = t * SECOND_MS;
    const { ready, replicas } = this.pods;
    const inFlight = this.underWay > 0 ? this.underWay : this.#lastConcurrency;
    const nextChange =
      inFlight > 0
        ? undefined
        : forecast(this.#kpa, now, this.#lastTick, { ready, replicas, reachable: true });
    return explain({
      now,
      settings: this.input.settings,
      decision: this.#kpa.decision,
      outcome: nextChange === undefined ? outcome : { ...outcome, nextChange },
      ready,
      inFlight,
      ...(this.#lastRequestAt === undefined ? {} : { lastRequestAt: this.#lastRequestAt }),
    });
  }
}

class ClosedRun extends Run {
  readonly #requests: ClosedRequests;

  constructor(input: ModelInput) {
    super(input);
    this.#requests = new ClosedRequests(input, this.ledger);
  }

  /** The clients that there are from this second on, as in Knative's traces. */
  protected sample(): Stat {
    return { concurrency: this.underWay, requests: this.#requests.takeSent() };
  }

  protected second(t: number): void {
    for (let from = t; from < t + 1;) {
      const to = Math.min(t + 1, this.pods.nextReadyAt);
      this.#requests.flow(from * SECOND_MS, to * SECOND_MS, {
        clients: this.load,
        places: this.places,
        queueLimit: this.queueLimit,
      });
      this.record.waited(t, this.#requests.waiting);
      this.pods.advance(to);
      from = to;
    }
  }

  protected get underWay(): number {
    return this.#requests.underWay(this.load);
  }

  protected get waiting(): number {
    return Math.min(this.queueLimit, Math.max(0, this.underWay - this.places));
  }
}

class OpenRun extends Run {
  readonly #requests: OpenRequests;

  constructor(input: ModelInput) {
    super(input);
    this.#requests = new OpenRequests(input, this.ledger);
  }

  /** The second that ends at `t`. */
  protected sample(t: number): Stat {
    this.#requests.setPlaces(t * SECOND_MS, this.places);
    const { area, sent } = this.#requests.takeSample();
    return { concurrency: area / SECOND_MS, requests: sent };
  }

  protected second(t: number): void {
    // After a decision there may be fewer instances.
    this.#requests.setPlaces(t * SECOND_MS, this.places);
    this.record.waited(t, this.waiting);
    arrivalsIn(this.load, this.input.random, (afterMs, amount) => {
      const at = t + afterMs / SECOND_MS;
      this.#becomeReadyUntil(at);
      this.#requests.arrive(at * SECOND_MS, amount, this.queueLimit);
      this.record.waited(t, this.waiting);
      if (this.pods.replicas === 0) this.poke(at);
    });
    this.#becomeReadyUntil(t + 1);
  }

  #becomeReadyUntil(until: number): void {
    for (let at = this.pods.nextReadyAt; at <= until; at = this.pods.nextReadyAt) {
      this.pods.advance(at);
      this.#requests.setPlaces(at * SECOND_MS, this.places);
    }
  }

  protected get underWay(): number {
    return this.#requests.underWay;
  }

  protected get waiting(): number {
    return this.#requests.waiting;
  }
}
