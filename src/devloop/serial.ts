/**
 * Runs one thing at a time. What comes in meanwhile is merged into one more run; a run that has been overtaken is told
 * so by its signal, and its input, if it did not get done, is part of the next run.
 */

export interface SerialOptions<T> {
  /** Rejects on abort; resolving in spite of it counts as done. */
  run(input: T, signal: AbortSignal): Promise<void>;
  merge(first: T, second: T): T;
  /** Whether `next` makes the run of `running` pointless; default: always. */
  supersedes?(running: T, next: T): boolean;
  /** A run that failed by itself. Its input is not tried again: the next change will be. */
  onError(error: unknown): void;
}

export interface SerialRunner<T> {
  submit(input: T): void;
  /** Resolves when nothing runs and nothing waits. */
  idle(): Promise<void>;
  /** Aborts what runs, forgets what waits, and resolves when it has ended. Idempotent. */
  close(): Promise<void>;
}

/** After this many runs were cut short in a row the next one is let through, or a busy tree would starve us. */
const MOST_ABORTS = 4;

export function createSerialRunner<T>(options: SerialOptions<T>): SerialRunner<T> {
  return new Serial(options);
}

class Serial<T> implements SerialRunner<T> {
  readonly #options: SerialOptions<T>;
  #waiting: { readonly input: T } | undefined;
  #running: { readonly input: T; readonly abort: AbortController } | undefined;
  #loop: Promise<void> | undefined;
  #aborts = 0;
  #closed = false;

  constructor(options: SerialOptions<T>) {
    this.#options = options;
  }

  submit(input: T): void {
    if (this.#closed) return;
    this.#waiting = {
      input: this.#waiting === undefined ? input : this.#options.merge(this.#waiting.input, input),
    };
    this.#overtake(input);
    this.#loop ??= this.#work();
  }

  async idle(): Promise<void> {
    while (this.#loop !== undefined) await this.#loop;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting = undefined;
    this.#running?.abort.abort(new Error("closing"));
    await this.idle();
  }

  #overtake(next: T): void {
    const running = this.#running;
    if (running === undefined || running.abort.signal.aborted || this.#aborts >= MOST_ABORTS) return;
    if (this.#options.supersedes?.(running.input, next) === false) return;
    this.#aborts += 1;
    running.abort.abort(new Error("overtaken by a newer change"));
  }

  async #work(): Promise<void> {
    // Callers that submit several things in one turn mean one run.
    await Promise.resolve();
    for (let next = this.#take(); next !== undefined; next = this.#take()) await this.#runOne(next.input);
    this.#loop = undefined;
  }

  #take(): { readonly input: T } | undefined {
    const next = this.#waiting;
    this.#waiting = undefined;
    return next;
  }

  async #runOne(input: T): Promise<void> {
    const abort = new AbortController();
    this.#running = { input, abort };
    try {
      await this.#options.run(input, abort.signal);
      this.#aborts = 0;
    } catch (error) {
      if (!abort.signal.aborted) {
        this.#aborts = 0;
        this.#options.onError(error);
      } else if (!this.#closed) {
        const newer = this.#waiting;
        this.#waiting = { input: newer === undefined ? input : this.#options.merge(input, newer.input) };
      }
    } finally {
      this.#running = undefined;
    }
  }
}
