/** A revision whose instances a test makes ready by hand: for the throttler, which looks no further. */
import type { InstanceState } from "../../src/resources/instance-state.ts";
import type { RevisionBackend } from "../../src/revision/backend.ts";
import { Instance } from "../../src/revision/instance.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { FakeEngine } from "../support/fake-engine.ts";
import { GKE, planOf } from "../revision/rig.ts";

export class HandBackend implements RevisionBackend {
  readonly plan;
  readonly clock = new FakeClock();
  readonly engine = new FakeEngine({ clock: this.clock });
  ready: Instance[] = [];
  mode: "Proxy" | "Serve" = "Proxy";
  readonly #listeners = new Set<(instance: Instance, state: InstanceState) => void>();
  #count = 0;

  constructor(containerConcurrency: number) {
    this.plan = planOf({ containerConcurrency });
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  async addInstance(): Promise<Instance> {
    this.#count += 1;
    const instance = new Instance(`hello-${this.#count}`, this.plan, {
      engine: this.engine,
      clock: this.clock,
      realClock: systemClock(),
      termination: GKE,
      startDeadlineMs: 240_000,
      onLog: () => undefined,
      onState: (changed, _from, to) => {
        if (to === "ready") this.ready.push(changed);
        else this.ready = this.ready.filter((other) => other !== changed);
        for (const listener of this.#listeners) listener(changed, to);
      },
    });
    await instance.start();
    return instance;
  }

  health(): Promise<boolean> {
    return Promise.resolve(true);
  }

  arrive(): () => void {
    return () => undefined;
  }

  onInstance(listener: (instance: Instance, state: InstanceState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  explain(): string {
    return "by hand";
  }
}
