/**
 * Probes as the kubelet runs them, again and again (BEHAVIOUR 4): every period, with thresholds, on the platform's clock.
 * What a probe leaves out has Kubernetes' defaults.
 */
import type { Clock } from "../../kernel/clock.ts";
import { messageOf } from "../../kernel/errors.ts";
import type { Probe } from "../../manifest/spec.ts";
import { attemptProbe, type ProbeRunner, type ProbeTarget } from "./attempt.ts";

/** https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/ */
const PERIOD_SECONDS = 10;
const TIMEOUT_SECONDS = 1;
const FAILURE_THRESHOLD = 3;

export interface ProbedInstance {
  readonly target: ProbeTarget;
  /** The probe's delays and periods: platform time. */
  readonly clock: Clock;
  /** Bounds each try: real time. */
  readonly realClock: Clock;
  readonly signal: AbortSignal;
}

export interface KubeletProbe extends ProbedInstance {
  readonly probe: Probe;
  readonly runner: ProbeRunner;
}

/** Kubernetes' `failureThreshold` tries in a row have failed; the message is the last one's reason. */
export class ProbeFailedError extends Error {
  override readonly name = "ProbeFailedError";
  readonly times: number;

  constructor(reason: string, times: number) {
    super(reason);
    this.times = times;
  }
}

/** Resolves when a startup probe has passed, rejects with ProbeFailedError or the signal's reason. */
export async function passOnce(options: KubeletProbe): Promise<void> {
  const { probe, clock, signal } = options;
  await initialDelay(options);
  for (let failed = 0; ;) {
    const failure = await tryOnce(options);
    if (failure === undefined) return;
    failed += 1;
    if (failed >= failureThreshold(probe)) throw new ProbeFailedError(failure, failed);
    await clock.sleep(periodMs(probe), signal);
  }
}

/** A liveness probe: never resolves; rejects with ProbeFailedError when it has failed, or with the signal's reason. */
export async function keepPassing(options: KubeletProbe): Promise<never> {
  const { probe, clock, signal } = options;
  await initialDelay(options);
  for (let failed = 0; ;) {
    const failure = await tryOnce(options);
    failed = failure === undefined ? 0 : failed + 1;
    if (failure !== undefined && failed >= failureThreshold(probe))
      throw new ProbeFailedError(failure, failed);
    await clock.sleep(periodMs(probe), signal);
  }
}

/** Undefined when the probe passes, else why not. Throws only the signal's reason. */
export async function tryOnce(options: KubeletProbe): Promise<string | undefined> {
  const { probe, target, realClock, signal, runner } = options;
  const timeoutMs = (probe.timeoutSeconds || TIMEOUT_SECONDS) * 1000;
  try {
    await attemptProbe(probe, target, { timeoutMs, clock: realClock, signal, runner });
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return messageOf(error);
  }
}

export function periodMs(probe: Probe): number {
  return (probe.periodSeconds || PERIOD_SECONDS) * 1000;
}

export function failureThreshold(probe: Probe): number {
  return probe.failureThreshold || FAILURE_THRESHOLD;
}

async function initialDelay({ probe, clock, signal }: KubeletProbe): Promise<void> {
  const seconds = probe.initialDelaySeconds ?? 0;
  if (seconds > 0) await clock.sleep(seconds * 1000, signal);
}
