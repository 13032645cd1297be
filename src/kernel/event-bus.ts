/**
 * Typed events, delivered synchronously and in order. A listener that throws is our bug: it is reported through
 * `onListenerError`, and the other listeners still run.
 */
export class EventBus<E extends { readonly type: string }> {
  readonly #listeners = new Set<(event: E) => void>();
  readonly #onListenerError: (error: unknown, event: E) => void;

  constructor(
    onListenerError: (error: unknown, event: E) => void = (error) => {
      queueMicrotask(() => {
        throw error;
      });
    },
  ) {
    this.#onListenerError = onListenerError;
  }

  /** Returns the function that unsubscribes. */
  subscribe(listener: (event: E) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(event: E): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#onListenerError(error, event);
      }
    }
  }
}
