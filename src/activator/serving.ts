/** One request on its way through the activator: held, forwarded, answered or cut, and what became of it. */
import type { Clock } from "../kernel/clock.ts";
import { messageOf } from "../kernel/errors.ts";
import type { ProxyEngine } from "../proxy/engine.ts";
import type { Exchange } from "../proxy/exchange.ts";
import type { ForwardOutcome, UpstreamErrorOutcome } from "../proxy/forward.ts";
import type { HeaderPlan } from "../proxy/headers.ts";
import type { RevisionBackend } from "../revision/backend.ts";
import type { Instance } from "../revision/instance.ts";
import { explainFailure } from "./explain-failure.ts";
import { platformAnswer } from "./platform-answer.ts";
import type { ServeResult } from "./serve-result.ts";
import type { Slot, Throttler, Waiter } from "./throttler.ts";
import { RequestTimers, type TimeoutSemantics, type TimerWatcher } from "./timers.ts";
import type { Upstreams } from "./upstreams.ts";

export interface ServingDeps {
  readonly proxy: ProxyEngine;
  readonly clock: Clock;
  readonly realClock: Clock;
  readonly semantics: TimeoutSemantics;
  /** Those that wait, for the session's end to find them. */
  readonly held: Set<Serving>;
  /** The session is ending: nobody starts to wait. */
  readonly closing: boolean;
}

/** What serves one revision's requests: made once for all of them. */
export interface Lane {
  readonly backend: RevisionBackend;
  readonly throttler: Throttler;
  readonly upstreams: Upstreams;
}

/** How long we wait to learn that an instance whose port refused us has died, before its answer is "it refuses". */
const DEATH_NOTICE_MS = 400;
/** Attempts to reach an instance for one request, when none of them was reached. */
const MOST_ATTEMPTS = 5;

/** The activator is a hop of its own, on this machine; queue-proxy appends its address. */
const VIA_ACTIVATOR: HeaderPlan = { viaActivator: true, hop: "127.0.0.1" };
const DIRECT: HeaderPlan = { viaActivator: false };

/** Why a request is over that no instance has answered. */
type Ending = Pick<ServeResult, "reason" | "detail" | "status">;

export class Serving implements Waiter, TimerWatcher {
  readonly #deps: ServingDeps;
  readonly #exchange: Exchange;
  readonly #lane: Lane;
  readonly #arrivedAt: number;
  readonly #coldStart: boolean;
  /** Who is in the path, and so whose words a timeout has: decided when the request arrives. */
  readonly #mode: RevisionBackend["mode"];
  #queuedMs = 0;
  #ending: Ending | undefined;
  /** Continues what waits: for a slot, or to hear of an instance's death. */
  #resume: ((slot?: Slot) => void) | undefined;
  #watchesClient = false;
  /** The client has its answer; what is still waited for is for the log. */
  #answered = false;

  constructor(deps: ServingDeps, exchange: Exchange, lane: Lane) {
    this.#deps = deps;
    this.#exchange = exchange;
    this.#lane = lane;
    this.#arrivedAt = deps.realClock.now();
    this.#coldStart = lane.backend.ready.length === 0;
    this.#mode = lane.backend.mode;
  }

