/** The autoscaling annotations, their bounds and what they do. Source: knative/serving pkg/apis/autoscaling. */

export interface AutoscalingAnnotation {
  readonly name: string;
  /** Whether there is a second spelling in camel case. */
  readonly alias: boolean;
  readonly doc: string;
  readonly default: string;
  /** For plain numbers; `also` is a value outside that is allowed. */
  readonly bounds?: { readonly min: number; readonly max: number; readonly also?: number };
  /** For durations, in seconds. */
  readonly seconds?: { readonly min: number; readonly max: number; readonly whole: boolean };
}

const HOUR = 3600;

export const AUTOSCALING: readonly AutoscalingAnnotation[] = [
  { name: "class", alias: false, doc: "Which autoscaler.", default: "kpa.autoscaling.knative.dev" },
  { name: "metric", alias: false, doc: "What is measured: concurrency or rps.", default: "concurrency" },
  {
    name: "metric-aggregation-algorithm",
    alias: true,
    doc: "How measurements are averaged: linear or weighted-exponential.",
    default: "linear",
  },
  {
    name: "min-scale",
    alias: true,
    doc: "Fewest instances; 0 lets the Service scale to zero.",
    default: "0",
  },
  { name: "max-scale", alias: true, doc: "Most instances; 0 is no limit.", default: "0" },
  { name: "initial-scale", alias: true, doc: "Instances that a new revision must reach once.", default: "1" },
  { name: "activation-scale", alias: true, doc: "Instances started when there was none.", default: "1" },
  {
    name: "scale-down-delay",
    alias: true,
    doc: "How long load must be lower before instances go.",
    default: "0s",
    seconds: { min: 0, max: HOUR, whole: true },
  },
  {
    name: "scale-to-zero-pod-retention-period",
    alias: true,
    doc: "How long the last instance stays at least.",
    default: "0s",
    seconds: { min: 0, max: HOUR, whole: false },
  },
  {
    name: "target",
    alias: false,
    doc: "Load that one instance is meant to have.",
    default: "100 (concurrency), 200 (rps)",
    bounds: { min: 0.01, max: Infinity },
  },
  {
    name: "target-utilization-percentage",
    alias: true,
    doc: "Share of the target at which instances are added.",
    default: "70",
    bounds: { min: 1, max: 100 },
  },
  {
    name: "target-burst-capacity",
    alias: true,
    doc: "Requests that must find room at once; -1 is unlimited.",
    default: "211",
    bounds: { min: 0, max: Infinity, also: -1 },
  },
  {
    name: "window",
    alias: false,
    doc: "Time over which load is averaged.",
    default: "60s",
    seconds: { min: 6, max: HOUR, whole: true },
  },
  {
    name: "panic-window-percentage",
    alias: true,
    doc: "Length of the panic window, as a share of the window.",
    default: "10",
    bounds: { min: 1, max: 100 },
  },
  {
    name: "panic-threshold-percentage",
    alias: true,
    doc: "Load, as a share of the capacity, that starts panic mode.",
    default: "200",
    bounds: { min: 110, max: 1000 },
  },
];

/** Full keys in the order in which they are looked for. */
export function autoscalingKeys(name: string): readonly string[] {
  const entry = AUTOSCALING.find((annotation) => annotation.name === name);
  const key = `autoscaling.knative.dev/${name}`;
  return entry?.alias === true ? [key, `autoscaling.knative.dev/${camel(name)}`] : [key];
}

export const KNOWN_AUTOSCALING_KEYS: ReadonlySet<string> = new Set(
  AUTOSCALING.flatMap(({ name }) => autoscalingKeys(name)),
);

function camel(name: string): string {
  return name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
