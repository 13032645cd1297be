/**
 * Polls a readiness probe until it passes (BEHAVIOUR 4). periodSeconds 0 is Knative's aggressive mode; we start at a
 * few milliseconds, since a refused connection on this machine costs next to nothing, and settle at Knative's 50 ms.
 */
import type { Clock } from "../../kernel/clock.ts";
import { messageOf } from "../../kernel/errors.ts";
import type { Probe } from "../../manifest/spec.ts";
import { attemptProbe, type ProbeTarget } from "./attempt.ts";

const FIRST_POLL_MS = 4;
const EAGER_POLL_MS = 8;
/** Most apps listen within this time; from then on Knative's own pace is enough. */
const EAGER_FOR_MS = 3_000;
const AGGRESSIVE_POLL_MS = 50;
const AGGRESSIVE_TIMEOUT_MS = 100;
/** In aggressive mode Knative gives HTTP, gRPC and exec probes of one round more time than a bare connect. */
const AGGRESSIVE_SLOW_TIMEOUT_MS = 1_000;

export interface WaitReadyOptions {
  readonly probe: Probe;
  readonly target: ProbeTarget;
  /** Polls in aggressive mode and bounds each try: real time. */
  readonly realClock: Clock;
  /** The probe's own delays and periods: platform time. */
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told why each try failed. */
  onFailure?(reason: string): void;
}

/** Resolves once `successThreshold` tries in a row have passed. Rejects only with the signal's reason. */
export async function waitReady(options: WaitReadyOptions): Promise<void> {
  const { probe, target, clock, realClock, signal } = options;
  const period = (probe.periodSeconds ?? 0) * 1000;
  const isConnect = probe.httpGet === undefined && probe.grpc === undefined && probe.exec === undefined;
  const timeoutMs =
    period > 0
      ? (probe.timeoutSeconds ?? 1) * 1000
      : isConnect && target.address.connectProves
        ? AGGRESSIVE_TIMEOUT_MS
        : AGGRESSIVE_SLOW_TIMEOUT_MS;
  const needed = Math.max(1, probe.successThreshold ?? 1);
  if ((probe.initialDelaySeconds ?? 0) > 0)
    await clock.sleep((probe.initialDelaySeconds ?? 0) * 1000, signal);
  const eagerUntil = realClock.now() + EAGER_FOR_MS;
  let poll = FIRST_POLL_MS;
  for (let passed = 0; ;) {
    try {
      await attemptProbe(probe, target, { timeoutMs, clock: realClock, signal });
      passed += 1;
      if (passed >= needed) return;
    } catch (error) {
      signal.throwIfAborted();
      passed = 0;
      options.onFailure?.(messageOf(error));
    }
    if (period > 0) {
      await clock.sleep(period, signal);
    } else {
      await realClock.sleep(poll, signal);
      poll = Math.min(realClock.now() < eagerUntil ? EAGER_POLL_MS : AGGRESSIVE_POLL_MS, poll * 1.25);
    }
  }
}