  /** Resolves when the exchange is over; never rejects. */
  async run(): Promise<ServeResult> {
    const { backend } = this.#lane;
    const leave = backend.arrive();
    const timers = new RequestTimers(backend.plan, this.#deps, this.#exchange, this);
    try {
      for (let attempt = 1; ; attempt += 1) {
        const slot = this.#lane.throttler.tryAcquire() ?? (await this.#hold());
        this.#queuedMs = this.#deps.realClock.now() - this.#arrivedAt;
        if (slot === undefined) return this.#result(undefined, this.#ending);
        const { instance } = slot;
        const outcome = await this.#forward(slot);
        if (outcome.kind === "completed")
          return this.#result(instance, timers.outlived ? this.#late() : undefined);
        if (outcome.kind !== "upstream-error") return this.#result(instance, this.#ending ?? this.#gone());
        const canRetry = !outcome.mayHaveReachedApp && !outcome.started && attempt < MOST_ATTEMPTS;
        if (canRetry && (await this.#died(instance))) {
          if (this.#ending === undefined) continue;
          return this.#result(instance, this.#ending);
        }
        if (!outcome.started)
          this.#exchange.respond(platformAnswer(502, `${outcome.goMessage}\n`, `app-${outcome.diagnosis}`));
        leave();
        return await this.#broken(instance, outcome);
      }
    } catch (error) {
      this.#exchange.respond(platformAnswer(500, "", "internal"));
      return this.#result(undefined, { reason: "internal", detail: messageOf(error) });
    } finally {
      timers.clear();
      leave();
    }
  }

  take(slot: Slot): void {
    this.#resume?.(slot);
  }

  onTimeout(why: string): void {
    const { backend } = this.#lane;
    const cut = this.#exchange.responseStarted;
    const body = this.#mode === "Proxy" ? "activator request timeout" : "request timeout";
    let what = "no response had begun";
    if (cut) what = this.#exchange.status === 101 ? "the connection was closed" : "the response was cut off";
    else if (backend.ready.length === 0) what = `no instance was ready (${backend.explain()})`;
    this.#end({ reason: "timeout", detail: `${why}: ${what}` });
    this.#exchange.cut(platformAnswer(504, body, "timeout"));
  }

  /** The session ends while the request waits. */
  abandon(): void {
    this.#end({ reason: "shutting-down", detail: "kserve-local is stopping" });
    this.#exchange.respond(platformAnswer(503, "shutting down\n", "shutting-down"));
  }

  /** The first reason counts. */
  #end(ending: Ending): void {
    this.#ending ??= ending;
    this.#resume?.();
  }

  /** Waits for a slot; undefined when it will not get one, and then the reason is noted and the client answered. */
  #hold(): Promise<Slot | undefined> {
    const { throttler, backend } = this.#lane;
    if (this.#deps.closing) this.abandon();
    if (this.#ending !== undefined) return Promise.resolve(undefined);
    if (!throttler.enter(this)) {
      const waiting = `${throttler.waiting} requests wait for ${backend.plan.name} already`;
      const detail = `${waiting}; more instances (max-scale) or a higher containerConcurrency would take them`;
      this.#end({ reason: "overload", detail });
      this.#exchange.respond(platformAnswer(503, "pending request queue full\n", "overload"));
      return Promise.resolve(undefined);
    }
    this.#deps.held.add(this);
    this.#watchClient();
    return new Promise((resolve) => {
      this.#resume = (slot) => {
        this.#resume = undefined;
        this.#deps.held.delete(this);
        if (slot === undefined) throttler.leave(this);
        resolve(slot);
      };
    });
  }

  /** Only while it waits: what is forwarded says itself that the client has gone. */
  #watchClient(): void {
    if (this.#watchesClient) return;
    this.#watchesClient = true;
    void this.#exchange.finished.then(() => {
      if (this.#resume !== undefined && !this.#answered) this.#end(this.#gone());
    });
  }

  async #forward(slot: Slot): Promise<ForwardOutcome> {
    try {
      const headers = this.#mode === "Proxy" ? VIA_ACTIVATOR : DIRECT;
      return await this.#deps.proxy.forward(this.#exchange, this.#lane.upstreams.of(slot.instance), {
        headers,
      });
    } finally {
      slot.release();
    }
  }

  /** The client has its answer; the log waits a moment, to say whether the instance died of it. */
  async #broken(instance: Instance, outcome: UpstreamErrorOutcome): Promise<ServeResult> {
    const { realClock } = this.#deps;
    this.#answered = true;
    const ended = this.#exchange.finished.then(() => realClock.now());
    await this.#died(instance);
    const detail = explainFailure(outcome, instance);
    const result = this.#result(instance, { reason: `app-${outcome.diagnosis}`, detail });
    return { ...result, endedAt: await ended };
  }

  /**
   * The instance could not be reached at all. If it turns out to have died, the request goes to another one; it is not
   * a retry, since nothing has reached the app. If it lives, it refuses, and that is its answer.
   */
  #died(instance: Instance): Promise<boolean> {
    if (instance.state !== "ready") return Promise.resolve(true);
    if (!this.#answered) this.#watchClient();
    return new Promise((resolve) => {
      const settle = (died: boolean): void => {
        this.#resume = undefined;
        cancel();
        unsubscribe();
        resolve(died);
      };
      const cancel = this.#deps.realClock.after(DEATH_NOTICE_MS, () => settle(false));
      const unsubscribe = this.#lane.backend.onInstance((changed) => {
        if (changed === instance) settle(true);
      });
      this.#resume = () => settle(true);
    });
  }

  #gone(): Ending {
    const detail = "the client went away before the answer was complete";
    return { reason: "client-gone", detail, status: this.#exchange.status ?? 499 };
  }

  #late(): Ending {
    const { timeoutMs } = this.#lane.backend.plan;
    const field = `spec.template.spec.timeoutSeconds (${timeoutMs / 1000} s)`;
    const detail = `the response went on after ${field}; Knative from 1.19 on cuts it off there, as --timeout-semantics total does`;
    return { detail };
  }

  /** Nearly every request ends well: that object is written out, since spreading shows in a profile. */
  #result(instance: Instance | undefined, ending: Ending | undefined): ServeResult {
    if (instance !== undefined && ending === undefined)
      return { instance: instance.name, queuedMs: this.#queuedMs, coldStart: this.#coldStart };
    return {
      ...(instance === undefined ? {} : { instance: instance.name }),
      queuedMs: this.#queuedMs,
      coldStart: this.#coldStart,
      ...ending,
    };
  }
}
