import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { Deployment } from "../../src/app/deployment.ts";
import type { Engine, PrepareOptions } from "../../src/engine/engine.ts";
import { judge } from "../../src/manifest/judge.ts";
import type { PlatformEventBody } from "../../src/resources/events.ts";
import { Store } from "../../src/resources/store.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { serviceYaml } from "../support/service-yaml.ts";

type Prepare = (service: string, options: PrepareOptions) => Promise<never>;

/** A deployment of `services` beside one Dockerfile, whose builds end as `prepare` says. */
async function deploying(services: readonly string[], prepare: Prepare) {
  const cwd = await mkdtemp(path.join(tmpdir(), "kserve-local-deploy-"));
  onTestFinished(() => rm(cwd, { recursive: true, force: true }));
  await writeFile(path.join(cwd, "Dockerfile"), "FROM scratch\n");
  const text = services
    .map((name) => serviceYaml({ name, annotations: { "kserve-local.dev/build": "." } }))
    .join("---\n");
  const { documents } = judge([{ file: "service.yaml", text }], { profile: "gke" });
  const events: PlatformEventBody[] = [];
  const engine = {
    description: { kind: "docker", title: "noting" },
    prepare: (source: { tag: string }, options: PrepareOptions) => prepare(source.tag, options),
  } as unknown as Engine;
  const store = new Store(new FakeClock());
  const deployment = new Deployment({
    engine,
    store,
    flags: { noBuild: false },
    cwd,
    emit: (event) => events.push(event),
  });
  return { deployment, documents, store };
}

describe("a deployment", () => {
  test("a build that fails ends the others, and nothing is applied", async () => {
    const stopped: string[] = [];
    const { deployment, documents, store } = await deploying(["slow", "bad"], (tag, { signal }) => {
      if (tag.includes("bad")) return Promise.reject(new Error("the build failed"));
      return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          // The engine takes its time.
          setImmediate(() => {
            stopped.push(tag);
            reject(signal.reason as Error);
          });
        });
      });
    });
    const applied = deployment.apply(documents, "all", new AbortController().signal);
    await expect(applied).rejects.toThrow("the build failed");
    expect(stopped).toEqual([expect.stringContaining("slow")]);
    expect(store.list("Service")).toEqual([]);
  });
});
