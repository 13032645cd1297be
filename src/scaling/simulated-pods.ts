import type { SimulatedPods } from "./trace.ts";

/** Instances in virtual time. Each becomes ready `startDelay` after it was asked for; the newest are stopped first. */
export class PodSimulation {
  readonly #startDelay: number;
  /** Per instance the second in which it is ready, oldest first: so the values never fall. */
  readonly #readyAt: number[] = [];
  #ready = 0;

  constructor(pods: SimulatedPods, initialScale: number) {
    this.#startDelay = pods.neverReady === true ? Infinity : (pods.startDelay ?? 0);
    if (pods.start === "new") this.scaleTo(initialScale, 0);
    if (pods.start === "running") this.#readyAt.push(...Array.from({ length: pods.running ?? 1 }, () => 0));
    this.advance(0);
  }

  get replicas(): number {
    return this.#readyAt.length;
  }

  get ready(): number {
    return this.#ready;
  }

  /** When the next one becomes ready that is not; Infinity if none will. */
  get nextReadyAt(): number {
    return this.#readyAt[this.#ready] ?? Infinity;
  }

  /** `second` must not go back. */
  advance(second: number): void {
    while (this.#ready < this.#readyAt.length && (this.#readyAt[this.#ready] ?? Infinity) <= second)
      this.#ready++;
  }

  scaleTo(replicas: number, second: number): void {
    while (this.#readyAt.length < replicas) this.#readyAt.push(second + this.#startDelay);
    this.#readyAt.length = replicas;
    this.#ready = Math.min(this.#ready, replicas);
  }
}
