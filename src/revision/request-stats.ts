/**
 * What the autoscaler is told about a revision's requests: the time-averaged number in flight (waiting ones included,
 * as the activator and queue-proxy count them) and how many arrived, for each second.
 */
export interface RequestStat {
  readonly concurrency: number;
  readonly requests: number;
}

export class RequestStats {
  #inFlight = 0;
  #arrived = 0;
  /** Integral of the requests in flight over time since the last sample, in requests x ms. */
  #area = 0;
  #changedAt: number;
  #sampledAt: number;
  #lastActiveAt: number | undefined;

  /** `now` in ms, here and below. */
  constructor(now: number) {
    this.#changedAt = now;
    this.#sampledAt = now;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** When a request was last in flight; now while one is; undefined before the first. */
  lastActive(now: number): number | undefined {
    return this.#inFlight > 0 ? now : this.#lastActiveAt;
  }

  arrive(now: number): void {
    this.#advance(now);
    this.#inFlight += 1;
    this.#arrived += 1;
  }

  leave(now: number): void {
    this.#advance(now);
    this.#inFlight -= 1;
    this.#lastActiveAt = now;
  }

  /** The average since the last sample, and a fresh start. A sample of no time gives what is in flight now. */
  sample(now: number): RequestStat {
    this.#advance(now);
    const elapsed = now - this.#sampledAt;
    const stat = {
      concurrency: elapsed > 0 ? this.#area / elapsed : this.#inFlight,
      requests: this.#arrived,
    };
    this.#area = 0;
    this.#arrived = 0;
    this.#sampledAt = now;
    return stat;
  }

  #advance(now: number): void {
    this.#area += this.#inFlight * Math.max(0, now - this.#changedAt);
    this.#changedAt = Math.max(this.#changedAt, now);
  }
}
