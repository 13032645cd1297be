/**
 * Level-triggered reconciling: a key that is added while it is being worked on runs once more afterwards, and never
 * twice at the same time. Keys run side by side.
 */
export class WorkQueue {
  readonly #reconcile: (key: string) => void | Promise<void>;
  readonly #onError: (key: string, error: unknown) => void;
  readonly #running = new Map<string, Promise<void>>();
  readonly #again = new Set<string>();
  #closed = false;

  constructor(
    reconcile: (key: string) => void | Promise<void>,
    onError: (key: string, error: unknown) => void,
  ) {
    this.#reconcile = reconcile;
    this.#onError = onError;
  }

  add(key: string): void {
    if (this.#closed) return;
    if (this.#running.has(key)) {
      this.#again.add(key);
      return;
    }
    const run = Promise.resolve()
      .then(() => this.#reconcile(key))
      .catch((error: unknown) => this.#onError(key, error))
      .finally(() => {
        this.#running.delete(key);
        if (this.#again.delete(key)) this.add(key);
      });
    this.#running.set(key, run);
  }

  /** Takes nothing more and resolves when what runs has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#running.values());
  }
}
