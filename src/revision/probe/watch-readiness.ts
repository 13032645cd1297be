/**
 * An instance's readiness after it was ready once: Kubernetes goes on asking, and takes an instance that fails out of the
 * endpoints until it passes again (BEHAVIOUR 4).
 */
import { failureThreshold, type KubeletProbe, periodMs, tryOnce } from "./kubelet-probe.ts";

/** The activator asks an instance that turned unready this often, rather than wait for the kubelet. ms. */
const ACTIVATOR_PERIOD_MS = 200;

export interface ReadinessWatch extends KubeletProbe {
  /** `why` says what the probe saw. */
  onChange(ready: boolean, why: string): void;
}

/** Never resolves; rejects with the signal's reason. Begins with an instance that is ready. */
export async function watchReadiness(options: ReadinessWatch): Promise<never> {
  const { probe, clock, signal } = options;
  const period = periodMs(probe);
  // Knative's activator trusts its own probes, except where the kubelet runs a command (revision_backends.go).
  const retry = probe.exec === undefined ? Math.min(period, ACTIVATOR_PERIOD_MS) : period;
  let ready = true;
  let failed = 0;
  let passed = 0;
  for (;;) {
    await clock.sleep(ready ? period : retry, signal);
    const failure = await tryOnce(options);
    failed = failure === undefined ? 0 : failed + 1;
    passed = failure === undefined ? passed + 1 : 0;
    if (ready && failure !== undefined && failed >= failureThreshold(probe)) {
      ready = false;
      options.onChange(false, `the readiness probe failed ${failed} times in a row: ${failure}`);
    } else if (!ready && passed >= Math.max(1, probe.successThreshold ?? 1)) {
      ready = true;
      options.onChange(true, "the readiness probe passes again");
    }
  }
}
