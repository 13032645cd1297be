/**
 * Holds the requests of one revision until an instance has a free slot: first in, first out, and only so many
 * (knative/serving pkg/activator/net/throttler.go, pkg/queue/breaker.go). A slot is a value: whoever holds it gives it
 * back.
 */
import type { Instance } from "../revision/instance.ts";
import type { RevisionBackend } from "../revision/backend.ts";
import { type PickState, pick } from "./pick.ts";

/** Knative's activator lets this many requests wait for one revision. */
export const ACTIVATOR_QUEUE_LIMIT = 10_000;
/** Its queue-proxy lets this many times containerConcurrency wait for its own instance. */
export const BREAKER_QUEUE_FACTOR = 10;

/** Room for one request on an instance. */
export class Slot {
  readonly instance: Instance;
  readonly #release: () => void;
  readonly #released: () => void;
  #held = true;

  constructor(instance: Instance, released: () => void) {
    this.instance = instance;
    this.#release = instance.reserve();
    this.#released = released;
  }

  /** Works once. */
  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#release();
    this.#released();
  }
}

export interface Waiter {
  take(slot: Slot): void;
}

export class Throttler {
  readonly #backend: RevisionBackend;
  readonly #random: () => number;
  /** In order of arrival; a Set, so that a client that leaves costs nothing to find. */
  readonly #waiters = new Set<Waiter>();
  readonly #unsubscribe: () => void;
  readonly #onReleased = (): void => this.#dispatch();
  #pickState: PickState = { next: 0 };

  constructor(backend: RevisionBackend, random: () => number) {
    this.#backend = backend;
    this.#random = random;
    this.#unsubscribe = backend.onInstance(this.#onReleased);
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  /**
   * How many may wait: the activator's own limit while requests come through it, and what the breakers of the ready
   * instances hold together while they do not. One queue stands for all of these, so that a request that waits is bound
   * to no instance and is not lost with one.
   */
  get limit(): number {
    const { mode, plan, ready } = this.#backend;
    if (mode === "Proxy") return ACTIVATOR_QUEUE_LIMIT;
    return BREAKER_QUEUE_FACTOR * plan.containerConcurrency * ready.length;
  }

  /** A slot that is free now, unless others wait for one already. */
  tryAcquire(): Slot | undefined {
    return this.#waiters.size === 0 ? this.#take() : undefined;
  }

  /** Queues up for a slot, which `take` gets, not before this has returned. False: too many wait already. */
  enter(waiter: Waiter): boolean {
    if (this.#waiters.size >= this.limit) return false;
    this.#waiters.add(waiter);
    return true;
  }

  /** Leaves the queue. Harmless for who is not in it. */
  leave(waiter: Waiter): void {
    this.#waiters.delete(waiter);
  }

  /** Lets go of the revision; what still waits is left to its deadline. */
  close(): void {
    this.#unsubscribe();
  }

  #dispatch(): void {
    if (this.#waiters.size === 0) return;
    for (const waiter of this.#waiters) {
      const slot = this.#take();
      if (slot === undefined) return;
      this.#waiters.delete(waiter);
      waiter.take(slot);
    }
  }

  #take(): Slot | undefined {
    const { ready, plan } = this.#backend;
    const { index, state } = pick(ready, plan.containerConcurrency, this.#pickState, this.#random);
    this.#pickState = state;
    const instance = index === undefined ? undefined : ready[index];
    return instance === undefined ? undefined : new Slot(instance, this.#onReleased);
  }
}
