/** What became of the requests. */
export interface RequestTotals {
  readonly served: number;
  /** Of those served: how many found no free place at first. */
  readonly held: number;
  /** 503: too many waited. */
  readonly refused: number;
  /** 504: waited for the whole timeout. */
  readonly timedOut: number;
  /** How long those that were held were held, in ms; undefined if none was. */
  readonly heldMs: { readonly p50: number; readonly p95: number; readonly max: number } | undefined;
}

/** A range of waits is booked in this many steps at most. */
const STEPS = 20;
/** Below this, in ms, nobody has waited: it is rounding. */
const NO_WAIT_MS = 1e-6;

/** Counts requests; with many at a time they are amounts, not whole numbers. */
export class RequestsLedger {
  refused = 0;
  timedOut = 0;
  served = 0;
  #held = 0;
  #longest = 0;
  /** Amounts by whole ms. */
  #waits = new Float64Array(4096);

  /** `amount` requests whose waits are spread evenly from one to the other, in ms. */
  started(amount: number, waitFrom: number, waitTo = waitFrom): void {
    const longest = Math.max(waitFrom, waitTo);
    if (longest < NO_WAIT_MS || amount <= 0) return;
    this.#held += amount;
    this.#longest = Math.max(this.#longest, longest);
    if (longest >= this.#waits.length - 1) this.#grow(longest);
    const steps = Math.max(1, Math.min(STEPS, Math.ceil(Math.abs(waitTo - waitFrom))));
    for (let step = 0; step < steps; step++) {
      const wait = Math.round(waitFrom + ((waitTo - waitFrom) * (step + 0.5)) / steps);
      this.#waits[wait] = (this.#waits[wait] ?? 0) + amount / steps;
    }
  }

  #grow(wait: number): void {
    const larger = new Float64Array(2 ** Math.ceil(Math.log2(wait + 2)));
    larger.set(this.#waits);
    this.#waits = larger;
  }

  totals(): RequestTotals {
    const { served, refused, timedOut } = this;
    return {
      served: Math.round(served),
      held: Math.round(this.#held),
      refused: Math.round(refused),
      timedOut: Math.round(timedOut),
      heldMs: Math.round(this.#held) === 0 ? undefined : this.#quantiles(),
    };
  }

  #quantiles(): { p50: number; p95: number; max: number } {
    const max = Math.round(this.#longest);
    const at = (part: number): number => {
      let left = this.#held * part;
      const wait = this.#waits.findIndex((amount) => (left -= amount) <= NO_WAIT_MS);
      return wait === -1 ? max : Math.min(wait, max);
    };
    return { p50: at(0.5), p95: at(0.95), max };
  }
}
