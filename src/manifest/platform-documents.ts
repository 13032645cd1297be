/** The platform's settings among the documents: ConfigMaps called config-something, of whatever namespace. */
import { featuresFrom, isFeature } from "./features.ts";
import { found, type Finding } from "./finding.ts";
import { PLATFORM_CONFIGS, type PlatformConfig, type SettingFault } from "./platform.ts";
import { isRawObject, type Raw, type RawObject } from "./raw.ts";
import { didYouMean } from "./suggest.ts";

const FLAG_VALUES = ["enabled", "allowed", "disabled", "allowrootbounded"];

interface Given {
  readonly features?: Readonly<Record<string, string>>;
  readonly defaults?: Readonly<Record<string, string>>;
}

/** Of two ConfigMaps of one name the later counts, as when both are applied; what the caller gives wins over both. */
export function platformConfig(documents: ReadonlyArray<Raw | undefined>, given: Given): PlatformConfig {
  const data = new Map<string, Readonly<Record<string, string>>>();
  for (const document of documents) {
    if (!isRawObject(document) || document.get("kind") !== "ConfigMap") continue;
    const entries = document.get("data");
    if (isRawObject(entries)) data.set(nameOf(document), strings(entries));
  }
  const config = Object.fromEntries(
    PLATFORM_CONFIGS.map((name) => [name, data.get(`config-${name}`) ?? {}]),
  ) as unknown as PlatformConfig;
  return {
    ...config,
    features: { ...config.features, ...given.features },
    defaults: { ...config.defaults, ...given.defaults },
  };
}

/** `_example` is the documentation that Knative ships in each of its ConfigMaps. */
function strings(entries: RawObject): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...entries].filter(
      (entry): entry is [string, string] => typeof entry[1] === "string" && entry[0] !== "_example",
    ),
  );
}

/** What is wrong with the settings in the ConfigMap of that name. */
export function settingFindings(
  name: string,
  document: RawObject,
  faults: readonly SettingFault[],
): Finding[] {
  const findings = faults
    .filter((fault) => fault.config === name)
    .map((fault) => found("bad-setting", `data.${fault.key}`, `${fault.message}.`));
  const data = document.get("data");
  if (name !== "config-features" || !isRawObject(data)) return findings;
  const flags = Object.keys(featuresFrom({}));
  for (const [key, value] of data) {
    if (key === "_example") continue;
    if (!isFeature(key))
      findings.push(
        warning(key, `Knative has no feature flag "${key}" and ignores it.`, didYouMean(key, flags)),
      );
    else if (typeof value === "string" && !FLAG_VALUES.includes(value.toLowerCase())) {
      findings.push(
        warning(
          key,
          `The flag ${key} is "${value}", which Knative ignores.`,
          "Write enabled, allowed or disabled.",
        ),
      );
    }
  }
  return findings;
}

function warning(key: string, message: string, hint: string | undefined): Finding {
  return { ...found("bad-setting", `data.${key}`, message, hint), severity: "warning" };
}

function nameOf(document: RawObject): string {
  const metadata = document.get("metadata");
  const name = isRawObject(metadata) ? metadata.get("name") : undefined;
  return typeof name === "string" ? name : "";
}
