/**
 * A mean over the last seconds of a metric, in buckets of one second. Values of the same second add up. Source of the
 * rules: knative/serving pkg/autoscaler/aggregation/bucketing.go. The sums are kept in the same order as there, so that
 * the rounding of floating point leads to the same decisions.
 */
export interface MetricWindow {
  /** Adds `value` to the second of `now` (ms). Older than the whole window: ignored. */
  record(now: number, value: number): void;
  average(now: number): number;
  /** True when nothing was recorded for longer than the window. */
  isEmpty(now: number): boolean;
  clone(): MetricWindow;
}

const BUCKET_MS = 1000;
const ROUND_TO = 1e6;
/** A weighted window gives its newest bucket at least this weight; its weights sum up to at least 0.9999. */
const MIN_SMOOTHING = 0.2;
const UNWEIGHTED_REST = 1 - 0.9999;
/** A term this much smaller than a sum leaves its double as it is: the older ones need not be looked at. */
const NEGLIGIBLE = 2 ** -55;

/** A window of `lengthMs`; a part of a second counts as a whole one. */
export function createWindow(aggregation: "linear" | "weighted-exponential", lengthMs: number): MetricWindow {
  const size = Math.max(1, Math.ceil(lengthMs / BUCKET_MS));
  return aggregation === "linear" ? new LinearWindow(size) : new WeightedWindow(size);
}

/** The ring that both kinds share. `first` and `last` are numbers of seconds, not places in the ring. */
abstract class Ring {
  protected readonly buckets: Float64Array;
  protected first: number | undefined;
  protected last: number | undefined;
  protected sum = 0;
  /** No bucket is above it. */
  protected peak = 0;

  constructor(size: number) {
    this.buckets = new Float64Array(size);
  }

  record(now: number, value: number): void {
    const second = Math.floor(now / BUCKET_MS);
    if (second !== this.last && !this.#moveTo(second)) return;
    const place = this.place(second);
    const total = this.bucket(second) + value;
    this.buckets[place] = total;
    if (total > this.peak) this.peak = total;
    this.sum += value;
  }

  isEmpty(now: number): boolean {
    return this.last === undefined || Math.floor(now / BUCKET_MS) - this.last > this.buckets.length;
  }

  protected place(second: number): number {
    const size = this.buckets.length;
    return ((second % size) + size) % size;
  }

  protected bucket(second: number): number {
    return this.buckets[this.place(second)] ?? 0;
  }

  protected copyTo<T extends Ring>(other: T): T {
    other.buckets.set(this.buckets);
    other.first = this.first;
    other.last = this.last;
    other.sum = this.sum;
    other.peak = this.peak;
    return other;
  }

  /** False if `second` is too long ago to count. */
  #moveTo(second: number): boolean {
    const size = this.buckets.length;
    if (this.last === undefined || second - this.last >= size) {
      this.buckets.fill(0);
      this.sum = 0;
      this.peak = 0;
      this.first = second;
      this.last = second;
      return true;
    }
    if (second + size <= this.last) return false;
    if (this.first === undefined || second < this.first) this.first = second;
    for (let skipped = this.last + 1; skipped <= second; skipped++) {
      this.sum -= this.bucket(skipped);
      this.buckets[this.place(skipped)] = 0;
    }
    if (second > this.last) this.last = second;
    return true;
  }
}

/**
 * The plain mean, to six digits. A young window is averaged over its age, one whose newest values are missing over the
 * rest; a gap inside counts as zero.
 */
class LinearWindow extends Ring implements MetricWindow {
  average(now: number): number {
    const { first, last } = this;
    const size = this.buckets.length;
    if (first === undefined || last === undefined) return 0;
    const second = Math.floor(now / BUCKET_MS);
    const missing = Math.max(0, second - last);
    if (missing >= size) return 0;
    let sum = this.sum;
    for (let gone = last + 1; gone <= second; gone++) sum -= this.bucket(gone);
    const mean = sum / Math.min(last - first + 1, size - missing);
    // Subtracting may leave a trace below zero, which is rounded to -0.
    return Math.round(mean * ROUND_TO) / ROUND_TO + 0;
  }

  clone(): LinearWindow {
    return this.copyTo(new LinearWindow(this.buckets.length));
  }
}

/** Weights m, m(1-m), m(1-m)^2 from the newest second back; a second without a value counts as zero. Not rounded. */
class WeightedWindow extends Ring implements MetricWindow {
  readonly #smoothing: number;

  constructor(size: number) {
    super(size);
    this.#smoothing = Math.max(1 - Math.pow(UNWEIGHTED_REST, 1 / size), MIN_SMOOTHING);
  }

  average(now: number): number {
    if (this.last === undefined || this.isEmpty(now)) return 0;
    const missing = Math.max(0, Math.floor(now / BUCKET_MS) - this.last);
    let weight = this.#smoothing * (missing > 0 ? Math.pow(1 - this.#smoothing, missing) : 1);
    let mean = 0;
    let place = this.place(this.last);
    for (let left = this.buckets.length - missing; left > 0; left--) {
      mean += (this.buckets[place] ?? 0) * weight;
      weight *= 1 - this.#smoothing;
      if (this.peak * weight <= mean * NEGLIGIBLE) break;
      place = place === 0 ? this.buckets.length - 1 : place - 1;
    }
    return mean;
  }

  clone(): WeightedWindow {
    return this.copyTo(new WeightedWindow(this.buckets.length));
  }
}
