import { describe, expect, it } from "vitest";
import type { ChangeBatch } from "../../src/devloop/change-batch.ts";
import { type LoadedManifest, type ManifestReading, plan, type PlanInput } from "../../src/devloop/plan.ts";

const HELLO = "Service default/hello";

function manifest(
  parts: {
    files?: readonly string[];
    documents?: Record<string, string>;
    builds?: Record<string, readonly string[]>;
  } = {},
): LoadedManifest {
  return {
    files: parts.files ?? ["/app/service.yaml"],
    documents: new Map(Object.entries(parts.documents ?? { [HELLO]: "1" })),
    builds: new Map(Object.entries(parts.builds ?? { "default/hello": ["ctx"] })),
  };
}

function batch(
  manifestFiles: readonly string[],
  contexts: Record<string, readonly string[]> = {},
): ChangeBatch {
  return { manifestFiles, contexts: new Map(Object.entries(contexts)) };
}

const NOT_READ: ManifestReading = { kind: "not-read" };
const loaded = (now: LoadedManifest): ManifestReading => ({ kind: "loaded", manifest: now });

const CASES: ReadonlyArray<
  readonly [name: string, input: PlanInput, actions: readonly unknown[], reason: string]
> = [
  [
    "source changed",
    { batch: batch([], { ctx: ["/app/a.js"] }), before: manifest(), now: NOT_READ },
    [{ kind: "rebuild", services: ["default/hello"] }],
    "rebuilding hello",
  ],
  [
    "one context of two services, one of another namespace",
    {
      batch: batch([], { ctx: ["/app/a.js"] }),
      before: manifest({ builds: { "default/b": ["ctx"], "blue/a": ["x", "ctx"], "default/c": ["y"] } }),
      now: NOT_READ,
    },
    [{ kind: "rebuild", services: ["blue/a", "default/b"] }],
    "rebuilding blue/a, b",
  ],
  [
    "document changed, its file is part of the context",
    {
      batch: batch(["/app/service.yaml"], { ctx: ["/app/service.yaml"] }),
      before: manifest(),
      now: loaded(manifest({ documents: { [HELLO]: "2" } })),
    },
    [{ kind: "reload-manifest" }],
    "applying Service default/hello",
  ],
  [
    "a comment in the manifest changed",
    { batch: batch(["/app/service.yaml"]), before: manifest(), now: loaded(manifest()) },
    [],
    "nothing to do, the manifest says the same as before",
  ],
  [
    "a yaml file of the app, in a directory of manifests",
    {
      batch: batch(["/app/config.yaml"], { ctx: ["/app/config.yaml"] }),
      before: manifest(),
      now: loaded(manifest()),
    },
    [{ kind: "rebuild", services: ["default/hello"] }],
    "rebuilding hello",
  ],
  [
    "documents new and gone, a new service to build",
    {
      batch: batch(["/app/service.yaml"]),
      before: manifest({ documents: { [HELLO]: "1", "ConfigMap default/old": "1" } }),
      now: loaded(
        manifest({
          documents: { [HELLO]: "1", "Service default/new": "1" },
          builds: { "default/hello": ["ctx"], "default/new": ["ctx2"] },
        }),
      ),
    },
    [{ kind: "reload-manifest" }, { kind: "rebuild", services: ["default/new"] }],
    "applying ConfigMap default/old (removed), Service default/new (new); rebuilding new",
  ],
  [
    "the build's own settings changed",
    {
      batch: batch(["/app/service.yaml"]),
      before: manifest(),
      now: loaded(manifest({ documents: { [HELLO]: "2" }, builds: { "default/hello": ["ctx?target=dev"] } })),
    },
    [{ kind: "reload-manifest" }, { kind: "rebuild", services: ["default/hello"] }],
    "applying Service default/hello; rebuilding hello",
  ],
  [
    "invalid manifest",
    { batch: batch(["/app/service.yaml"]), before: manifest(), now: { kind: "invalid", errors: 1 } },
    [],
    "the manifest has an error, so what was loaded before stays in force",
  ],
  [
    "invalid manifest and a source",
    {
      batch: batch(["/app/service.yaml"], { ctx: ["/app/a.js", "/app/service.yaml"] }),
      before: manifest(),
      now: { kind: "invalid", errors: 2 },
    },
    [{ kind: "rebuild", services: ["default/hello"] }],
    "the manifest has 2 errors, so what was loaded before stays in force; rebuilding hello",
  ],
  [
    "a context that nothing is built from any more",
    { batch: batch([], { gone: ["/other/x"] }), before: manifest(), now: NOT_READ },
    [],
    "nothing to do, no image is built from x",
  ],
];

describe("plan", () => {
  it.each(CASES)("%s", (_name, input, actions, reason) => {
    expect(plan(input)).toEqual({ actions, reason });
  });
});
