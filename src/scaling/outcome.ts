import type { ActiveCondition } from "./active.ts";
import type { HeldBy } from "./bounds.ts";

/** What the load asks for, before the bounds. */
export interface Decision {
  /** Instances; -1 until there were data. */
  readonly desired: number;
  /** Excess burst capacity, in units of the metric. */
  readonly ebc: number;
  readonly inPanic: boolean;
  /** What panic holds the count at. */
  readonly maxPanicPods: number;
  /** False: there are no data, and the numbers above are the last ones. */
  readonly valid: boolean;
  /** Means of the metric over the stable and the panic window; 0 where not valid. */
  readonly stable: number;
  readonly panic: number;
  /** For the log: what led to `desired`. */
  readonly reason: string;
}

/** What is to be done. */
export interface ScaleOutcome {
  /** What is asked for after bounds and scale to zero; -1: unknown, keep what there is. */
  readonly want: number;
  /** How many instances are to run from now on. Not always `want`: the last one stays until the activator took over. */
  readonly replicas: number;
  /** Proxy: requests come through the activator. Serve: they may go to the instances directly. */
  readonly mode: "Proxy" | "Serve";
  readonly active: ActiveCondition["status"];
  /** Knative's reason of the Active condition: Queued, NoTraffic, TimedOut, or empty. */
  readonly reason: ActiveCondition["reason"];
  /** The bound that the count was moved to, if one was. */
  readonly heldBy?: HeldBy;
  /** When the count next changes if no request comes; absent where it stays, and while requests are under way. */
  readonly nextChange?: NextChange;
}

export interface NextChange {
  /** In ms, as every time. */
  readonly at: number;
  readonly to: number;
}

/** What the autoscaler is told of a revision. */
export interface Seen {
  readonly ready: number;
  /** False only for Knative's Unreachable; while it is not yet known, true. */
  readonly reachable: boolean;
}

/** The same with the number of instances asked for so far, ready or not. */
export interface SeenReplicas extends Seen {
  readonly replicas: number;
}

/** One second's load. */
export interface Stat {
  /** Requests in flight, averaged over the second, those that wait included. */
  readonly concurrency: number;
  /** Requests that came in it. */
  readonly requests: number;
}
