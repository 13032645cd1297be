import { type CancelTimer, type Clock, sleepOn } from "../../src/kernel/clock.ts";

/** A clock that stands still until told: `advance` runs every timer that falls due, in order of time. */
export class FakeClock implements Clock {
  #now: number;
  #sequence = 0;
  readonly #timers = new Map<number, { at: number; run: () => void }>();

  constructor(start = 1_000_000_000_000) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): CancelTimer {
    const id = ++this.#sequence;
    this.#timers.set(id, { at: this.#now + Math.max(0, ms), run });
    return () => this.#timers.delete(id);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn((delay, run) => this.after(delay, run), ms, signal);
  }

  /** Timers that are set and neither run nor cancelled: a test of cleanliness. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves on by `ms`, letting promises settle after each timer that runs. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      let next: { id: number; at: number; run: () => void } | undefined;
      for (const [id, timer] of this.#timers) {
        if (timer.at <= end && (next === undefined || timer.at < next.at)) next = { id, ...timer };
      }
      if (next === undefined) break;
      this.#timers.delete(next.id);
      this.#now = Math.max(this.#now, next.at);
      next.run();
      await settle();
    }
    this.#now = end;
    await settle();
  }
}

/** Lets every promise that can settle do so, without passing time. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
