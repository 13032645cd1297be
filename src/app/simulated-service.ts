/** Whose scaling is simulated: a service of the manifest, or one without any settings of its own. */
import { KserveLocalError, isKserveLocalError } from "../kernel/errors.ts";
import { systemClock } from "../kernel/clock.ts";
import type { KnativeService } from "../manifest/spec.ts";
import type { PlatformEvent } from "../resources/events.ts";
import { resolveSettings, type ScalingSettings } from "../scaling/settings.ts";
import { goDurationMs } from "../manifest/go-duration.ts";
import { servicesIn } from "./documents.ts";
import { type LoadedSources, loadManifest, problemEvent, refused } from "./load-manifest.ts";
import { PROFILES, type ProfileName } from "./platform-profile.ts";

const DEFAULT_TIMEOUT_SECONDS = 300;

export interface SimulatedService {
  /** For people: "service hello in service.yaml". */
  readonly of: string;
  readonly settings: ScalingSettings;
  readonly containerConcurrency: number;
  readonly timeoutSeconds: number;
  /** How long an instance may take to become ready. */
  readonly startDeadlineMs: number;
}

export interface ServiceChoice {
  readonly paths: readonly string[];
  readonly cwd: string;
  readonly stdin: NodeJS.ReadableStream;
  readonly profile: ProfileName;
  /** Needed where there are several. */
  readonly service?: string;
  onEvent(event: PlatformEvent): void;
}

/** @throws KserveLocalError `usage`, `manifest-invalid`, `manifest-not-found` */
export async function simulatedService(choice: ServiceChoice): Promise<SimulatedService> {
  const sources = await sourcesOf(choice);
  if (sources === undefined) return withSettings(choice, "a service with Knative's defaults");
  const { manifest, texts } = sources;
  const clock = systemClock();
  for (const problem of manifest.problems) {
    if (problem.severity !== "notice") choice.onEvent({ time: clock.now(), ...problemEvent(problem, texts) });
  }
  if (!manifest.valid) throw refused(manifest);
  const service = chosen(sources, choice.service);
  const of = `service ${service.metadata.name} in ${sources.files.join(", ")}`;
  return withSettings(choice, of, service, sources);
}

/** Undefined: none was named, and there is none here. */
async function sourcesOf(choice: ServiceChoice): Promise<LoadedSources | undefined> {
  try {
    return await loadManifest(choice);
  } catch (error) {
    const named = choice.paths.length > 0 || choice.service !== undefined;
    if (!named && isKserveLocalError(error, "manifest-not-found")) return undefined;
    throw error;
  }
}

function chosen({ manifest, files }: LoadedSources, name: string | undefined): KnativeService {
  const services = servicesIn(manifest.documents);
  const names = services.map(({ metadata }) => metadata.name).join(", ");
  const [first, ...others] = services.filter(({ metadata }) => name === undefined || metadata.name === name);
  if (first !== undefined && others.length === 0) return first;
  if (services.length === 0) {
    throw new KserveLocalError("usage", {
      what: `there is no Service in ${files.join(", ")}`,
      fix: "name a file that holds one, or none for Knative's defaults",
    });
  }
  throw new KserveLocalError("usage", {
    what:
      name === undefined
        ? `there are ${services.length} Services; which one is to be simulated?`
        : first === undefined
          ? `there is no Service ${name}`
          : `there are several Services ${name}, in different namespaces`,
    why: `the Services are ${names}`,
    fix: `say --service ${services[0]?.metadata.name ?? ""}, for example`,
  });
}

function withSettings(
  { profile }: ServiceChoice,
  of: string,
  service?: KnativeService,
  sources?: LoadedSources,
): SimulatedService {
  const { autoscaler = {}, deployment = {} } = sources?.manifest.platform ?? {};
  const { metadata, spec } = service?.spec.template ?? {};
  const containerConcurrency = spec?.containerConcurrency ?? 0;
  const progressDeadlineMs = goDurationMs(deployment["progress-deadline"] ?? "");
  const settings = resolveSettings({
    annotations: metadata?.annotations ?? {},
    containerConcurrency,
    config: autoscaler,
    ...(progressDeadlineMs === undefined ? {} : { progressDeadlineMs }),
  });
  if (settings.class !== "kpa") {
    throw new KserveLocalError("usage", {
      what: `${of} is not scaled by Knative's own autoscaler`,
      why: "autoscaling.knative.dev/class names another one, which decides by CPU, memory or metrics of its own",
      fix: "simulate a service of the class kpa.autoscaling.knative.dev",
    });
  }
  return {
    of,
    settings,
    containerConcurrency,
    timeoutSeconds: spec?.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS,
    startDeadlineMs: Math.min(PROFILES[profile].startDeadlineMs, settings.progressDeadlineMs),
  };
}
