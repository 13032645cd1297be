/**
 * The timers of one request (BEHAVIOUR 5; knative/serving pkg/http/handler/timeout.go). All count from arrival.
 * `total`: timeoutSeconds bounds the whole response (Knative from 1.19). `first-byte`: it bounds the wait for the
 * first byte (Knative up to 1.18, and the products that the gke profile follows).
 */
import type { CancelTimer, Clock } from "../kernel/clock.ts";
import type { Exchange } from "../proxy/exchange.ts";
import type { RevisionPlan } from "../revision/plan.ts";

export type TimeoutSemantics = "total" | "first-byte";

/** The reason of the signal: which timer, and the YAML field behind it. */
export class TimerFired extends Error {
  override readonly name = "TimerFired";
}

export class RequestTimers {
  readonly #controller = new AbortController();
  readonly #cancels: CancelTimer[] = [];

  constructor(plan: RevisionPlan, semantics: TimeoutSemantics, clock: Clock, exchange: Exchange) {
    const fire = (field: string, ms: number): void =>
      this.#controller.abort(
        new TimerFired(`${field} (${ms / 1000} s) has passed since the request arrived`),
      );
    this.#cancels.push(
      clock.after(plan.timeoutMs, () => {
        if (semantics === "total" || !exchange.responseStarted)
          fire("spec.template.spec.timeoutSeconds", plan.timeoutMs);
      }),
    );
    const { responseStartTimeoutMs } = plan;
    if (responseStartTimeoutMs !== undefined)
      this.#cancels.push(
        clock.after(responseStartTimeoutMs, () => {
          if (!exchange.responseStarted)
            fire("spec.template.spec.responseStartTimeoutSeconds", responseStartTimeoutMs);
        }),
      );
    if (plan.idleTimeoutMs !== undefined) this.#watchIdle(plan.idleTimeoutMs, clock, exchange);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  clear(): void {
    for (const cancel of this.#cancels) cancel();
  }

  /** Fires when nothing was written for that long, also before the first write; one timer, re-armed when it looks. */
  #watchIdle(idleMs: number, clock: Clock, exchange: Exchange): void {
    let lastWrite = clock.now();
    exchange.onWrite = () => {
      lastWrite = clock.now();
    };
    const look = (): void => {
      const left = lastWrite + idleMs - clock.now();
      if (left > 0) {
        cancel = clock.after(left, look);
        return;
      }
      this.#controller.abort(
        new TimerFired(
          `spec.template.spec.idleTimeoutSeconds (${idleMs / 1000} s) has passed without a byte of the response`,
        ),
      );
    };
    let cancel = clock.after(idleMs, look);
    this.#cancels.push(() => cancel());
  }
}
