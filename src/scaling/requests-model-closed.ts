import { Cohorts } from "./requests-model-cohorts.ts";
import type { RequestsLedger } from "./requests-model-ledger.ts";

export interface RequestTimes {
  /** How long a request takes, once it has a place. */
  readonly requestMs: number;
  /** How long one may wait. */
  readonly timeoutMs: number;
}

/** What holds over a stretch of time. */
interface Conditions {
  readonly clients: number;
  /** How many requests have a place at a time. */
  readonly places: number;
  /** How many may wait; the next one is refused. */
  readonly queueLimit: number;
}

/** Sums of floating-point amounts differ by less than this. */
const NOTHING = 1e-6;

/**
 * The load as a number of clients, of whom each sends its next request when it has its answer: as a flow, not one by one,
 * so that a stretch without change costs the same whatever the numbers. A client that was refused tries again after the
 * time that a request takes. One that is to stop stops with its answer, so those that wait are still served.
 */
export class ClosedRequests {
  readonly #times: RequestTimes;
  readonly #ledger: RequestsLedger;
  readonly #waiting = new Cohorts();
  #busy = 0;
  #sent = 0;

  constructor(times: RequestTimes, ledger: RequestsLedger) {
    this.#times = times;
    this.#ledger = ledger;
  }

  get waiting(): number {
    return this.#waiting.total;
  }

  /** Requests under way, those that wait included, while so many clients are at work. */
  underWay(clients: number): number {
    const there = this.#busy + this.waiting;
    return this.waiting > NOTHING && there > clients + NOTHING ? there : clients;
  }

  /** Requests sent since this was last asked. */
  takeSent(): number {
    const sent = this.#sent;
    this.#sent = 0;
    return sent;
  }

  /** From one time to another, in ms. */
  flow(from: number, to: number, conditions: Conditions): void {
    const { clients, places } = conditions;
    this.#giveUp(from);
    this.#adjust(from, to, conditions);
    this.#fill(from, places);
    const time = this.#drain(from, to, clients);
    if (this.#busy <= 0 || time >= to) return;
    const rate = this.#busy / this.#times.requestMs;
    if (this.waiting > NOTHING) this.#queue(time, to, rate);
    this.#ledger.served += rate * (to - time);
    this.#sent += rate * (to - time);
  }

  #giveUp(now: number): void {
    const { timeoutMs } = this.#times;
    while (this.#waiting.oldest + timeoutMs <= now) {
      this.#ledger.timedOut += this.#waiting.shift();
    }
  }

  /** Clients come and go; those beyond what may wait are sent away. */
  #adjust(from: number, to: number, { clients, places, queueLimit }: Conditions): void {
    const there = this.#busy + this.waiting;
    // The limit may have fallen: who waits already is not sent away.
    const away = Math.max(0, clients - Math.max(places + queueLimit, there));
    this.#ledger.refused += (away * (to - from)) / this.#times.requestMs;
    const missing = clients - away - there;
    if (missing > 0) {
      this.#waiting.push(missing, from);
      this.#sent += missing;
    } else if (this.waiting <= NOTHING) this.#busy = Math.max(0, this.#busy + missing);
  }

  #fill(now: number, places: number): void {
    let free = places - this.#busy;
    while (free > 0 && this.waiting > 0) {
      const amount = this.#waiting.take(free);
      this.#ledger.started(amount, now - this.#waiting.takenFrom, now - this.#waiting.takenTo);
      this.#busy += amount;
      free -= amount;
    }
  }

  /**
   * While more are under way than there are clients, answers bring no new requests. Gives the time when that is over; the
   * last ones then have a place, and their answers are counted at once.
   */
  #drain(from: number, to: number, clients: number): number {
    const surplus = this.#busy + this.waiting - clients;
    if (surplus <= NOTHING || this.#busy <= 0) return from;
    const rate = this.#busy / this.#times.requestMs;
    const amount = Math.min(surplus, this.waiting, rate * (to - from));
    this.#consume(amount, from, rate);
    this.#ledger.served += amount;
    if (this.waiting <= NOTHING) {
      const leaving = Math.max(0, this.#busy - clients);
      this.#ledger.served += leaving;
      this.#busy -= leaving;
    }
    return from + amount / rate;
  }

  /** Every place is taken, and each answer brings a request that joins the queue. */
  #queue(from: number, to: number, rate: number): void {
    const { waiting } = this;
    const wait = waiting / rate;
    const amount = Math.min(waiting, rate * (to - from));
    this.#consume(amount, from, rate);
    const rest = to - from - wait;
    if (rest <= 0) this.#waiting.push(amount, from, to);
    else {
      this.#ledger.started(rate * rest, wait);
      this.#waiting.push(waiting, to - wait, to);
    }
  }

  #consume(amount: number, from: number, rate: number): void {
    let left = amount;
    let at = from;
    while (left > NOTHING && this.waiting > 0) {
      const taken = this.#waiting.take(left);
      const end = at + taken / rate;
      this.#ledger.started(taken, at - this.#waiting.takenFrom, end - this.#waiting.takenTo);
      left -= taken;
      at = end;
    }
  }
}
