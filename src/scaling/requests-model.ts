import { Autoscaler, type ScaleOutcome } from "./autoscaler.ts";
import { TICK_MS } from "./delay-window.ts";
import { explain } from "./explain.ts";
import type { LoadShape } from "./load-shape.ts";
import { loadTimeline } from "./load-timeline.ts";
import { arrivalsIn } from "./requests-model-arrivals.ts";
import { ClosedRequests, type RequestsModelLimits } from "./requests-model-closed.ts";
import { type RequestTotals, RequestsLedger } from "./requests-model-ledger.ts";
import { OpenRequests } from "./requests-model-open.ts";
import type { ScalingSettings } from "./settings.ts";
import { PodSimulation } from "./simulated-pods.ts";

const SECOND_MS = 1000;

export interface ModelInput extends RequestsModelLimits {
  readonly settings: ScalingSettings;
  /** 0: no limit. */
  readonly containerConcurrency: number;
  readonly load: LoadShape;
  /** Whole seconds. */
  readonly durationSeconds: number;
  /** From asking for an instance until it is ready. */
  readonly startupMs: number;
  /** [0, 1): when requests come, where the load is in requests per second. */
  readonly random: () => number;
}

/** One value for each second from 0 to the duration, both included. */
export interface ModelSeconds {
  /** As asked for: requests under way, or requests per second. */
  readonly load: Float64Array;
  readonly ready: Int32Array;
  readonly starting: Int32Array;
  /** The most that waited at once within the second. */
  readonly waiting: Float64Array;
  /** 1 while panicking. */
  readonly panic: Uint8Array;
}

/** Something changed: the instances, those of them that are ready, or panic. */
export interface ModelMoment {
  /** Seconds; a fraction where a request came at zero. */
  readonly t: number;
  readonly load: number;
  readonly instances: number;
  readonly ready: number;
  readonly waiting: number;
  readonly panic: boolean;
  /** Why there are as many as there are, and what comes next. */
  readonly reason: string;
}

export interface ModelRun {
  readonly seconds: ModelSeconds;
  readonly moments: readonly ModelMoment[];
  readonly requests: RequestTotals & { /** Without an answer at the end. */ readonly unanswered: number };
  /** How often instances were started from zero. */
  readonly coldStarts: number;
  readonly instancesStarted: number;
  /** Seconds that instances existed, ready or not. */
  readonly instanceSeconds: number;
  readonly panicSeconds: number;
}

/**
 * Runs one revision in virtual time. Decisions are the autoscaler's own, each second as in `simulate`, and at once for a
 * request that comes at zero. What becomes of the requests is a model: all take the same time, any free place serves the
 * one that has waited longest, a stopped instance finishes what it has, and its successors are not slowed by it.
 *
 * It begins at rest: at zero, or with the minimum running and without panic.
 */
export function runModel(input: ModelInput): ModelRun {
  return new ModelRunner(input).run();
}

class ModelRunner {
  readonly #input: ModelInput;
  readonly #pods: PodSimulation;
  readonly #autoscaler: Autoscaler;
  readonly #ledger = new RequestsLedger();
  readonly #closed: ClosedRequests;
  readonly #open: OpenRequests;
  readonly #seconds: ModelSeconds;
  readonly #moments: ModelMoment[] = [];
  readonly #warmUpSeconds: number;
  #coldStarts = 0;
  #started = 0;
  #instanceMs = 0;
  #accountedTo = 0;
  #panicSeconds = 0;
  #lastRequestAt: number | undefined;
  #load = 0;

