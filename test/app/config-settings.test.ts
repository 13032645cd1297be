/** The defaults that `config` shows are those that the platform's code falls back to. */
import { expect, it } from "vitest";
import { platformSettings, PLATFORM_DEFAULTS, profileSettings } from "../../src/app/config-settings.ts";
import { judge } from "../../src/manifest/judge.ts";
import { PLATFORM_CONFIGS, type PlatformConfig, webhookSettings } from "../../src/manifest/platform.ts";
import { resolveSettings } from "../../src/scaling/settings.ts";

const NONE = Object.fromEntries(PLATFORM_CONFIGS.map((name) => [name, {}])) as unknown as PlatformConfig;

const written = (config: string): Record<string, string> =>
  Object.fromEntries(Object.entries(PLATFORM_DEFAULTS[config] ?? {}).filter(([, value]) => value !== ""));

it("are the admission webhook's", () => {
  const platform: PlatformConfig = {
    ...NONE,
    autoscaler: written("config-autoscaler"),
    defaults: written("config-defaults"),
    features: written("config-features"),
  };
  expect(webhookSettings(platform)).toEqual(webhookSettings(NONE));
});

it.each([[{}], [{ "autoscaling.knative.dev/metric": "rps" }]])(
  "are the autoscaler's, with %j",
  (annotations) => {
    const input = { annotations, containerConcurrency: 0 };
    expect(resolveSettings({ ...input, config: written("config-autoscaler") })).toEqual(
      resolveSettings({ ...input, config: {} }),
    );
  },
);

it("each key acts: another value makes another setting", () => {
  const others: Readonly<Record<string, string>> = {
    "pod-autoscaler-class": "hpa.autoscaling.knative.dev",
    "enable-scale-to-zero": "false",
    "allow-zero-initial-scale": "true",
    "initial-scale": "2",
    "stable-window": "99s",
    "scale-to-zero-grace-period": "99s",
    "scale-to-zero-pod-retention-period": "99s",
    "scale-down-delay": "99s",
  };
  const plain = { annotations: {}, containerConcurrency: 0, config: {} };
  const rps = { "autoscaling.knative.dev/metric": "rps" };
  const zero = { "autoscaling.knative.dev/initial-scale": "0" };
  const idle = Object.keys(PLATFORM_DEFAULTS["config-autoscaler"] ?? {}).filter((key) => {
    const config = { [key]: others[key] ?? "33" };
    return [{}, rps, zero].every(
      (annotations) =>
        JSON.stringify(resolveSettings({ ...plain, annotations, config })) ===
        JSON.stringify(resolveSettings({ ...plain, annotations })),
    );
  });
  // The one that only the webhook reads.
  expect(idle).toEqual(["max-scale-limit"]);
});

it("say where a value comes from, and what does not act", () => {
  const text = `apiVersion: v1
kind: ConfigMap
metadata: {name: config-autoscaler, namespace: knative-serving}
data:
  _example: nothing
  stable-window: 30s
---
apiVersion: v1
kind: ConfigMap
metadata: {name: config-gc}
data: {min-non-active-revisions: "3"}
`;
  const settings = platformSettings(judge([{ file: "config.yaml", text }], { profile: "gke" }));
  expect(settings.filter(({ source }) => source === "ConfigMap")).toEqual([
    { name: "config-autoscaler/stable-window", value: "30s", source: "ConfigMap", from: "config.yaml:6" },
    {
      name: "config-gc/min-non-active-revisions",
      value: "3",
      source: "ConfigMap",
      from: "config.yaml:11",
      note: "the emulator does not act on it",
    },
  ]);
  expect(settings.find(({ name }) => name === "config-autoscaler/max-scale")).toEqual({
    name: "config-autoscaler/max-scale",
    value: "0",
    source: "default",
  });
});

it("tell the profiles apart", () => {
  const values = (profile: "gke" | "knative"): string[] =>
    profileSettings(profile).map(({ name, value }) => `${name}: ${value}`);
  expect(values("gke")).toContain("timeoutSeconds, at most: 86400");
  expect(values("knative")).toContain("kind: List: refused");
  expect(profileSettings("gke").every(({ source, from }) => source === "profile" && from === "gke")).toBe(
    true,
  );
});
