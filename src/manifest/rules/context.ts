/** What rules may know besides the part of the object that they look at. */
import type { FeatureName } from "../features.ts";
import type { WebhookSettings } from "../platform.ts";
import type { Profile } from "../profiles.ts";

export interface RuleContext {
  readonly settings: WebhookSettings;
  readonly profile: Profile;
}

/** `allowed` counts for fields that the platform passes on as they are. */
export function isOn(context: RuleContext, feature: FeatureName): boolean {
  return context.settings.features[feature] !== "disabled";
}

export function isEnabled(context: RuleContext, feature: FeatureName): boolean {
  return context.settings.features[feature] === "enabled";
}

export function flagHint(feature: FeatureName): string {
  return `Remove it, or set \`${feature}: enabled\` in the ConfigMap config-features, here and on the cluster.`;
}
