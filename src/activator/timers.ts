/**
 * The three timers of one request (BEHAVIOUR 5; knative/serving pkg/http/handler/timeout.go), on one timer of the clock.
 * All count from arrival. `total`: timeoutSeconds bounds the whole response (Knative from 1.19). `first-byte`: it bounds
 * the wait for the first byte (Knative up to 1.18, and the products that the gke profile follows).
 *
 * A 101 and what flows after it are no writes to Knative's timers, since the connection is taken away from its response
 * writer: so each of them ends a WebSocket, however busy (conformance/queue-proxy websocket-*.txt).
 */
import type { CancelTimer, Clock } from "../kernel/clock.ts";
import type { Exchange } from "../proxy/exchange.ts";
import type { RevisionPlan } from "../revision/plan.ts";

export type TimeoutSemantics = "total" | "first-byte";

/** The YAML fields behind the timers. */
const FIELDS = {
  total: "spec.template.spec.timeoutSeconds",
  start: "spec.template.spec.responseStartTimeoutSeconds",
  idle: "spec.template.spec.idleTimeoutSeconds",
} as const;

type TimerName = keyof typeof FIELDS;

export interface TimerWatcher {
  /** At most once: a timer has run out. `why` names it with its YAML field, in one clause. */
  onTimeout(why: string): void;
}

type TimedExchange = Pick<Exchange, "responseStarted" | "status" | "onWrite">;

const NEVER = Infinity;

export class RequestTimers {
  readonly #plan: RevisionPlan;
  readonly #semantics: TimeoutSemantics;
  readonly #clock: Clock;
  readonly #exchange: TimedExchange;
  readonly #watcher: TimerWatcher;
  /** When each runs out, ms of the clock. */
  #totalAt: number;
  #startAt = NEVER;
  #idleAt = NEVER;
  #lastWriteAt = 0;
  #cancel: CancelTimer;
  #outlived = false;

  constructor(
    plan: RevisionPlan,
    options: { readonly semantics: TimeoutSemantics; readonly clock: Clock },
    exchange: TimedExchange,
    watcher: TimerWatcher,
  ) {
    this.#plan = plan;
    this.#semantics = options.semantics;
    this.#clock = options.clock;
    this.#exchange = exchange;
    this.#watcher = watcher;
    const now = this.#clock.now();
    this.#totalAt = now + plan.timeoutMs;
    if (plan.responseStartTimeoutMs !== undefined) this.#startAt = now + plan.responseStartTimeoutMs;
    if (plan.idleTimeoutMs !== undefined) {
      this.#lastWriteAt = now;
      this.#idleAt = now + plan.idleTimeoutMs;
      exchange.onWrite = () => {
        if (exchange.status !== 101) this.#lastWriteAt = this.#clock.now();
      };
    }
    this.#cancel = this.#arm(now);
  }

  /** The response was still under way when timeoutSeconds had passed, and `first-byte` let it go on. */
  get outlived(): boolean {
    return this.#outlived;
  }

  clear(): void {
    this.#cancel();
  }

  #arm(now: number): CancelTimer {
    const next = Math.min(this.#totalAt, this.#startAt, this.#idleAt);
    return next === NEVER ? () => undefined : this.#clock.after(next - now, this.#look);
  }

  readonly #look = (): void => {
    const now = this.#clock.now();
    const fired = this.#due(now);
    if (fired === undefined) this.#cancel = this.#arm(now);
    else this.#watcher.onTimeout(fired);
  };

  #due(now: number): string | undefined {
    const written = this.#exchange.responseStarted && this.#exchange.status !== 101;
    if (this.#totalAt <= now) {
      if (this.#semantics === "total" || !written) return this.#why("total", this.#plan.timeoutMs);
      this.#outlived = true;
      this.#totalAt = NEVER;
    }
    if (this.#startAt <= now) {
      if (!written) return this.#why("start", this.#plan.responseStartTimeoutMs);
      this.#startAt = NEVER;
    }
    if (this.#idleAt <= now) {
      const { idleTimeoutMs = 0 } = this.#plan;
      this.#idleAt = this.#lastWriteAt + idleTimeoutMs;
      if (this.#idleAt <= now) return this.#why("idle", idleTimeoutMs);
    }
    return undefined;
  }

  #why(name: TimerName, ms = 0): string {
    const timer = `${FIELDS[name]} (${ms / 1000} s)`;
    if (name === "idle") return `${timer} has passed without a byte of the response`;
    return `${timer} has passed since the request arrived`;
  }
}
