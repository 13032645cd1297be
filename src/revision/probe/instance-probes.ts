/** The three probes of one instance, in the order in which Kubernetes runs them: startup gates the other two. */
import { KserveLocalError } from "../../kernel/errors.ts";
import type { Probe } from "../../manifest/spec.ts";
import { keepPassing, passOnce, type ProbedInstance, ProbeFailedError } from "./kubelet-probe.ts";
import { waitReady } from "./wait-ready.ts";
import { watchReadiness } from "./watch-readiness.ts";

/** How long queue-proxy polls for one health check in its aggressive mode. ms of platform time. */
const HEALTH_CHECK_MS = 10_000;

export interface ProbesOfInstance {
  readonly readinessProbe: Probe;
  readonly livenessProbe?: Probe;
  readonly startupProbe?: Probe;
}

export interface ProbeWatcher {
  /** Told why each try before it is ready failed. */
  onNotYet(why: string): void;
  /** After it was ready once. */
  onReadiness(ready: boolean, why: string): void;
  /** The liveness probe has failed: the container is to be replaced. At most once. */
  onDead(error: KserveLocalError): void;
}

export class InstanceProbes {
  readonly #name: string;
  readonly #probes: ProbesOfInstance;
  readonly #probed: ProbedInstance;
  readonly #watcher: ProbeWatcher;

  constructor(name: string, probes: ProbesOfInstance, probed: ProbedInstance, watcher: ProbeWatcher) {
    this.#name = name;
    this.#probes = probes;
    this.#probed = probed;
    this.#watcher = watcher;
  }

  /**
   * Resolves when the instance has started and is ready; its liveness is watched as soon as it has started. `signal`
   * ends the wait.
   * @throws KserveLocalError `not-ready` where the startup probe fails, or the signal's reason
   */
  async becomeReady(signal: AbortSignal): Promise<void> {
    const { startupProbe, livenessProbe, readinessProbe } = this.#probes;
    const probed = { ...this.#probed, signal };
    if (startupProbe !== undefined) await this.#passStartup(startupProbe, probed);
    if (livenessProbe !== undefined) void this.#watchLiveness(livenessProbe);
    await waitReady({
      ...probed,
      probe: readinessProbe,
      onFailure: (reason) => this.#watcher.onNotYet(reason),
    });
  }

  /** Watches the readiness of an instance that has become ready, until its own signal aborts. */
  async watch(): Promise<void> {
    const onChange = (ready: boolean, why: string): void => this.#watcher.onReadiness(ready, why);
    const watch = { ...this.#probed, probe: this.#probes.readinessProbe, runner: "queue-proxy" as const };
    await watchReadiness({ ...watch, onChange }).catch(() => undefined);
  }

  /** What queue-proxy's health check says now. Never rejects. */
  async healthy(): Promise<boolean> {
    const { readinessProbe: probe } = this.#probes;
    const { clock, signal } = this.#probed;
    const deadline = new AbortController();
    const limit = probe.periodSeconds ? (probe.timeoutSeconds ?? 1) * 1000 : HEALTH_CHECK_MS;
    const cancel = clock.after(limit, () => deadline.abort(new Error("no readiness in time")));
    try {
      const { initialDelaySeconds: _delay, ...now } = probe;
      await waitReady({ ...this.#probed, probe: now, signal: AbortSignal.any([signal, deadline.signal]) });
      return true;
    } catch {
      return false;
    } finally {
      cancel();
    }
  }

  async #passStartup(probe: Probe, probed: ProbedInstance): Promise<void> {
    try {
      await passOnce({ ...probed, probe, runner: "kubelet" });
    } catch (error) {
      throw error instanceof ProbeFailedError ? this.#failure("startup", error) : error;
    }
  }

  async #watchLiveness(probe: Probe): Promise<void> {
    try {
      await keepPassing({ ...this.#probed, probe, runner: "kubelet" });
    } catch (error) {
      if (error instanceof ProbeFailedError) this.#watcher.onDead(this.#failure("liveness", error));
    }
  }

  #failure(kind: "startup" | "liveness", { message, times }: ProbeFailedError): KserveLocalError {
    const field = `spec.template.spec.containers[].${kind}Probe`;
    return new KserveLocalError("not-ready", {
      what: `${this.#name} failed its ${kind} probe ${times} times in a row`,
      why: `the last try said: ${message}`,
      fix: `mend the app, or give it more time in ${field} (periodSeconds, timeoutSeconds, failureThreshold); Kubernetes restarts the container then, and so does this`,
    });
  }
}
