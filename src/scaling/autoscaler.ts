import { forecast } from "./forecast.ts";
import { Kpa, type Start } from "./kpa.ts";
import type { Decision, NextChange, ScaleOutcome, Seen, SeenReplicas, Stat } from "./outcome.ts";
import type { ScalingSettings } from "./settings.ts";

export type { Decision, NextChange, ScaleOutcome, Seen, SeenReplicas, Stat } from "./outcome.ts";

/**
 * The autoscaler of one revision. It knows no clock: every method takes the time in ms, which must not go back. Call
 * `record` at the end of each second in which there was a ready instance or a request, `tick` every two seconds and
 * whenever `record` says so, `reconcile` each second and after each tick, and run as many instances as it then says.
 * Nothing here fails, whatever the numbers.
 *
 * Two calls of `record` within one second of the clock add up, and a second without one counts as zero: so let the
 * samples keep to a grid of whole seconds, rather than each wait a second for the next. While instances are starting
 * zeros may be recorded too: without any data a decision stays as it is, and a start that never succeeds is never ended.
 */
export class Autoscaler {
  readonly settings: ScalingSettings;
  readonly #kpa: Kpa;
  #lastTick: number;
  #busy = false;
  /** The answer is a moment, so one look ahead serves the whole quiet time. */
  #ahead: { readonly of: string; readonly change: NextChange | undefined } | undefined;

  constructor(settings: ScalingSettings, start: Start) {
    this.settings = settings;
    this.#kpa = new Kpa(settings, start);
    this.#lastTick = start.now;
  }

  /** The last decision. */
  get decision(): Decision {
    return this.#kpa.decision;
  }

  /**
   * Takes the load of the second that ended at `now`, or, for a request that comes at zero, of this very moment. True:
   * requests have come while none was wanted, so `tick` is due at once (Knative's Poke).
   */
  record(now: number, stat: Stat): boolean {
    this.#busy = stat.concurrency > 0 || stat.requests > 0;
    if (this.#busy) this.#ahead = undefined;
    return this.#kpa.record(now, stat);
  }

  tick(now: number, seen: Seen): Decision {
    this.#lastTick = now;
    return this.#kpa.tick(now, seen);
  }

  reconcile(now: number, seen: SeenReplicas): ScaleOutcome {
    const outcome = this.#kpa.reconcile(now, seen);
    const nextChange = this.#nextChange(now, {
      ready: Math.min(seen.ready, outcome.replicas),
      replicas: outcome.replicas,
      reachable: seen.reachable,
    });
    return nextChange === undefined ? outcome : { ...outcome, nextChange };
  }

  #nextChange(now: number, seen: SeenReplicas): NextChange | undefined {
    if (this.#busy) return undefined;
    const of = `${seen.ready}/${seen.replicas}/${seen.reachable}`;
    const due = this.#ahead?.change !== undefined && this.#ahead.change.at <= now;
    if (this.#ahead?.of !== of || due) {
      this.#ahead = { of, change: forecast(this.#kpa, now, this.#lastTick, seen) };
    }
    return this.#ahead?.change;
  }
}
