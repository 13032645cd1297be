import { parseBool, parseDurationMs, parseFloat64, parseInt32 } from "./go-literals.ts";

/**
 * Every knob of one revision's scaling with its default resolved: annotation first, then the config-autoscaler key, then
 * Knative's default. Durations in ms, percentages as fractions.
 */
export interface ScalingSettings {
  /** Who decides: Knative's own autoscaler, Kubernetes' horizontal one, or one that neither knows. */
  readonly class: "kpa" | "hpa" | "other";
  /** What is measured: concurrency or rps; for the hpa class cpu, memory or a custom name. */
  readonly metric: string;
  readonly aggregation: "linear" | "weighted-exponential";
  /** What one instance can take, of the metric. */
  readonly total: number;
  /** What one instance is aimed at: total x utilization, at least 0.01. */
  readonly target: number;
  readonly stableWindowMs: number;
  readonly panicWindowMs: number;
  /** Panic starts when this many times the ready instances are wanted. */
  readonly panicThreshold: number;
  readonly maxScaleUpRate: number;
  readonly maxScaleDownRate: number;
  /** Requests that must find room at once without the activator; -1: always through the activator, 0: only at zero. */
  readonly targetBurstCapacity: number;
  /** Requests that one activator stands for. */
  readonly activatorCapacity: number;
  readonly minScale: number;
  /** 0: no limit. */
  readonly maxScale: number;
  readonly initialScale: number;
  /** What traffic raises the count to at least; 0 and 1: nothing. */
  readonly activationScale: number;
  readonly scaleDownDelayMs: number;
  readonly enableScaleToZero: boolean;
  readonly scaleToZeroGraceMs: number;
  readonly podRetentionMs: number;
  /** How long a first instance may take to become ready. */
  readonly progressDeadlineMs: number;
}

export interface SettingsInput {
  /** Of the revision. */
  readonly annotations: Readonly<Record<string, string>>;
  /** 0: no limit. */
  readonly containerConcurrency: number;
  /** The data of the config map config-autoscaler. */
  readonly config: Readonly<Record<string, string>>;
  /** config-deployment's progress-deadline; 600,000 where not given. The revision's own annotation wins. */
  readonly progressDeadlineMs?: number;
}

const TARGET_MIN = 0.01;
const BUCKET_MS = 1000;
const DEFAULT_UTILIZATION = 0.7;
const DEFAULT_PROGRESS_DEADLINE_MS = 600_000;

/**
 * Resolves the settings of a revision. Never fails: a value that cannot be read, or that no arithmetic survives, counts
 * as absent, since manifest/ has refused it before. Sources: knative/serving pkg/autoscaler/config/config.go,
 * pkg/apis/autoscaling/v1alpha1/pa_lifecycle.go, pkg/reconciler/autoscaling/resources/target.go.
 */
export function resolveSettings(input: SettingsInput): ScalingSettings {
  const read = reader(input);
  const className =
    read.text("class") ?? input.config["pod-autoscaler-class"] ?? "kpa.autoscaling.knative.dev";
  const metric = read.text("metric") ?? (className === HPA ? "cpu" : "concurrency");
  const { total, target } = resolveTarget(input, read, metric);
  const stableWindowMs = read.duration("window", "stable-window", 60_000, atLeastABucket);
  const panicPercentage = read.float("panic-window-percentage", "panic-window-percentage", 10, positive);
  const algorithm = read.text("metric-aggregation-algorithm");
  return Object.freeze<ScalingSettings>({
    class: className === KPA ? "kpa" : className === HPA ? "hpa" : "other",
    metric,
    aggregation:
      algorithm === "weighted-exponential" || algorithm === "weightedExponential"
        ? "weighted-exponential"
        : "linear",
    total,
    target,
    stableWindowMs,
    panicWindowMs: Math.max(1, Math.round((stableWindowMs * panicPercentage) / 100 / BUCKET_MS)) * BUCKET_MS,
    panicThreshold:
      read.float("panic-threshold-percentage", "panic-threshold-percentage", 200, positive) / 100,
    maxScaleUpRate: read.float(undefined, "max-scale-up-rate", 1000, aboveOne),
    maxScaleDownRate: read.float(undefined, "max-scale-down-rate", 2, aboveOne),
    targetBurstCapacity: read.float("target-burst-capacity", "target-burst-capacity", 211, burstCapacity),
    activatorCapacity: read.float(undefined, "activator-capacity", 100, positive),
    ...resolveCounts(read),
    scaleDownDelayMs: read.duration("scale-down-delay", "scale-down-delay", 0, notNegative),
    ...resolveZero(input, read),
  });
}

const KPA = "kpa.autoscaling.knative.dev";
const HPA = "hpa.autoscaling.knative.dev";

