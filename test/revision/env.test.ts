import { describe, expect, it } from "vitest";
import { KserveLocalError } from "../../src/kernel/errors.ts";
import type { Container } from "../../src/manifest/spec.ts";
import { type ConfigLookup, containerEnv } from "../../src/revision/env.ts";

const platform = { service: "hello", revision: "hello-00001", configuration: "hello", port: 8080 };

const lookup: ConfigLookup = {
  configMap: (name) =>
    name === "settings"
      ? new Map([
          ["COLOR", Buffer.from("blue")],
          ["not a name", Buffer.from("dropped")],
          ["greeting.text", Buffer.from("grüezi")],
        ])
      : undefined,
  secret: (name) => (name === "keys" ? new Map([["TOKEN", Buffer.from("s3cret")]]) : undefined),
};

function envOf(
  container: Partial<Container>,
  extra: ReadonlyArray<readonly [string, string]> = [],
  without: { readonly port?: true } = {},
): Record<string, string> {
  const { port, ...rest } = platform;
  const entries = containerEnv(
    { name: "user-container", image: "hello", ...container },
    without.port === true ? rest : { ...rest, port },
    lookup,
    extra,
  );
  expect(new Set(entries.map(([name]) => name)).size).toBe(entries.length);
  return Object.fromEntries(entries);
}

const K = { PORT: "8080", K_SERVICE: "hello", K_REVISION: "hello-00001", K_CONFIGURATION: "hello" };

describe("containerEnv", () => {
  it("gives the contract's own variables, PORT only to the container that serves", () => {
    expect(envOf({})).toEqual(K);
    const { PORT: _port, ...rest } = K;
    expect(envOf({}, [], { port: true })).toEqual(rest);
  });

  it("reads values, ConfigMaps and Secrets", () => {
    const env = envOf({
      env: [
        { name: "PLAIN", value: "1" },
        { name: "NOTHING" },
        { name: "COLOR", valueFrom: { configMapKeyRef: { name: "settings", key: "COLOR" } } },
        { name: "GREETING", valueFrom: { configMapKeyRef: { name: "settings", key: "greeting.text" } } },
        { name: "TOKEN", valueFrom: { secretKeyRef: { name: "keys", key: "TOKEN" } } },
      ],
    });
    expect(env).toEqual({
      ...K,
      PLAIN: "1",
      NOTHING: "",
      COLOR: "blue",
      GREETING: "grüezi",
      TOKEN: "s3cret",
    });
  });

  it("takes whole objects by envFrom with a prefix, and leaves out what is no name", () => {
    const env = envOf({
      envFrom: [{ configMapRef: { name: "settings" }, prefix: "APP_" }, { secretRef: { name: "keys" } }],
    });
    expect(env).toEqual({ ...K, APP_COLOR: "blue", "APP_greeting.text": "grüezi", TOKEN: "s3cret" });
  });

  it("lets env win over envFrom, later entries over earlier, --env-file over both, the platform over all", () => {
    const container: Partial<Container> = {
      envFrom: [{ configMapRef: { name: "settings" } }],
      env: [
        { name: "COLOR", value: "red" },
        { name: "TWICE", value: "1" },
        { name: "TWICE", value: "2" },
      ],
    };
    expect(envOf(container)).toMatchObject({ COLOR: "red", TWICE: "2" });
    const extra = [
      ["COLOR", "green"],
      ["PORT", "1"],
      ["K_SERVICE", "mine"],
    ] as const;
    expect(envOf(container, extra)).toMatchObject({ COLOR: "green", PORT: "8080", K_SERVICE: "hello" });
  });

  it("expands what stands before, and neither PORT nor what comes later", () => {
    const env = envOf({
      envFrom: [{ configMapRef: { name: "settings" } }],
      env: [
        { name: "EARLY", value: "$(LATE)" },
        { name: "LATE", value: "late" },
        { name: "URL", value: "http://$(LATE):$(PORT)/$(COLOR)/$$(LATE)" },
      ],
    });
    expect(env["EARLY"]).toBe("$(LATE)");
    expect(env["URL"]).toBe("http://late:$(PORT)/blue/$(LATE)");
  });

  it.each([
    [
      "a ConfigMap",
      { env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "no", key: "k" } } }] },
      "ConfigMap no does not exist",
    ],
    [
      "a key",
      { env: [{ name: "A", valueFrom: { secretKeyRef: { name: "keys", key: "no" } } }] },
      "key no in Secret keys does not exist",
    ],
    [
      "a Secret of envFrom",
      { envFrom: [{ secretRef: { name: "no" } }] },
      "Secret no does not exist, and envFrom of container user-container",
    ],
    [
      "a field of the pod",
      { env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }] },
      "takes its value from a field of the pod",
    ],
  ] as ReadonlyArray<[string, Partial<Container>, string]>)(
    "says what is missing: %s",
    (_what, container, words) => {
      expect(() => envOf(container)).toThrow(words);
      try {
        envOf(container);
      } catch (error) {
        expect(error).toBeInstanceOf(KserveLocalError);
        expect(error).toMatchObject({ code: "manifest-invalid", exitCode: 2, fix: expect.any(String) });
      }
    },
  );

  it("leaves out what is optional and missing", () => {
    const env = envOf({
      envFrom: [{ secretRef: { name: "no", optional: true } }],
      env: [
        { name: "A", valueFrom: { configMapKeyRef: { name: "no", key: "k", optional: true } } },
        { name: "B", valueFrom: { configMapKeyRef: { name: "settings", key: "no", optional: true } } },
      ],
    });
    expect(env).toEqual(K);
  });
});
