import { describe, expect, it } from "vitest";
import { resolveSettings, type ScalingSettings } from "../../src/scaling/settings.ts";

interface Given {
  readonly annotations?: Record<string, string>;
  readonly cc?: number;
  readonly config?: Record<string, string>;
  readonly progressDeadlineMs?: number;
}

function resolve({ annotations = {}, cc = 0, config = {}, ...rest }: Given = {}): ScalingSettings {
  const keyed = Object.entries(annotations).map(([key, value]) => [
    key.includes("/") ? key : `autoscaling.knative.dev/${key}`,
    value,
  ]);
  return resolveSettings({
    annotations: Object.fromEntries(keyed),
    containerConcurrency: cc,
    config,
    ...rest,
  });
}

it("has Knative's defaults, and cannot be changed", () => {
  const settings = resolve();
  expect(settings).toEqual({
    class: "kpa",
    metric: "concurrency",
    aggregation: "linear",
    total: 100,
    target: 70,
    stableWindowMs: 60_000,
    panicWindowMs: 6000,
    panicThreshold: 2,
    maxScaleUpRate: 1000,
    maxScaleDownRate: 2,
    targetBurstCapacity: 211,
    activatorCapacity: 100,
    minScale: 0,
    maxScale: 0,
    initialScale: 1,
    activationScale: 0,
    scaleDownDelayMs: 0,
    enableScaleToZero: true,
    scaleToZeroGraceMs: 30_000,
    podRetentionMs: 0,
    progressDeadlineMs: 600_000,
  });
  expect(Object.isFrozen(settings)).toBe(true);
});

const rps = { metric: "rps" };
describe("what one instance is aimed at", () => {
  it.each<[string, Given, number, number]>([
    ["containerConcurrency is the total", { cc: 10 }, 10, 7],
    ["an annotation replaces the default", { annotations: { target: "10" } }, 10, 7],
    ["of annotation and containerConcurrency the smaller", { annotations: { target: "50" }, cc: 10 }, 10, 7],
    ["of annotation and containerConcurrency the smaller", { annotations: { target: "5" }, cc: 10 }, 5, 3.5],
    ["utilization by annotation", { annotations: { "target-utilization-percentage": "100" } }, 100, 100],
    [
      "utilization by configuration",
      { config: { "container-concurrency-target-percentage": "50" } },
      100,
      50,
    ],
    [
      "a fraction as the percentage",
      { config: { "container-concurrency-target-percentage": "0.5" } },
      100,
      50,
    ],
    [
      "one as the percentage is all of it",
      { config: { "container-concurrency-target-percentage": "1" } },
      100,
      100,
    ],
    [
      "the default of the configuration",
      { config: { "container-concurrency-target-default": "20" } },
      20,
      14,
    ],
    [
      "never below 0.01",
      { annotations: { target: "0.01", "target-utilization-percentage": "1" } },
      0.01,
      0.01,
    ],
    ["rps", { annotations: rps }, 200, 140],
    [
      "rps has its own default",
      { annotations: rps, config: { "requests-per-second-target-default": "50" } },
      50,
      35,
    ],
    ["rps knows no containerConcurrency", { annotations: { ...rps, target: "300" }, cc: 1 }, 300, 210],
    [
      "rps knows no concurrency percentage",
      { annotations: rps, config: { "container-concurrency-target-percentage": "50" } },
      200,
      140,
    ],
    ["rps with a utilization", { annotations: { ...rps, "target-utilization-percentage": "80" } }, 200, 160],
  ])("%s: %j", (_, given, total, target) => {
    const settings = resolve(given);
    expect([settings.total, settings.target]).toEqual([total, target]);
  });
});

