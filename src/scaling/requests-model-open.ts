import { Cohorts } from "./requests-model-cohorts.ts";
import type { RequestTimes } from "./requests-model-closed.ts";
import type { RequestsLedger } from "./requests-model-ledger.ts";

/** Requests that come by themselves, whether or not the ones before have been answered: one by one, or a few at a time. */
export class OpenRequests {
  readonly #times: RequestTimes;
  readonly #ledger: RequestsLedger;
  readonly #waiting = new Cohorts();
  /** By the time of their end, which is in the order of their beginning: all take the same time. */
  readonly #running = new Cohorts();
  #places = 0;
  #now = 0;
  #area = 0;
  #sent = 0;

  constructor(times: RequestTimes, ledger: RequestsLedger) {
    this.#times = times;
    this.#ledger = ledger;
  }

  get waiting(): number {
    return this.#waiting.total;
  }

  get underWay(): number {
    return this.#waiting.total + this.#running.total;
  }

  /** What a second's sample is made of: requests under way times ms, and requests sent, since this was last asked. */
  takeSample(): { readonly area: number; readonly sent: number } {
    const sample = { area: this.#area, sent: this.#sent };
    this.#area = 0;
    this.#sent = 0;
    return sample;
  }

  /** From `now` (ms) on there are places for so many requests at a time. */
  setPlaces(now: number, places: number): void {
    this.advance(now);
    this.#places = places;
    this.#fill();
  }

  /** Beyond `queueLimit` waiting they are refused. */
  arrive(now: number, amount: number, queueLimit: number): void {
    this.advance(now);
    this.#sent += amount;
    const free = Math.max(0, this.#places - this.#running.total);
    const taken = Math.min(amount, free + Math.max(0, queueLimit - this.waiting));
    this.#ledger.refused += amount - taken;
    if (taken <= free && this.waiting === 0) {
      this.#running.push(taken, now + this.#times.requestMs);
      return;
    }
    this.#waiting.push(taken, now);
    this.#fill();
  }

  /** `to` must not go back. */
  advance(to: number): void {
    while (this.#running.oldest <= to) {
      this.#moveTo(this.#running.oldest);
      this.#ledger.served += this.#running.shift();
      if (this.waiting > 0) this.#fill();
    }
    this.#moveTo(to);
    this.#giveUp();
  }

  #moveTo(time: number): void {
    this.#area += this.underWay * (time - this.#now);
    this.#now = time;
  }

  #fill(): void {
    this.#giveUp();
    let free = this.#places - this.#running.total;
    while (free > 0 && this.waiting > 0) {
      const amount = this.#waiting.take(free);
      this.#ledger.started(amount, this.#now - this.#waiting.takenFrom);
      this.#running.push(amount, this.#now + this.#times.requestMs);
      free -= amount;
    }
  }

  #giveUp(): void {
    while (this.#waiting.oldest + this.#times.timeoutMs <= this.#now) {
      this.#ledger.timedOut += this.#waiting.shift();
    }
  }
}
