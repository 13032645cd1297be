import { describe, expect, it } from "vitest";
import type { Volume, VolumeMount } from "../../src/manifest/spec.ts";
import type { ConfigLookup } from "../../src/revision/env.ts";
import { containerVolumes } from "../../src/revision/volumes.ts";

const lookup: ConfigLookup = {
  configMap: (name) =>
    name === "site"
      ? new Map([
          ["index.html", Buffer.from("<h1>")],
          ["style.css", Buffer.from("h1{}")],
        ])
      : undefined,
  secret: (name) => (name === "tls" ? new Map([["key.pem", Buffer.from("KEY")]]) : undefined),
};

function filesOf(volume: Omit<Volume, "name">, mount: Partial<VolumeMount> = {}): string[] {
  const { files, emptyDirs } = containerVolumes(
    {
      name: "user-container",
      image: "hello",
      volumeMounts: [{ name: "v", mountPath: "/etc/site", ...mount }],
    },
    [{ name: "v", ...volume }],
    lookup,
  );
  return [
    ...files.map(
      ({ path, mode, content }) => `${path} ${mode.toString(8)} ${Buffer.from(content).toString()}`,
    ),
    ...emptyDirs.map((path) => `${path}/`),
  ];
}

describe("containerVolumes", () => {
  it.each([
    [
      "a ConfigMap, key by key",
      { configMap: { name: "site" } },
      {},
      ["/etc/site/index.html 644 <h1>", "/etc/site/style.css 644 h1{}"],
    ],
    [
      "a Secret with a mode",
      { secret: { secretName: "tls", defaultMode: 0o400 } },
      {},
      ["/etc/site/key.pem 400 KEY"],
    ],
    [
      "items, each with its own path and mode",
      { configMap: { name: "site", items: [{ key: "index.html", path: "www/home.html", mode: 0o755 }] } },
      {},
      ["/etc/site/www/home.html 755 <h1>"],
    ],
    [
      "one file by subPath",
      { configMap: { name: "site" } },
      { mountPath: "/app/style.css", subPath: "style.css" },
      ["/app/style.css 644 h1{}"],
    ],
    [
      "a directory by subPath",
      {
        configMap: {
          name: "site",
          items: [
            { key: "index.html", path: "www/home.html" },
            { key: "style.css", path: "other" },
          ],
        },
      },
      { subPath: "www" },
      ["/etc/site/home.html 644 <h1>"],
    ],
    ["an emptyDir", { emptyDir: {} }, { mountPath: "/cache" }, ["/cache/"]],
    [
      "nothing of an optional object that is missing",
      { secret: { secretName: "no", optional: true } },
      {},
      [],
    ],
    [
      "nothing of an optional key that is missing",
      { configMap: { name: "site", optional: true, items: [{ key: "no", path: "no" }] } },
      {},
      [],
    ],
  ] as ReadonlyArray<[string, Omit<Volume, "name">, Partial<VolumeMount>, string[]]>)(
    "gives %s",
    (_what, volume, mount, files) => {
      expect(filesOf(volume, mount)).toEqual(files);
    },
  );

  it.each([
    [{ configMap: { name: "no" } }, "ConfigMap no does not exist", "manifest-invalid"],
    [
      { secret: { secretName: "tls", items: [{ key: "no", path: "x" }] } },
      "Secret tls has no key no",
      "manifest-invalid",
    ],
    [
      { persistentVolumeClaim: { claimName: "disk" } },
      "volume v is of a kind that is not emulated",
      "engine-unsupported",
    ],
  ] as ReadonlyArray<[Omit<Volume, "name">, string, string]>)("refuses %j", (volume, words, code) => {
    expect(() => filesOf(volume)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(words) }),
    );
  });
});
