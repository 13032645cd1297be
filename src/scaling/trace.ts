/** What the virtual-time harness reads: one revision, its load over time, and how its instances behave. Times in seconds. */
export interface Scenario {
  readonly name?: string;
  readonly description?: string;
  /** With their full keys. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly containerConcurrency?: number;
  readonly reachability?: Reachability;
  /** Keys of config-autoscaler. */
  readonly config?: Readonly<Record<string, string>>;
  readonly duration: number;
  /** config-deployment's progress-deadline: seconds, or a duration such as "600s". */
  readonly progressDeadline?: number | string;
  readonly load: readonly LoadSegment[];
  readonly pods: GivenPods | SimulatedPods;
  readonly events?: readonly ScenarioEvent[];
}

export type Reachability = "Reachable" | "Unreachable" | "Unknown" | "";

/** Holds for the seconds [from, to), the first segment that covers a second counts. `to...`: reached in its last second. */
export interface LoadSegment {
  readonly from: number;
  readonly to: number;
  readonly concurrency?: number;
  readonly toConcurrency?: number;
  readonly rps?: number;
  readonly toRps?: number;
  /** Nothing is recorded. */
  readonly noData?: boolean;
}

/** The ready instances are given, whatever is decided: for the decision alone. */
export interface GivenPods {
  readonly mode: "given";
  readonly series: ReadonlyArray<{ readonly from: number; readonly to: number; readonly ready: number }>;
}

/** Instances come and go as decided. A stopped one is gone at once, so `stopDelay` changes nothing here. */
export interface SimulatedPods {
  readonly mode: "simulated";
  readonly start: "new" | "zero" | "running";
  readonly running?: number;
  readonly startDelay?: number;
  readonly stopDelay?: number;
  readonly neverReady?: boolean;
}

export interface ScenarioEvent {
  readonly t: number;
  readonly reachability?: Reachability;
}

/** What the harness answers. */
export interface Trace {
  readonly name: string;
  readonly decider: TraceDecider;
  readonly metric: TraceMetric;
  readonly minScale: number;
  readonly maxScale: number;
  readonly ticks: readonly TraceTick[];
  /** Only with simulated instances: the seconds in which something changed. */
  readonly changes?: readonly TraceChange[];
}

export interface TraceDecider {
  readonly activationScale: number;
  readonly activatorCapacity: number;
  readonly initialExcessBurstCapacity: number;
  readonly initialScale: number;
  readonly maxScaleDownRate: number;
  readonly maxScaleUpRate: number;
  readonly metric: string;
  readonly panicThreshold: number;
  readonly reachable: boolean;
  readonly scaleDownDelaySeconds: number;
  readonly stableWindowSeconds: number;
  readonly targetBurstCapacity: number;
  readonly targetValue: number;
  readonly totalValue: number;
}

export interface TraceMetric {
  /** Empty where no algorithm was asked for. */
  readonly algorithm: string;
  readonly panicWindowSeconds: number;
  readonly scraped: boolean;
  readonly stableWindowSeconds: number;
}

export interface TraceTick {
  readonly t: number;
  /** A tick out of turn, because a request came at zero. */
  readonly poked?: true | undefined;
  /** Of the metric that counts. */
  readonly load: number;
  readonly ready: number;
  /** Absent without data. */
  readonly stable?: number | undefined;
  readonly panic?: number | undefined;
  readonly valid: boolean;
  readonly desired: number;
  readonly ebc: number;
  readonly inPanic: boolean;
  readonly maxPanicPods: number;
  /** From here on: only with simulated instances. */
  readonly want?: number | undefined;
  readonly replicas?: number | undefined;
  readonly mode?: "Proxy" | "Serve" | undefined;
  readonly active?: "True" | "False" | "Unknown" | undefined;
  readonly reason?: string | undefined;
}

export interface TraceChange {
  readonly t: number;
  readonly desired: number;
  readonly want: number;
  readonly replicas: number;
  readonly ready: number;
  readonly mode: "Proxy" | "Serve";
  readonly active: "True" | "False" | "Unknown";
  readonly reason?: string | undefined;
}
