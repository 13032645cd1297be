/**
 * Holds the requests of one revision until an instance has a free slot: first in, first out, at most `queueLimit`
 * waiting (knative/serving pkg/activator/net/throttler.go). A slot is a value: whoever holds it gives it back.
 */
import type { Instance } from "../revision/instance.ts";
import type { RevisionBackend } from "../revision/backend.ts";
import { type PickState, pick } from "./pick.ts";

/** Knative's activator lets this many requests wait for one revision. */
export const ACTIVATOR_QUEUE_LIMIT = 10_000;

export interface Slot {
  readonly instance: Instance;
  /** Works once. */
  release(): void;
}

/** The queue is full: the request is refused with 503. */
export class QueueFullError extends Error {
  override readonly name = "QueueFullError";
}

interface Waiter {
  give(slot: Slot): void;
}

export class Throttler {
  readonly #backend: RevisionBackend;
  readonly #queueLimit: number;
  readonly #random: () => number;
  /** In order of arrival; a Set, so that a client that leaves costs nothing to find. */
  readonly #waiters = new Set<Waiter>();
  readonly #unsubscribe: () => void;
  #pickState: PickState = { next: 0 };

  constructor(
    backend: RevisionBackend,
    options: { readonly random: () => number; readonly queueLimit?: number },
  ) {
    this.#backend = backend;
    this.#random = options.random;
    this.#queueLimit = options.queueLimit ?? ACTIVATOR_QUEUE_LIMIT;
    this.#unsubscribe = backend.onInstance(() => this.#dispatch());
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  /** A slot that is free now, unless others wait for one already. */
  tryAcquire(): Slot | undefined {
    return this.#waiters.size === 0 ? this.#take() : undefined;
  }

  /**
   * A slot on a ready instance, at once or when one is free. Rejects with the signal's reason when it aborts, and with
   * QueueFullError when too many wait.
   */
  acquire(signal: AbortSignal): Promise<Slot> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    const slot = this.tryAcquire();
    if (slot !== undefined) return Promise.resolve(slot);
    if (this.#waiters.size >= this.#queueLimit)
      return Promise.reject(
        new QueueFullError(`${this.#waiters.size} requests wait for ${this.#backend.plan.name} already`),
      );
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiters.delete(waiter);
        reject(signal.reason as Error);
      };
      const waiter: Waiter = {
        give: (given) => {
          signal.removeEventListener("abort", onAbort);
          resolve(given);
        },
      };
      this.#waiters.add(waiter);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Lets go of the revision; what still waits is left to its deadline. */
  close(): void {
    this.#unsubscribe();
  }

  #dispatch(): void {
    for (const waiter of this.#waiters) {
      const slot = this.#take();
      if (slot === undefined) return;
      this.#waiters.delete(waiter);
      waiter.give(slot);
    }
  }

  #take(): Slot | undefined {
    const { ready } = this.#backend;
    const { index, state } = pick(
      ready,
      this.#backend.plan.containerConcurrency,
      this.#pickState,
      this.#random,
    );
    this.#pickState = state;
    const instance = index === undefined ? undefined : ready[index];
    if (instance === undefined) return undefined;
    const release = instance.reserve();
    return {
      instance,
      release: () => {
        release();
        this.#dispatch();
      },
    };
  }
}
