/** One value for each second from 0 to the duration, both included. */
export interface ModelSeconds {
  /** As asked for: requests under way, or requests per second. */
  readonly load: Float64Array;
  readonly ready: Int32Array;
  readonly starting: Int32Array;
  /** The most that waited at once within the second. */
  readonly waiting: Float64Array;
  /** 1 while panicking. */
  readonly panic: Uint8Array;
}

/** Something changed: the instances, those of them that are ready, or panic. */
export interface ModelMoment {
  /** Seconds; a fraction where a request came at zero. */
  readonly t: number;
  readonly load: number;
  readonly instances: number;
  readonly ready: number;
  readonly waiting: number;
  readonly panic: boolean;
  /** Why there are as many as there are, and what comes next. */
  readonly reason: string;
}

export interface ModelCounts {
  /** How often instances were started from zero. */
  readonly coldStarts: number;
  readonly instancesStarted: number;
  readonly mostInstances: number;
  /** Seconds that instances existed, ready or not. */
  readonly instanceSeconds: number;
  readonly panicSeconds: number;
}

/** Keeps what there was in each second, and counts. What was before the beginning is not counted. */
export class ModelRecord {
  readonly seconds: ModelSeconds;
  readonly moments: ModelMoment[] = [];
  readonly #duration: number;
  #coldStarts = 0;
  #started = 0;
  #most = 0;
  #instanceSeconds = 0;
  #accountedTo = 0;
  #panicSeconds = 0;

  constructor(durationSeconds: number) {
    this.#duration = durationSeconds;
    const length = durationSeconds + 1;
    this.seconds = {
      load: new Float64Array(length),
      ready: new Int32Array(length),
      starting: new Int32Array(length),
      waiting: new Float64Array(length),
      panic: new Uint8Array(length),
    };
  }

  /** Before the number of instances changes. */
  scaled(t: number, from: number, to: number): void {
    this.#account(t, from);
    if (t < 0 || to <= from) return;
    if (from === 0) this.#coldStarts++;
    this.#started += to - from;
  }

  keep(
    t: number,
    load: number,
    pods: { readonly ready: number; readonly replicas: number },
    panic: boolean,
  ): void {
    this.#most = Math.max(this.#most, pods.replicas);
    this.seconds.load[t] = load;
    this.seconds.ready[t] = pods.ready;
    this.seconds.starting[t] = pods.replicas - pods.ready;
    this.seconds.panic[t] = panic ? 1 : 0;
    if (panic && t < this.#duration) this.#panicSeconds++;
  }

  waited(t: number, waiting: number): void {
    if (waiting > (this.seconds.waiting[t] ?? 0)) this.seconds.waiting[t] = waiting;
  }

  /** Whether that is another state than the last moment's. */
  isNew(state: Pick<ModelMoment, "instances" | "ready" | "panic">): boolean {
    const last = this.moments.at(-1);
    return last?.instances !== state.instances || last.ready !== state.ready || last.panic !== state.panic;
  }

  /** At the end, with the number of instances there. */
  counts(instances: number): ModelCounts {
    this.#account(this.#duration, instances);
    return {
      coldStarts: this.#coldStarts,
      instancesStarted: this.#started,
      mostInstances: this.#most,
      instanceSeconds: this.#instanceSeconds,
      panicSeconds: this.#panicSeconds,
    };
  }

  #account(t: number, instances: number): void {
    if (t <= this.#accountedTo) return;
    this.#instanceSeconds += instances * (t - this.#accountedTo);
    this.#accountedTo = t;
  }
}
