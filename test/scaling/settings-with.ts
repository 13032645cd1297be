import { resolveSettings, type ScalingSettings } from "../../src/scaling/settings.ts";

/** Knative's defaults with some of them changed. */
export function settingsWith(changes: Partial<ScalingSettings> = {}): ScalingSettings {
  return { ...resolveSettings({ annotations: {}, containerConcurrency: 0, config: {} }), ...changes };
}
