/** What `simulate` found out: printed as it is with `--output json`, and contracted in docs/simulate.md. */
export interface SimulationResult {
  /** Whose settings: "service hello in service.yaml", "scenario x", "Knative's defaults". */
  readonly of: string;
  /** As it was given. Absent for a scenario. */
  readonly load?: string;
  readonly unit: "concurrency" | "rps";
  readonly durationSeconds: number;
  readonly settings: SimulatedSettings;
  /** What the requests were taken to do. Absent for a scenario, which has no requests. */
  readonly model?: {
    readonly startupSeconds: number;
    readonly requestSeconds: number;
    readonly timeoutSeconds: number;
    readonly seed: number;
  };
  readonly requests?: {
    readonly served: number;
    readonly held: number;
    readonly refused: number;
    readonly timedOut: number;
    readonly unanswered: number;
    readonly heldMs?: { readonly p50: number; readonly p95: number; readonly max: number };
  };
  readonly coldStarts: number;
  readonly instancesStarted: number;
  readonly mostInstances: number;
  readonly instanceSeconds: number;
  readonly panicSeconds: number;
  readonly changes: readonly SimulatedChange[];
  /** One value for each second from 0 to the duration, both included. */
  readonly seconds: SimulatedSeconds;
}

/** The autoscaler's settings as resolved from annotations, containerConcurrency, config-autoscaler and defaults. */
export interface SimulatedSettings {
  readonly metric: string;
  /** What one instance is aimed at, and what it can take, of the metric. */
  readonly target: number;
  readonly total: number;
  /** 0: no limit. */
  readonly containerConcurrency: number;
  readonly minScale: number;
  /** 0: no limit. */
  readonly maxScale: number;
  readonly activationScale: number;
  readonly stableWindowSeconds: number;
  readonly panicWindowSeconds: number;
  readonly panicThreshold: number;
  readonly maxScaleUpRate: number;
  readonly maxScaleDownRate: number;
  readonly targetBurstCapacity: number;
  readonly scaleDownDelaySeconds: number;
  readonly podRetentionSeconds: number;
  readonly scaleToZeroGraceSeconds: number;
  readonly enableScaleToZero: boolean;
}

export interface SimulatedChange {
  /** Seconds from the beginning. */
  readonly t: number;
  readonly load: number;
  readonly instances: number;
  /** Of the instances. */
  readonly ready: number;
  /** Requests held. Absent for a scenario. */
  readonly waiting?: number;
  readonly panic: boolean;
  readonly reason: string;
}

export interface SimulatedSeconds {
  readonly load: readonly number[];
  readonly ready: readonly number[];
  readonly starting: readonly number[];
  /** Empty for a scenario. */
  readonly waiting: readonly number[];
  readonly panic: readonly (0 | 1)[];
}
