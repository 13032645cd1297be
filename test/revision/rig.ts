/** A revision's plan, and one instance of it on the fake engine, with everything it said in order. */
import type { Engine, LogLine } from "../../src/engine/engine.ts";
import { type Clock, systemClock } from "../../src/kernel/clock.ts";
import type { InstanceState } from "../../src/resources/instance-state.ts";
import { Instance, type InstanceDeps, type TerminationPolicy } from "../../src/revision/instance.ts";
import type { RevisionPlan } from "../../src/revision/plan.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { fakeArtifact, FakeEngine } from "../support/fake-engine.ts";

export const GKE: TerminationPolicy = { drainMs: 300_000, quietMs: 0, graceMs: 10_000 };

export function planOf(changes: Partial<RevisionPlan> = {}): RevisionPlan {
  const main = { name: "user-container", artifact: fakeArtifact(), env: [], files: [], emptyDirs: [] };
  return {
    name: "hello-00001",
    uid: "00000000-0000-4000-8000-000000000001",
    service: "hello",
    namespace: "default",
    port: 8080,
    h2c: false,
    run: { service: "hello", revision: "hello-00001", main, port: 8080 },
    readinessProbe: { tcpSocket: {}, periodSeconds: 0, successThreshold: 1 },
    containerConcurrency: 0,
    timeoutMs: 300_000,
    annotations: {},
    ...changes,
  };
}

/** Resolves when `done` holds; `wake` is called whenever something may have changed. */
export class Watched {
  readonly #waiters = new Set<() => void>();

  wake(): void {
    for (const waiter of this.#waiters) waiter();
  }

  until(done: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!done()) return;
        this.#waiters.delete(check);
        resolve();
      };
      this.#waiters.add(check);
      check();
    });
  }
}

export interface Move {
  readonly instance: string;
  readonly from: InstanceState;
  readonly to: InstanceState;
  readonly reason: string;
}

/** One instance; its platform time stands still, its sockets are real. */
export class InstanceRig extends Watched {
  readonly clock = new FakeClock();
  readonly engine: FakeEngine;
  readonly instance: Instance;
  readonly moves: Move[] = [];
  readonly lines: LogLine[] = [];

  constructor(
    options: {
      readonly plan?: Partial<RevisionPlan>;
      readonly termination?: Partial<TerminationPolicy>;
      readonly startDeadlineMs?: number;
      /** Another engine than the fake one; made from the rig's clock. */
      readonly engine?: (clock: Clock) => Engine;
    } = {},
  ) {
    super();
    this.engine = new FakeEngine({ clock: this.clock });
    const deps: InstanceDeps = {
      engine: options.engine?.(this.clock) ?? this.engine,
      clock: this.clock,
      realClock: systemClock(),
      termination: { ...GKE, ...options.termination },
      startDeadlineMs: options.startDeadlineMs ?? 240_000,
      onState: (instance, from, to, reason) => {
        this.moves.push({ instance: instance.name, from, to, reason });
        this.wake();
      },
      onLog: (_instance, line) => void this.lines.push(line),
    };
    this.instance = new Instance("hello-00001-a", planOf(options.plan), deps);
  }

  /** The states it went through, the first included. */
  get path(): string {
    return ["pending", ...this.moves.map((move) => move.to)].join(" ");
  }

  reasonOf(to: InstanceState): string | undefined {
    return this.moves.find((move) => move.to === to)?.reason;
  }

  state(wanted: InstanceState): Promise<void> {
    return this.until(() => this.instance.state === wanted);
  }
}
