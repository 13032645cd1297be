/** `kserve-local simulate`: what the autoscaler would do under a load, in virtual time and without containers. */
import { ACTIVATOR_QUEUE_LIMIT, BREAKER_QUEUE_FACTOR } from "../activator/throttler.ts";
import { KserveLocalError } from "../kernel/errors.ts";
import type { SimulationResult } from "../report/simulation-result.ts";
import { isFault, type LoadShape, parseLoadShape } from "../scaling/load-shape.ts";
import { type ModelRun, runModel } from "../scaling/requests-model.ts";
import { seededRandom } from "../scaling/seeded-random.ts";
import { settingsFacts } from "./simulated-settings.ts";
import { type ServiceChoice, type SimulatedService, simulatedService } from "./simulated-service.ts";

export interface SimulateOptions extends ServiceChoice {
  /** `0-60s:5, 60-75s:200, 10m:0`. */
  readonly load: string;
  readonly startupSeconds: number;
  readonly requestSeconds: number;
  readonly seed: number;
  /** Default: until the load ends. */
  readonly durationSeconds?: number;
}

/** @throws KserveLocalError `usage`, `manifest-invalid`, `manifest-not-found` */
export async function simulateLoad(options: SimulateOptions): Promise<SimulationResult> {
  const load = readLoad(options.load);
  const service = await simulatedService(options);
  requireStart(options, service);
  const durationSeconds = options.durationSeconds ?? load.end;
  const run = runModel({
    settings: service.settings,
    containerConcurrency: service.containerConcurrency,
    load,
    durationSeconds,
    startupMs: options.startupSeconds * 1000,
    requestMs: options.requestSeconds * 1000,
    timeoutMs: service.timeoutSeconds * 1000,
    activatorQueue: ACTIVATOR_QUEUE_LIMIT,
    breakerFactor: BREAKER_QUEUE_FACTOR,
    random: seededRandom(options.seed),
  });
  return resultOf(options, service, load, durationSeconds, run);
}

function readLoad(text: string): LoadShape {
  const load = parseLoadShape(text);
  if (!isFault(load)) return load;
  throw new KserveLocalError("usage", {
    what: `--load, character ${load.offset + 1}: ${load.message}`,
    why: `${text}\n${" ".repeat(load.offset)}^`,
    fix: 'a load is segments of time and value, for example --load "0-60s:5, 60-75s:200, 10m:0" or "1m:10..50rps"',
  });
}

function requireStart({ startupSeconds, profile }: SimulateOptions, service: SimulatedService): void {
  if (startupSeconds * 1000 <= service.startDeadlineMs) return;
  throw new KserveLocalError("usage", {
    what: `an instance that needs ${startupSeconds} s never becomes ready`,
    why: `the platform (profile ${profile}) gives up after ${service.startDeadlineMs / 1000} s`,
    fix: "give a shorter --startup, or a longer serving.knative.dev/progress-deadline where that is the limit",
  });
}

function resultOf(
  options: SimulateOptions,
  service: SimulatedService,
  load: LoadShape,
  durationSeconds: number,
  run: ModelRun,
): SimulationResult {
  const { heldMs, ...requests } = run.requests;
  const { seconds } = run;
  return {
    of: service.of,
    load: options.load,
    unit: load.unit,
    durationSeconds,
    settings: settingsFacts(service.settings, service.containerConcurrency),
    model: {
      startupSeconds: options.startupSeconds,
      requestSeconds: options.requestSeconds,
      timeoutSeconds: service.timeoutSeconds,
      seed: options.seed,
    },
    requests: { ...requests, ...(heldMs === undefined ? {} : { heldMs }) },
    coldStarts: run.coldStarts,
    instancesStarted: run.instancesStarted,
    mostInstances: run.mostInstances,
    instanceSeconds: run.instanceSeconds,
    panicSeconds: run.panicSeconds,
    changes: run.moments,
    seconds: {
      load: Array.from(seconds.load),
      ready: Array.from(seconds.ready),
      starting: Array.from(seconds.starting),
      waiting: Array.from(seconds.waiting, (waiting) => Math.round(waiting)),
      panic: Array.from(seconds.panic, (on) => (on === 0 ? 0 : 1)),
    },
  };
}
