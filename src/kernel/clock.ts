/**
 * The only place that reads the time or sets a timer. Everything else takes a Clock, so that tests drive it
 * and `--time-scale` speeds it up. All figures are milliseconds of *platform* time: on a clock with scale 20,
 * `sleep(20_000)` takes one second by the wall.
 */
export interface Clock {
  /** Platform time in ms since the epoch; never goes back while the process lives. */
  now(): number;
  /** Calls `run` once after `ms`; negative or zero means on the next turn. Cancelling twice is harmless. */
  after(ms: number, run: () => void): CancelTimer;
  /** Resolves after `ms`; rejects with the signal's reason as soon as it aborts, leaving no timer behind. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export type CancelTimer = () => void;

/** setTimeout holds 31 bits; a longer wait is made of several. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * The machine's clock, `scale` times as fast (1 is real time). Built on the monotonic clock, so that a change of the
 * wall clock or a suspended laptop does not move deadlines backwards.
 */
export function systemClock(scale = 1): Clock {
  if (!(scale > 0) || !Number.isFinite(scale)) throw new RangeError(`scale must be above 0, not ${scale}`);
  const origin = Date.now();
  const start = performance.now();
  const after = (ms: number, run: () => void): CancelTimer => {
    let timer: NodeJS.Timeout;
    let left = Math.max(0, ms / scale);
    const arm = (): void => {
      const part = Math.min(left, LONGEST_TIMER_MS);
      left -= part;
      timer = setTimeout(() => (left > 0 ? arm() : run()), part);
    };
    arm();
    return () => clearTimeout(timer);
  };
  return {
    now: () => origin + (performance.now() - start) * scale,
    after,
    sleep: (ms, signal) => sleepOn(after, ms, signal),
  };
}

/** Shared by every clock: a sleep that a signal ends. */
export function sleepOn(after: Clock["after"], ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(abortReason(signal));
      return;
    }
    const cancel = after(ms, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    const onAbort = (): void => {
      cancel();
      reject(abortReason(signal as AbortSignal));
    };
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason));
}
