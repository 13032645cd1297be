/**
 * The instances of one revision: brings their number to what is wanted, replaces those that die (backing off when they
 * keep dying before they are ready), and says which are ready.
 */
import type { CancelTimer, Clock } from "../kernel/clock.ts";
import { Instance, type InstanceDeps } from "./instance.ts";
import { instanceName } from "./names.ts";
import type { RevisionPlan } from "./plan.ts";

/** Kubernetes' CrashLoopBackOff: the first restart at once, then 10 s doubling to 5 min. */
const BACKOFF_FIRST_MS = 10_000;
const BACKOFF_LONGEST_MS = 300_000;
/** An instance that lived this long starts the count anew. */
const STABLE_AFTER_MS = 10_000;

export interface InstanceSetDeps extends Omit<InstanceDeps, "onState"> {
  readonly clock: Clock;
  readonly random: () => number;
  onState: InstanceDeps["onState"];
  /** An instance failed; `attempt` counts failures in a row, from 1. */
  onFailure(instance: Instance, attempt: number): void;
}

export class InstanceSet {
  readonly #plan: RevisionPlan;
  readonly #deps: InstanceSetDeps;
  readonly #instances = new Set<Instance>();
  readonly #endings = new Set<Promise<void>>();
  #wanted = 0;
  #failures = 0;
  #backoff: CancelTimer | undefined;
  #closed = false;
  /** The next instance, which the engine may prepare for. */
  #next: { readonly name: string; takeBack(): Promise<void> } | undefined;

  constructor(plan: RevisionPlan, deps: InstanceSetDeps) {
    this.#plan = plan;
    this.#deps = deps;
  }

  /** In order of creation. */
  get ready(): readonly Instance[] {
    return [...this.#instances].filter((instance) => instance.state === "ready");
  }

  /** Those that exist and are not on their way out. */
  get live(): readonly Instance[] {
    return [...this.#instances].filter((instance) => LIVE.has(instance.state));
  }

  /** Those that are left in the engine, the dying included. */
  get all(): readonly Instance[] {
    return [...this.#instances];
  }

  get wanted(): number {
    return this.#wanted;
  }

  /** Brings the number of instances to `wanted`; idempotent. `reason` goes to the instances that are stopped. */
  scaleTo(wanted: number, reason: string): void {
    if (this.#closed) return;
    this.#wanted = wanted;
    if (wanted === 0) this.#forgiveFailures();
    const { live } = this;
    if (live.length > wanted) {
      for (const instance of inOrderOfLoss(live).slice(0, live.length - wanted)) this.#stop(instance, reason);
      return;
    }
    if (this.#backoff === undefined) for (let n = live.length; n < wanted; n += 1) this.#add();
  }

  /** Stops all: gracefully, or at once. Resolves when nothing is left. Starts nothing any more. */
  async close(reason: string, options: { readonly now?: boolean } = {}): Promise<void> {
    this.#closed = true;
    this.#wanted = 0;
    this.#backoff?.();
    for (const instance of this.#instances) this.#stop(instance, reason, options);
    await this.expectNone();
    while (this.#endings.size > 0) await Promise.all(this.#endings);
  }

  /** Tells the engine that another instance is likely to be wanted some time. */
  expectOne(): void {
    const { engine, random, currentRun } = this.#deps;
    if (this.#closed || engine.standby === undefined) return;
    const name = this.#next?.name ?? instanceName(this.#plan.name, this.#plan.uid, random);
    try {
      const run = currentRun?.() ?? this.#plan.run;
      this.#next = { name, takeBack: engine.standby({ ...run, name }) };
    } catch {
      // What can't be run now, such as a Secret that is gone, the start will tell, should there be one.
    }
  }

  /** The opposite. Resolves when nothing of what the engine prepared is left. */
  async expectNone(): Promise<void> {
    const next = this.#next;
    this.#next = undefined;
    await next?.takeBack();
  }

  /** What comes back from zero is a new pod, which no CrashLoopBackOff holds up. */
  #forgiveFailures(): void {
    this.#failures = 0;
    this.#backoff?.();
    this.#backoff = undefined;
  }

  #add(): void {
    const name = this.#next?.name ?? instanceName(this.#plan.name, this.#plan.uid, this.#deps.random);
    this.#next = undefined;
    const instance = new Instance(name, this.#plan, {
      ...this.#deps,
      onState: (changed, from, to, reason) => {
        if (to === "gone") this.#instances.delete(changed);
        this.#deps.onState(changed, from, to, reason);
        if (to === "failed") this.#failed(changed);
      },
    });
    this.#instances.add(instance);
    void instance.start();
  }

  #stop(instance: Instance, reason: string, options: { readonly now?: boolean } = {}): void {
    const ending = instance.stop(reason, options);
    this.#endings.add(ending);
    void ending.finally(() => this.#endings.delete(ending));
  }

  #failed(instance: Instance): void {
    this.#stop(instance, "it failed");
    const lived = instance.readyAt === undefined ? 0 : this.#deps.clock.now() - instance.readyAt;
    this.#failures = lived >= STABLE_AFTER_MS ? 1 : this.#failures + 1;
    this.#deps.onFailure(instance, this.#failures);
    if (this.#closed) return;
    const delay =
      this.#failures === 1 ? 0 : Math.min(BACKOFF_LONGEST_MS, BACKOFF_FIRST_MS * 2 ** (this.#failures - 2));
    this.#backoff?.();
    this.#backoff = this.#deps.clock.after(delay, () => {
      this.#backoff = undefined;
      this.scaleTo(this.#wanted, "");
    });
  }
}

const LIVE: ReadonlySet<string> = new Set(["pending", "starting", "ready", "unready"]);

/** Who goes first: what is not ready, then what has least to do, then the youngest. */
function inOrderOfLoss(instances: readonly Instance[]): Instance[] {
  const rank = (instance: Instance): number => (instance.state === "ready" ? 1 : 0);
  // Sorting is stable, and they come in order of creation.
  return instances.toReversed().toSorted((a, b) => rank(a) - rank(b) || a.inFlight - b.inFlight);
}
