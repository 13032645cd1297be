/**
 * The path of one request from the route to an instance and back: hold until there is a slot, forward, and where the
 * platform has to answer itself, answer as Knative's activator and queue-proxy do (BEHAVIOUR 5 and 6). One deadline
 * counts from arrival, cold start included.
 */
import type { Clock } from "../kernel/clock.ts";
import { messageOf } from "../kernel/errors.ts";
import type { Exchange } from "../proxy/exchange.ts";
import { forward, type ForwardOutcome } from "../proxy/forward.ts";
import type { Instance } from "../revision/instance.ts";
import type { RevisionBackend } from "../revision/backend.ts";
import { explainFailure } from "./explain-failure.ts";
import { platformAnswer } from "./platform-answer.ts";
import { type Slot, QueueFullError, Throttler } from "./throttler.ts";
import { RequestTimers, type TimeoutSemantics, TimerFired } from "./timers.ts";
import { Upstreams } from "./upstreams.ts";

/** How one request went, for the log and the events. */
export interface ServeResult {
  readonly instance?: string;
  /** ms of real time from arrival until it had a slot, or gave up. */
  readonly queuedMs: number;
  /** No instance was ready when it came. */
  readonly coldStart: boolean;
  /** Set where the platform answered or cut. */
  readonly reason?: string;
  readonly detail?: string;
  /** The status for the log where none was sent. */
  readonly status?: number;
}

export interface ActivatorDeps {
  readonly clock: Clock;
  readonly realClock: Clock;
  readonly random: () => number;
  readonly semantics: TimeoutSemantics;
}

/** The session ends while the request waits. */
class ShuttingDownError extends Error {
  override readonly name = "ShuttingDownError";
}

/** How long we wait to learn that an instance whose port refused us has died, before its answer is "it refuses". */
const DEATH_NOTICE_MS = 400;
/** Attempts to reach an instance for one request, when none of them was reached. */
const MOST_ATTEMPTS = 5;

export class Activator {
  readonly #deps: ActivatorDeps;
  readonly #throttlers = new WeakMap<RevisionBackend, Throttler>();
  readonly #upstreams = new WeakMap<RevisionBackend, Upstreams>();
  readonly #closing = new AbortController();

  constructor(deps: ActivatorDeps) {
    this.#deps = deps;
  }

  /** Answers every request that still waits for an instance, now and from now on, with 503: none will come. */
  close(): void {
    this.#closing.abort(new ShuttingDownError("kserve-local is stopping"));
  }

