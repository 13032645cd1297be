import type { SimulatedSettings } from "../report/simulation-result.ts";
import type { ScalingSettings } from "../scaling/settings.ts";

/** The settings as they are reported: in seconds, and those that matter to the class kpa. */
export function settingsFacts(settings: ScalingSettings, containerConcurrency: number): SimulatedSettings {
  return {
    metric: settings.metric,
    target: settings.target,
    total: settings.total,
    containerConcurrency,
    minScale: settings.minScale,
    maxScale: settings.maxScale,
    activationScale: settings.activationScale,
    stableWindowSeconds: settings.stableWindowMs / 1000,
    panicWindowSeconds: settings.panicWindowMs / 1000,
    panicThreshold: settings.panicThreshold,
    maxScaleUpRate: settings.maxScaleUpRate,
    maxScaleDownRate: settings.maxScaleDownRate,
    targetBurstCapacity: settings.targetBurstCapacity,
    scaleDownDelaySeconds: settings.scaleDownDelayMs / 1000,
    podRetentionSeconds: settings.podRetentionMs / 1000,
    scaleToZeroGraceSeconds: settings.scaleToZeroGraceMs / 1000,
    enableScaleToZero: settings.enableScaleToZero,
  };
}
