/**
 * Cleanup registered when a thing is acquired, run last in, first out. Every step runs even when an earlier one
 * fails; the failures come back together as one AggregateError. Idempotent: all callers share one run.
 */
export class Disposer {
  readonly #steps: Array<() => void | Promise<void>> = [];
  #run: Promise<void> | undefined;

  /** Registers a step; once disposal has begun the step runs at once, so that nothing acquired late is leaked. */
  defer(step: () => void | Promise<void>): void {
    if (this.#run !== undefined) {
      const late = Promise.resolve().then(step);
      this.#run = Promise.all([this.#run, late]).then(() => undefined);
      this.#run.catch(() => undefined);
      return;
    }
    this.#steps.push(step);
  }

  dispose(): Promise<void> {
    this.#run ??= this.#runSteps();
    return this.#run;
  }

  async #runSteps(): Promise<void> {
    const failures: unknown[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw new AggregateError(failures, `${failures.length} cleanup steps failed`);
  }
}