function resolveCounts(read: Reader) {
  const initial = read.configInt("initial-scale", 1, notNegative);
  const asked = read.int("initial-scale");
  const zeroAllowed = read.configBool("allow-zero-initial-scale", false);
  return {
    minScale: read.int("min-scale") ?? read.configInt("min-scale", 0, notNegative),
    maxScale: read.int("max-scale") ?? read.configInt("max-scale", 0, notNegative),
    initialScale: asked === undefined || (asked === 0 && !zeroAllowed) ? initial : asked,
    activationScale: read.int("activation-scale") ?? 0,
  };
}

function resolveZero(input: SettingsInput, read: Reader) {
  const deadline = parseDurationMs(
    input.annotations["serving.knative.dev/progress-deadline"] ??
      input.annotations["serving.knative.dev/progressDeadline"] ??
      "",
  );
  return {
    enableScaleToZero: read.configBool("enable-scale-to-zero", true),
    scaleToZeroGraceMs: read.duration(undefined, "scale-to-zero-grace-period", 30_000, positive),
    podRetentionMs: read.duration(
      "scale-to-zero-pod-retention-period",
      "scale-to-zero-pod-retention-period",
      0,
      notNegative,
    ),
    progressDeadlineMs: deadline ?? input.progressDeadlineMs ?? DEFAULT_PROGRESS_DEADLINE_MS,
  };
}

/** The rps metric knows no containerConcurrency, and takes no notice of container-concurrency-target-percentage. */
function resolveTarget(
  input: SettingsInput,
  read: Reader,
  metric: string,
): Pick<ScalingSettings, "total" | "target"> {
  const limit = Math.max(0, input.containerConcurrency);
  const annotated = read.annotationFloat("target", positive);
  const percentage = read.annotationFloat("target-utilization-percentage", positive);
  let utilization: number;
  let total: number;
  if (metric === "rps") {
    utilization = DEFAULT_UTILIZATION;
    total = annotated ?? read.configFloat("requests-per-second-target-default", 200, positive);
  } else {
    const asWritten = read.configFloat(
      "container-concurrency-target-percentage",
      DEFAULT_UTILIZATION,
      positive,
    );
    // For the sake of old configurations, 0.7 means the same as 70.
    utilization = asWritten > 1 ? asWritten / 100 : asWritten;
    total = limit > 0 ? limit : read.configFloat("container-concurrency-target-default", 100, positive);
    if (annotated !== undefined) {
      total = metric === "concurrency" && limit > 0 ? Math.min(annotated, limit) : annotated;
    }
  }
  if (percentage !== undefined) utilization = percentage / 100;
  return { total, target: Math.max(TARGET_MIN, total * utilization) };
}

type Accepts = (value: number) => boolean;
const positive: Accepts = (value) => value > 0;
const notNegative: Accepts = (value) => value >= 0;
const aboveOne: Accepts = (value) => value > 1;
const atLeastABucket: Accepts = (value) => value >= BUCKET_MS;
const burstCapacity: Accepts = (value) => value >= 0 || value === -1;

type Reader = ReturnType<typeof reader>;

function reader({ annotations, config }: SettingsInput) {
  const text = (name: string): string | undefined => {
    const camel = name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    // The hyphenated key wins even where its value is bad and the older spelling's is not.
    return annotations[`autoscaling.knative.dev/${name}`] ?? annotations[`autoscaling.knative.dev/${camel}`];
  };
  const check = (value: number | undefined, accepts: Accepts): number | undefined =>
    value !== undefined && accepts(value) ? value : undefined;
  const annotationFloat = (name: string, accepts: Accepts): number | undefined =>
    check(parseFloat64(text(name) ?? ""), accepts);
  const configFloat = (key: string, fallback: number, accepts: Accepts): number =>
    check(parseFloat64(config[key] ?? ""), accepts) ?? fallback;
  return {
    text,
    annotationFloat,
    configFloat,
    float: (name: string | undefined, key: string, fallback: number, accepts: Accepts): number =>
      (name === undefined ? undefined : annotationFloat(name, accepts)) ??
      configFloat(key, fallback, accepts),
    duration: (name: string | undefined, key: string, fallback: number, accepts: Accepts): number =>
      check(parseDurationMs((name === undefined ? undefined : text(name)) ?? ""), accepts) ??
      check(parseDurationMs(config[key] ?? ""), accepts) ??
      fallback,
    int: (name: string): number | undefined => check(parseInt32(text(name) ?? ""), notNegative),
    configInt: (key: string, fallback: number, accepts: Accepts): number =>
      check(parseInt32(config[key] ?? ""), accepts) ?? fallback,
    configBool: (key: string, fallback: boolean): boolean => parseBool(config[key] ?? "") ?? fallback,
  };
}
