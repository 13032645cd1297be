import { Cohorts } from "./requests-model-cohorts.ts";
import type { RequestsLedger } from "./requests-model-ledger.ts";

export interface RequestsModelLimits {
  /** How long a request takes, once it has a place. */
  readonly requestMs: number;
  /** How many may wait; the next one is refused. */
  readonly queueLimit: number;
  /** How long one may wait. */
  readonly timeoutMs: number;
}

/** Sums of floating-point amounts differ by less than this. */
const NOTHING = 1e-6;

/**
 * The load as a number of clients, of whom each sends its next request when it has its answer: as a flow, not one by one,
 * so that a stretch without change costs the same whatever the numbers. A client that was refused tries again after the
 * time that a request takes. One that is to stop stops with its answer, so those that wait are still served.
 */
export class ClosedRequests {
  readonly #limits: RequestsModelLimits;
  readonly #ledger: RequestsLedger;
  readonly #waiting = new Cohorts();
  #busy = 0;
  #sent = 0;

  constructor(limits: RequestsModelLimits, ledger: RequestsLedger) {
    this.#limits = limits;
    this.#ledger = ledger;
  }

  get waiting(): number {
    return this.#waiting.total;
  }

  /** Requests under way, those that wait included, while so many clients are at work. */
  concurrency(clients: number): number {
    return this.waiting > clients + NOTHING ? this.waiting : clients;
  }

  /** Requests sent since this was last asked. */
  takeSent(): number {
    const sent = this.#sent;
    this.#sent = 0;
    return sent;
  }

  /** From one time to another (ms) there are so many clients, and places for so many requests at a time. */
  flow(from: number, to: number, clients: number, places: number): void {
    const { requestMs } = this.#limits;
    this.#giveUp(from);
    this.#adjust(from, to, clients, places);
    this.#fill(from, places);
    if (this.#busy <= 0) return;
    const rate = this.#busy / requestMs;
    const drained = this.#drain(from, to, clients, rate);
    this.#ledger.served += rate * (to - from);
    if (drained >= to) return;
    if (this.waiting > NOTHING) this.#queue(drained, to, rate);
    this.#sent += rate * (to - drained);
  }

  #giveUp(now: number): void {
    const { timeoutMs } = this.#limits;
    while (this.#waiting.oldest + timeoutMs <= now) {
      this.#ledger.timedOut += this.#waiting.take(Infinity).amount;
    }
  }

  /** Clients come and go; those beyond what may wait are sent away. */
  #adjust(from: number, to: number, clients: number, places: number): void {
    const { queueLimit, requestMs } = this.#limits;
    const away = Math.max(0, clients - (places + queueLimit));
    this.#ledger.refused += (away * (to - from)) / requestMs;
    const missing = clients - away - (this.#busy + this.waiting);
    if (missing > 0) {
      this.#waiting.push(missing, from);
      this.#sent += missing;
    } else this.#busy = Math.max(0, this.#busy + missing);
  }

  #fill(now: number, places: number): void {
    let free = places - this.#busy;
    while (free > 0 && this.waiting > 0) {
      const { amount, from, to } = this.#waiting.take(free);
      this.#ledger.started(amount, now - from, now - to);
      this.#busy += amount;
      free -= amount;
    }
  }

  /** More are under way than there are clients: answers bring no new requests. Gives the time when that is over. */
  #drain(from: number, to: number, clients: number, rate: number): number {
    const surplus = this.#busy + this.waiting - clients;
    if (surplus <= NOTHING) return from;
    const amount = Math.min(surplus, this.waiting, rate * (to - from));
    this.#consume(amount, from, rate);
    // Without anyone waiting, the next `adjust` takes the rest away.
    return this.waiting <= NOTHING && amount < surplus ? to : from + amount / rate;
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
      const group = this.#waiting.take(left);
      const end = at + group.amount / rate;
      this.#ledger.started(group.amount, at - group.from, end - group.to);
      left -= group.amount;
      at = end;
    }
  }
}