  /** Serves the request from the revision. Resolves when the exchange is over; never rejects. */
  async serve(exchange: Exchange, backend: RevisionBackend): Promise<ServeResult> {
    const { clock, realClock } = this.#deps;
    const arrivedAt = realClock.now();
    const coldStart = backend.ready.length === 0;
    const leave = backend.arrive();
    const timers = new RequestTimers(backend.plan, this.#deps.semantics, clock, exchange);
    const signal = AbortSignal.any([exchange.clientGone, timers.signal]);
    const seen = { queuedMs: 0, coldStart };
    try {
      for (let attempt = 1; ; attempt += 1) {
        const slot = await this.#slot(backend, signal);
        seen.queuedMs = realClock.now() - arrivedAt;
        const { instance } = slot;
        const outcome = await this.#forward(exchange, backend, slot, signal);
        if (outcome.kind === "completed") return { ...seen, instance: instance.name };
        if (outcome.kind === "upstream-error") {
          const canRetry = !outcome.mayHaveReachedApp && !outcome.started && attempt < MOST_ATTEMPTS;
          if (canRetry && (await this.#died(instance, backend, signal))) continue;
          if (!outcome.started)
            exchange.respond(platformAnswer(502, `${outcome.goMessage}\n`, `app-${outcome.diagnosis}`));
          leave();
          // The client has its answer; the log waits a moment, to say whether the instance died of it.
          await this.#died(instance, backend, signal);
          return {
            ...seen,
            instance: instance.name,
            reason: `app-${outcome.diagnosis}`,
            detail: explainFailure(outcome, instance),
          };
        }
        return { ...seen, instance: instance.name, ...this.#interrupted(exchange, timers, backend) };
      }
    } catch (error) {
      seen.queuedMs = realClock.now() - arrivedAt;
      if (error instanceof QueueFullError) {
        exchange.respond(platformAnswer(503, "pending request queue full\n", "overload"));
        return {
          ...seen,
          reason: "overload",
          detail: `${error.message}; more instances (max-scale) or a higher containerConcurrency would take them`,
        };
      }
      if (error instanceof ShuttingDownError) {
        exchange.respond(platformAnswer(503, "shutting down\n", "shutting-down"));
        return { ...seen, reason: "shutting-down", detail: error.message };
      }
      if (signal.aborted) return { ...seen, ...this.#interrupted(exchange, timers, backend) };
      exchange.respond(platformAnswer(500, "", "internal"));
      return { ...seen, reason: "internal", detail: messageOf(error) };
    } finally {
      timers.clear();
      leave();
    }
  }

  /**
   * Only a request that waits is tied to the session's end: Node 20 keeps some 60 bytes for each signal that
   * AbortSignal.any derives from one that lives on (nodejs/node#55351), and most requests find a slot at once.
   */
  #slot(backend: RevisionBackend, signal: AbortSignal): Slot | Promise<Slot> {
    signal.throwIfAborted();
    this.#closing.signal.throwIfAborted();
    const throttler = this.#throttler(backend);
    return throttler.tryAcquire() ?? throttler.acquire(AbortSignal.any([signal, this.#closing.signal]));
  }

  async #forward(
    exchange: Exchange,
    backend: RevisionBackend,
    slot: Slot,
    signal: AbortSignal,
  ): Promise<ForwardOutcome> {
    try {
      return await forward(exchange, this.#upstreamsOf(backend).of(slot.instance), { headers: {}, signal });
    } finally {
      slot.release();
    }
  }

  /** A timer fired or the client left. */
  #interrupted(exchange: Exchange, timers: RequestTimers, backend: RevisionBackend): Partial<ServeResult> {
    const fired = timers.signal.aborted ? (timers.signal.reason as unknown) : undefined;
    if (!(fired instanceof TimerFired))
      return {
        reason: "client-gone",
        detail: "the client went away before the answer was complete",
        status: exchange.status ?? 499,
      };
    const cut = exchange.responseStarted;
    exchange.cut(platformAnswer(504, "activator request timeout", "timeout"));
    const where = cut
      ? "the response was cut off"
      : backend.ready.length === 0
        ? `no instance was ready (${backend.explain()})`
        : "the app had not answered";
    return { reason: "timeout", detail: `${fired.message}: ${where}` };
  }

  /**
   * The instance could not be reached at all. If it turns out to have died, the request goes to another one; it is not
   * a retry, since nothing has reached the app. If it lives, it refuses, and that is its answer.
   */
  #died(instance: Instance, backend: RevisionBackend, signal: AbortSignal): Promise<boolean> {
    if (instance.state !== "ready") return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (died: boolean): void => {
        cancel();
        unsubscribe();
        signal.removeEventListener("abort", onAbort);
        resolve(died);
      };
      const onAbort = (): void => settle(true);
      const cancel = this.#deps.realClock.after(DEATH_NOTICE_MS, () => settle(false));
      const unsubscribe = backend.onInstance((changed) => {
        if (changed === instance) settle(true);
      });
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  #throttler(backend: RevisionBackend): Throttler {
    let throttler = this.#throttlers.get(backend);
    if (throttler === undefined) {
      throttler = new Throttler(backend, { random: this.#deps.random });
      this.#throttlers.set(backend, throttler);
    }
    return throttler;
  }

  #upstreamsOf(backend: RevisionBackend): Upstreams {
    let upstreams = this.#upstreams.get(backend);
    if (upstreams === undefined) {
      upstreams = new Upstreams(backend);
      this.#upstreams.set(backend, upstreams);
    }
    return upstreams;
  }
}