describe("each knob", () => {
  it.each<[Given, Partial<ScalingSettings>]>([
    [{ annotations: { window: "10s" } }, { stableWindowMs: 10_000, panicWindowMs: 1000 }],
    [{ annotations: { window: "6s" } }, { stableWindowMs: 6000, panicWindowMs: 1000 }],
    [{ annotations: { window: "15s" } }, { panicWindowMs: 2000 }],
    [{ annotations: { window: "1h" } }, { stableWindowMs: 3_600_000, panicWindowMs: 360_000 }],
    [{ annotations: { "panic-window-percentage": "50" } }, { panicWindowMs: 30_000 }],
    [
      { config: { "stable-window": "2m", "panic-window-percentage": "5.0" } },
      { stableWindowMs: 120_000, panicWindowMs: 6000 },
    ],
    [{ annotations: { "panic-threshold-percentage": "110" } }, { panicThreshold: 1.1 }],
    [{ config: { "panic-threshold-percentage": "300" } }, { panicThreshold: 3 }],
    [
      { config: { "max-scale-up-rate": "10", "max-scale-down-rate": "1.1" } },
      { maxScaleUpRate: 10, maxScaleDownRate: 1.1 },
    ],
    [
      { annotations: { "target-burst-capacity": "-1" }, config: { "target-burst-capacity": "0" } },
      { targetBurstCapacity: -1 },
    ],
    [{ config: { "target-burst-capacity": "0" } }, { targetBurstCapacity: 0 }],
    [{ annotations: { "min-scale": "2", "max-scale": "5" } }, { minScale: 2, maxScale: 5 }],
    [{ config: { "min-scale": "2", "max-scale": "5" } }, { minScale: 2, maxScale: 5 }],
    [{ annotations: { "min-scale": "0" }, config: { "min-scale": "2" } }, { minScale: 0 }],
    [{ annotations: { minScale: "2", maxScale: "5" } }, { minScale: 2, maxScale: 5 }],
    [{ annotations: { "min-scale": "1", minScale: "7" } }, { minScale: 1 }],
    [{ annotations: { scaleToZeroPodRetentionPeriod: "1m5s" } }, { podRetentionMs: 65_000 }],
    [{ annotations: { scaleDownDelay: "15m" } }, { scaleDownDelayMs: 900_000 }],
    [
      { config: { "scale-down-delay": "10s", "scale-to-zero-pod-retention-period": "20s" } },
      { scaleDownDelayMs: 10_000, podRetentionMs: 20_000 },
    ],
    [
      { config: { "scale-to-zero-grace-period": "6s", "enable-scale-to-zero": "false" } },
      { scaleToZeroGraceMs: 6000, enableScaleToZero: false },
    ],
    [{ annotations: { "initial-scale": "3" } }, { initialScale: 3 }],
    [{ annotations: { "initial-scale": "0" } }, { initialScale: 1 }],
    [
      { annotations: { "initial-scale": "0" }, config: { "allow-zero-initial-scale": "true" } },
      { initialScale: 0 },
    ],
    [{ config: { "allow-zero-initial-scale": "true", "initial-scale": "0" } }, { initialScale: 0 }],
    [{ annotations: { "activation-scale": "4" } }, { activationScale: 4 }],
    [
      { annotations: { "metric-aggregation-algorithm": "weighted-exponential" } },
      { aggregation: "weighted-exponential" },
    ],
    [
      { annotations: { metricAggregationAlgorithm: "weightedExponential" } },
      { aggregation: "weighted-exponential" },
    ],
    [{ annotations: { class: "hpa.autoscaling.knative.dev" } }, { class: "hpa", metric: "cpu" }],
    [
      { annotations: { class: "hpa.autoscaling.knative.dev", metric: "memory" } },
      { class: "hpa", metric: "memory" },
    ],
    [{ annotations: { class: "mine.example.com" } }, { class: "other", metric: "concurrency" }],
    [{ config: { "pod-autoscaler-class": "hpa.autoscaling.knative.dev" } }, { class: "hpa" }],
    [{ progressDeadlineMs: 90_000 }, { progressDeadlineMs: 90_000 }],
    [
      { annotations: { "serving.knative.dev/progress-deadline": "1m" }, progressDeadlineMs: 90_000 },
      { progressDeadlineMs: 60_000 },
    ],
  ])("%j gives %j", (given, expected) => {
    expect(resolve(given)).toMatchObject(expected);
  });
});

describe("a value that cannot be read counts as absent", () => {
  it.each<[Given, Partial<ScalingSettings>]>([
    [{ annotations: { window: "ten seconds" } }, { stableWindowMs: 60_000 }],
    [{ annotations: { window: "0s" }, config: { "stable-window": "30s" } }, { stableWindowMs: 30_000 }],
    [{ annotations: { window: "60" } }, { stableWindowMs: 60_000 }],
    [{ annotations: { target: "NaN" } }, { target: 70 }],
    [{ annotations: { target: "0x10" } }, { target: 70 }],
    [{ annotations: { target: "-3" } }, { target: 70 }],
    [{ annotations: { "min-scale": "1.5" } }, { minScale: 0 }],
    [{ annotations: { "min-scale": "99999999999" } }, { minScale: 0 }],
    // The first spelling is the one that is read, even where only the second could be.
    [{ annotations: { "min-scale": "bad", minScale: "7" } }, { minScale: 0 }],
    [{ config: { "max-scale-down-rate": "1" } }, { maxScaleDownRate: 2 }],
    [{ config: { "enable-scale-to-zero": "no" } }, { enableScaleToZero: true }],
    [{ config: { "target-burst-capacity": "-2" } }, { targetBurstCapacity: 211 }],
    [{ config: { "panic-window-percentage": "" } }, { panicWindowMs: 6000 }],
    [{ cc: -1 }, { total: 100 }],
  ])("%j gives %j", (given, expected) => {
    expect(resolve(given)).toMatchObject(expected);
  });
});
