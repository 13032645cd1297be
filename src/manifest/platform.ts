/**
 * The platform's own settings: ConfigMaps named config-*, from the documents or given by the caller.
 * Defaults and rules: knative/serving pkg/apis/config/defaults.go, pkg/autoscaler/config/config.go.
 */
import { featuresFrom, type Features } from "./features.ts";
import { parseQuantity } from "./quantity.ts";

type Data = Readonly<Record<string, string>>;

/** Data of the platform's ConfigMaps; `autoscaler` is that of config-autoscaler. Empty where none was given. */
export interface PlatformConfig {
  readonly autoscaler: Data;
  readonly defaults: Data;
  readonly deployment: Data;
  readonly domain: Data;
  readonly features: Data;
  readonly gc: Data;
  readonly network: Data;
}

export const PLATFORM_CONFIGS = [
  "autoscaler",
  "defaults",
  "deployment",
  "domain",
  "features",
  "gc",
  "network",
] as const;

/** What the webhook's rules and defaults depend on. */
export interface WebhookSettings {
  readonly features: Features;
  /** The flag secure-pod-defaults, which has a value of its own: "allowrootbounded". */
  readonly securePodDefaults: "enabled" | "allowrootbounded" | "disabled";
  readonly revisionTimeoutSeconds: number;
  readonly maxRevisionTimeoutSeconds: number;
  readonly revisionIdleTimeoutSeconds: number;
  readonly revisionResponseStartTimeoutSeconds: number;
  readonly containerConcurrency: number;
  readonly containerConcurrencyMaxLimit: number;
  readonly allowContainerConcurrencyZero: boolean;
  readonly enableServiceLinks: boolean | undefined;
  readonly containerName: string;
  readonly initContainerName: string;
  /** By resource, canonical. */
  readonly requests: Data;
  readonly limits: Data;
  readonly allowZeroInitialScale: boolean;
  /** 0 = none. */
  readonly maxScaleLimit: number;
}

export interface SettingFault {
  readonly config: string;
  readonly key: string;
  readonly message: string;
}

/** Faults are in settings that Knative's own webhook for ConfigMaps refuses; the default is used instead. */
export function webhookSettings(platform: PlatformConfig): {
  settings: WebhookSettings;
  faults: readonly SettingFault[];
} {
  const faults: SettingFault[] = [];
  const defaults = reader("defaults", platform, faults);
  const autoscaler = reader("autoscaler", platform, faults);
  const revisionTimeoutSeconds = defaults.integer("revision-timeout-seconds", 300);
  const settings: WebhookSettings = {
    features: featuresFrom(platform.features),
    securePodDefaults: securePodDefaults(platform.features["secure-pod-defaults"]),
    revisionTimeoutSeconds,
    maxRevisionTimeoutSeconds: defaults.integer("max-revision-timeout-seconds", 600),
    revisionIdleTimeoutSeconds: defaults.integer("revision-idle-timeout-seconds", 0),
    revisionResponseStartTimeoutSeconds: defaults.integer(
      "revision-response-start-timeout-seconds",
      revisionTimeoutSeconds,
    ),
    containerConcurrency: defaults.integer("container-concurrency", 0),
    containerConcurrencyMaxLimit: defaults.integer("container-concurrency-max-limit", 1000),
    allowContainerConcurrencyZero: defaults.boolean("allow-container-concurrency-zero", true),
    enableServiceLinks:
      defaults.text("enable-service-links")?.toLowerCase() === "default"
        ? undefined
        : defaults.boolean("enable-service-links", false),
    containerName: defaults.text("container-name-template") ?? "user-container",
    initContainerName: defaults.text("init-container-name-template") ?? "init-container",
    requests: defaults.resources("request"),
    limits: defaults.resources("limit"),
    allowZeroInitialScale: autoscaler.boolean("allow-zero-initial-scale", false),
    maxScaleLimit: autoscaler.integer("max-scale-limit", 0),
  };
  if (settings.revisionTimeoutSeconds > settings.maxRevisionTimeoutSeconds) {
    const message = `revision-timeout-seconds (${settings.revisionTimeoutSeconds}) is greater than max-revision-timeout-seconds (${settings.maxRevisionTimeoutSeconds})`;
    faults.push({ config: "config-defaults", key: "revision-timeout-seconds", message });
  }
  return { settings, faults };
}

function securePodDefaults(flag: string | undefined): WebhookSettings["securePodDefaults"] {
  const value = flag?.toLowerCase();
  return value === "enabled" || value === "allowrootbounded" ? value : "disabled";
}

function reader(name: keyof PlatformConfig, platform: PlatformConfig, faults: SettingFault[]) {
  const data = platform[name];
  const config = `config-${name}`;
  function text(key: string): string | undefined {
    return Object.hasOwn(data, key) ? data[key] : undefined;
  }
  function refuse<T>(key: string, wanted: string, fallback: T): T {
    faults.push({ config, key, message: `${key} must be ${wanted}, not "${text(key) ?? ""}"` });
    return fallback;
  }
  return {
    text,
    integer(key: string, fallback: number): number {
      const value = text(key);
      if (value === undefined) return fallback;
      return /^[-+]?\d{1,18}$/.test(value) ? Number(value) : refuse(key, "a whole number", fallback);
    },
    boolean(key: string, fallback: boolean): boolean {
      const value = text(key)?.toLowerCase();
      if (value === undefined) return fallback;
      if (["true", "t", "1"].includes(value)) return true;
      return ["false", "f", "0"].includes(value) ? false : refuse(key, "true or false", fallback);
    },
    resources(end: "request" | "limit"): Data {
      const found: Record<string, string> = {};
      for (const resource of ["cpu", "memory", "ephemeral-storage"]) {
        const key = `revision-${resource}-${end}`;
        const value = text(key);
        if (value === undefined) continue;
        const quantity = parseQuantity(value);
        if (typeof quantity === "string") refuse(key, "a quantity", undefined);
        else found[resource] = quantity.canonical;
      }
      return found;
    },
  };
}
