/** The settings of a run, each with where its value came from. */
import { featuresFrom } from "../manifest/features.ts";
import type { Manifest, ManifestDocument } from "../manifest/judge.ts";
import { PLATFORM_CONFIGS } from "../manifest/platform.ts";
import { PROFILES as JUDGED } from "../manifest/profiles.ts";
import { PROFILES as RUN, type ProfileName } from "./platform-profile.ts";

export interface Setting {
  /** `--port`, `config-autoscaler/stable-window`, or a word or two of the profile. */
  readonly name: string;
  /** As text; "" where nothing is set. */
  readonly value: string;
  readonly source: "flag" | "environment" | "ConfigMap" | "profile" | "default";
  /** The flag, the variable, the file and line, the profile. */
  readonly from?: string;
  /** What is to be known about it. */
  readonly note?: string;
}

/** Keys that the emulator acts on, with what the platform ships. A test compares them with the code that reads them. */
export const PLATFORM_DEFAULTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "config-autoscaler": {
    "pod-autoscaler-class": "kpa.autoscaling.knative.dev",
    "container-concurrency-target-percentage": "70",
    "container-concurrency-target-default": "100",
    "requests-per-second-target-default": "200",
    "target-burst-capacity": "211",
    "stable-window": "60s",
    "panic-window-percentage": "10",
    "panic-threshold-percentage": "200",
    "max-scale-up-rate": "1000",
    "max-scale-down-rate": "2",
    "enable-scale-to-zero": "true",
    "scale-to-zero-grace-period": "30s",
    "scale-to-zero-pod-retention-period": "0s",
    "scale-down-delay": "0s",
    "initial-scale": "1",
    "allow-zero-initial-scale": "false",
    "min-scale": "0",
    "max-scale": "0",
    "max-scale-limit": "0",
    "activator-capacity": "100",
  },
  "config-defaults": {
    "revision-timeout-seconds": "300",
    "max-revision-timeout-seconds": "600",
    "revision-response-start-timeout-seconds": "300",
    "revision-idle-timeout-seconds": "0",
    "container-concurrency": "0",
    "container-concurrency-max-limit": "1000",
    "allow-container-concurrency-zero": "true",
    "enable-service-links": "false",
    "container-name-template": "user-container",
    "init-container-name-template": "init-container",
    "revision-cpu-request": "",
    "revision-memory-request": "",
    "revision-ephemeral-storage-request": "",
    "revision-cpu-limit": "",
    "revision-memory-limit": "",
    "revision-ephemeral-storage-limit": "",
  },
  "config-features": featuresFrom({}),
};

/** What the profile decides, and no flag. */
export function profileSettings(name: ProfileName): Setting[] {
  const [run, judged] = [RUN[name], JUDGED[name]];
  const of = (what: string, value: string, note?: string): Setting => ({
    name: what,
    value,
    source: "profile",
    from: name,
    ...(note === undefined ? {} : { note }),
  });
  const { maxTimeoutSeconds } = judged;
  return [
    of("start deadline", `${run.startDeadlineMs / 1000}s`),
    of(
      "timeoutSeconds covers",
      run.timeoutSemantics === "total" ? "the whole request" : "the time to the first byte",
    ),
    ...(maxTimeoutSeconds === undefined
      ? []
      : [of("timeoutSeconds, at most", `${maxTimeoutSeconds}`, "instead of max-revision-timeout-seconds")]),
    of("kind: List", judged.opensLists ? "opened" : "refused"),
    of("service accounts", judged.serviceAccountEmail ? "names or e-mail addresses" : "names"),
  ];
}

/** The platform's ConfigMaps: every key that acts, and those given that do not. */
export function platformSettings({ documents, platform }: Manifest): Setting[] {
  return PLATFORM_CONFIGS.flatMap((short) => {
    const config = `config-${short}`;
    const defaults = PLATFORM_DEFAULTS[config] ?? {};
    const given = platform[short];
    const document = documents.findLast(({ kind, name }) => kind === "ConfigMap" && name === config);
    return [...new Set([...Object.keys(defaults), ...Object.keys(given)])].map((key): Setting => {
      const value = Object.hasOwn(given, key) ? given[key] : undefined;
      if (value === undefined)
        return { name: `${config}/${key}`, value: defaults[key] ?? "", source: "default" };
      const acts = Object.hasOwn(defaults, key);
      return {
        name: `${config}/${key}`,
        value,
        source: "ConfigMap",
        ...(document === undefined ? {} : { from: placeOf(document, key) }),
        ...(acts ? {} : { note: "the emulator does not act on it" }),
      };
    });
  });
}

function placeOf(document: ManifestDocument, key: string): string {
  return `${document.file}:${document.positionOf(`data.${key}`).line}`;
}