  constructor(input: ModelInput) {
    this.#input = input;
    const { settings, durationSeconds, startupMs } = input;
    const running = Math.max(settings.minScale, settings.enableScaleToZero ? 0 : 1);
    // An autoscaler that finds instances begins in panic; one stable window later it is at rest.
    this.#warmUpSeconds = running === 0 ? 0 : 2 * Math.ceil(settings.stableWindowMs / TICK_MS) + 4;
    this.#pods = new PodSimulation(
      {
        mode: "simulated",
        startDelay: startupMs / SECOND_MS,
        ...(running === 0 ? { start: "zero" } : { start: "running", running }),
      },
      settings.initialScale,
    );
    this.#autoscaler = new Autoscaler(settings, {
      now: -this.#warmUpSeconds * SECOND_MS,
      ready: running,
      from: running === 0 ? "zero" : "running",
    });
    this.#closed = new ClosedRequests(input, this.#ledger);
    this.#open = new OpenRequests(input, this.#ledger);
    const length = durationSeconds + 1;
    this.#seconds = {
      load: new Float64Array(length),
      ready: new Int32Array(length),
      starting: new Int32Array(length),
      waiting: new Float64Array(length),
      panic: new Uint8Array(length),
    };
  }

  run(): ModelRun {
    const { load, durationSeconds } = this.#input;
    const loadIn = loadTimeline(load.segments, durationSeconds);
    for (let t = -this.#warmUpSeconds; t < 0; t++) this.#sample(t, { concurrency: 0, requests: 0 });
    for (let t = 0; t <= durationSeconds; t++) {
      const { concurrency, rps } = loadIn(t);
      this.#load = load.unit === "rps" ? rps : concurrency;
      this.#pods.advance(t);
      this.#sample(t, load.unit === "rps" ? this.#openSample(t) : this.#closedSample());
      this.#note(t);
      this.#keep(t);
      if (t === durationSeconds) break;
      if (load.unit === "rps") this.#openSecond(t);
      else this.#closedSecond(t);
    }
    return this.#result();
  }

  #result(): ModelRun {
    this.#account(this.#input.durationSeconds);
    const unanswered =
      this.#input.load.unit === "rps" ? this.#open.underWay : this.#closed.concurrency(this.#load);
    return {
      seconds: this.#seconds,
      moments: this.#moments,
      requests: { ...this.#ledger.totals(), unanswered: Math.round(unanswered) },
      coldStarts: this.#coldStarts,
      instancesStarted: this.#started,
      instanceSeconds: this.#instanceMs / SECOND_MS,
      panicSeconds: this.#panicSeconds,
    };
  }

  /** The requests of the second that ends at `t`. */
  #openSample(t: number): Stat {
    this.#open.setPlaces(t * SECOND_MS, this.#places);
    const { area, sent } = this.#open.takeSample();
    return { concurrency: area / SECOND_MS, requests: sent };
  }

  /** The clients that there are from this second on, as in Knative's traces. */
  #closedSample(): Stat {
    return { concurrency: this.#closed.concurrency(this.#load), requests: this.#closed.takeSent() };
  }

  #sample(t: number, stat: Stat): void {
    const { settings } = this.#input;
    const now = t * SECOND_MS;
    const busy = stat.concurrency > 0 || stat.requests > 0;
    if (busy) this.#lastRequestAt = now;
    // Instances are asked for their load while there are any; the activator reports only when it has requests.
    const recorded = busy || (settings.targetBurstCapacity !== -1 && this.#pods.ready > 0);
    const poke = recorded && this.#autoscaler.record(now, stat);
    this.#decide(t, now % TICK_MS === 0 || poke);
  }

  #decide(t: number, tick: boolean): ScaleOutcome {
    const now = t * SECOND_MS;
    const { ready, replicas } = this.#pods;
    if (tick) this.#autoscaler.tick(now, { ready, reachable: true });
    const outcome = this.#autoscaler.reconcile(now, { ready, replicas, reachable: true });
    if (outcome.replicas !== replicas) {
      this.#account(t);
      if (replicas === 0 && t >= 0) this.#coldStarts++;
      this.#started += Math.max(0, outcome.replicas - replicas);
      this.#pods.scaleTo(outcome.replicas, t);
    }
    this.#outcome = outcome;
    return outcome;
  }

  #outcome: ScaleOutcome | undefined;

  #account(t: number): void {
    if (t > this.#accountedTo) {
      this.#instanceMs += this.#pods.replicas * (t - this.#accountedTo) * SECOND_MS;
      this.#accountedTo = t;
    }
  }

  get #places(): number {
    const { ready } = this.#pods;
    const { containerConcurrency: limit } = this.#input;
    return ready === 0 ? 0 : limit === 0 ? Infinity : ready * limit;
  }

  #closedSecond(t: number): void {
    let from = t;
    while (from < t + 1) {
      const to = Math.min(t + 1, this.#pods.nextReadyAt);
      this.#closed.flow(from * SECOND_MS, to * SECOND_MS, this.#load, this.#places);
      this.#waited(t, this.#closed.waiting);
      this.#pods.advance(to);
      from = to;
    }
  }

  #openSecond(t: number): void {
    arrivalsIn(this.#load, this.#input.random, (afterMs, amount) => {
      const at = t + afterMs / SECOND_MS;
      this.#openUntil(t, at);
      this.#open.arrive(at * SECOND_MS, amount);
      this.#waited(t, this.#open.waiting);
      if (this.#pods.replicas === 0) this.#poke(at);
    });
    this.#openUntil(t, t + 1);
  }

  #openUntil(second: number, until: number): void {
    for (let at = this.#pods.nextReadyAt; at <= until; at = this.#pods.nextReadyAt) {
      this.#pods.advance(at);
      this.#waited(second, this.#open.waiting);
      this.#open.setPlaces(at * SECOND_MS, this.#places);
    }
  }

  /** A request found nothing there, nor anything coming. */
  #poke(t: number): void {
    this.#lastRequestAt = t * SECOND_MS;
    this.#open.setPlaces(t * SECOND_MS, 0);
    if (!this.#autoscaler.record(t * SECOND_MS, { concurrency: 1, requests: 1 })) return;
    this.#decide(t, true);
    this.#note(t);
  }

  #waited(second: number, waiting: number): void {
    if (waiting > (this.#seconds.waiting[second] ?? 0)) this.#seconds.waiting[second] = waiting;
  }

  #keep(t: number): void {
    const { ready, replicas } = this.#pods;
    const { inPanic } = this.#autoscaler.decision;
    this.#seconds.load[t] = this.#load;
    this.#seconds.ready[t] = ready;
    this.#seconds.starting[t] = replicas - ready;
    this.#seconds.panic[t] = inPanic ? 1 : 0;
    if (inPanic && t < this.#input.durationSeconds) this.#panicSeconds++;
  }

  #note(t: number): void {
    const { ready, replicas: instances } = this.#pods;
    const { inPanic: panic } = this.#autoscaler.decision;
    const last = this.#moments.at(-1);
    if (last?.instances === instances && last.ready === ready && last.panic === panic) return;
    const byClients = this.#input.load.unit === "concurrency";
    const underWay = byClients ? this.#closed.concurrency(this.#load) : this.#open.underWay;
    this.#moments.push({
      t,
      load: this.#load,
      instances,
      ready,
      waiting: byClients ? Math.max(0, underWay - this.#places) : this.#open.waiting,
      panic,
      reason: this.#explain(t, underWay),
    });
  }

  #explain(t: number, inFlight: number): string {
    const { settings } = this.#input;
    return explain({
      now: t * SECOND_MS,
      settings,
      decision: this.#autoscaler.decision,
      outcome: this.#outcome ?? this.#decide(t, false),
      ready: this.#pods.ready,
      inFlight,
      ...(this.#lastRequestAt === undefined ? {} : { lastRequestAt: this.#lastRequestAt }),
    });
  }
}

interface Stat {
  readonly concurrency: number;
  readonly requests: number;
}
