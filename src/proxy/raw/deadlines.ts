/**
 * Deadlines of many connections on one timer. A timer for each would have to be moved with every request; here a request
 * costs an assignment, and a deadline passes up to one tick late. Nothing runs while there is nothing to watch.
 */
import type { CancelTimer, Clock } from "../../kernel/clock.ts";

export interface Timed {
  /** The tick from which on `expire` is called, once for each tick; Infinity while nothing is waited for. */
  deadline: number;
  expire(): void;
}

export class Deadlines {
  readonly #clock: Clock;
  readonly #tickMs: number;
  readonly #watched = new Set<Timed>();
  #tick = 0;
  #cancel: CancelTimer | undefined;

  constructor(clock: Clock, tickMs: number) {
    this.#clock = clock;
    this.#tickMs = tickMs;
  }

  /** A tick at which at least `ms` will have passed. */
  notBefore(ms: number): number {
    return this.#tick + Math.ceil(ms / this.#tickMs) + 1;
  }

  /** A tick at which at most `ms` will have passed, one tick where `ms` is less. */
  notAfter(ms: number): number {
    return this.#tick + Math.max(1, Math.floor(ms / this.#tickMs));
  }

  watch(entry: Timed): void {
    this.#watched.add(entry);
    this.#cancel ??= this.#clock.after(this.#tickMs, this.#pass);
  }

  unwatch(entry: Timed): void {
    this.#watched.delete(entry);
    if (this.#watched.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  readonly #pass = (): void => {
    this.#tick += 1;
    this.#cancel = this.#clock.after(this.#tickMs, this.#pass);
    for (const entry of this.#watched) if (entry.deadline <= this.#tick) entry.expire();
  };
}
