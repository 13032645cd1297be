/** The edit loop with real files and a session that only notes what it is asked to do. */
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, onTestFinished, test } from "vitest";
import { type EditedSession, startDevLoop } from "../../src/app/dev-loop.ts";
import { loadManifest } from "../../src/app/load-manifest.ts";
import type { Manifest } from "../../src/manifest/judge.ts";
import type { PlatformEventBody } from "../../src/resources/events.ts";
import { serviceYaml } from "../support/service-yaml.ts";

interface Applied {
  readonly names: readonly string[];
  /** The first container's environment, of the first Service. */
  readonly text: string;
  readonly rebuild: readonly string[];
}

class NotingSession implements EditedSession {
  readonly applied: Applied[] = [];
  readonly events: PlatformEventBody[] = [];
  readonly #root: string;
  #broken = 0;
  #wake: () => void = () => undefined;

  constructor(root: string) {
    this.#root = root;
  }

  /** So many builds fail from now on. */
  breakBuilds(count: number): void {
    this.#broken = count;
  }

  contexts(): ReturnType<EditedSession["contexts"]> {
    return [{ service: "default/hello", id: "hello", root: this.#root, dockerfile: "Dockerfile" }];
  }

  apply(manifest: Manifest, rebuild: "all" | ReadonlySet<string>): Promise<void> {
    if (this.#broken > 0) {
      this.#broken -= 1;
      return Promise.reject(new Error("the build failed"));
    }
    this.applied.push({
      names: manifest.documents.map(({ kind, name }) => `${kind} ${name}`),
      text: JSON.stringify(manifest.documents.map(({ object }) => object)),
      rebuild: rebuild === "all" ? ["all"] : [...rebuild],
    });
    this.#wake();
    return Promise.resolve();
  }

  emit(event: PlatformEventBody): void {
    this.events.push(event);
    this.#wake();
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  problems(): string[] {
    return this.events.flatMap((event) => (event.type === "problem" ? [event.message] : []));
  }
}

async function begun(options: { paths?: string[]; stdin?: string } = {}) {
  const root = await realpath(await mkdtemp(join(tmpdir(), "kserve-local-loop-")));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const write = (name: string, text: string): Promise<void> => writeFile(join(root, name), text);
  await write("service.yaml", serviceYaml());
  await write("Dockerfile", "FROM scratch\n");
  await write("server.js", "1");
  const load = {
    paths: options.paths ?? [],
    cwd: root,
    profile: "gke" as const,
    stdin: Readable.from([options.stdin ?? ""]),
  };
  const sources = await loadManifest(load);
  const session = new NotingSession(root);
  const loop = startDevLoop(session, sources, load);
  onTestFinished(() => loop.close());
  await loop.ready;
  loop.begin();
  return { session, write };
}

const WITH_ENV = serviceYaml({ container: ["env:", "- name: EDITED", "  value: 'yes'"] });

describe("the edit loop", () => {
  test("what the manifest says after a failed build holds for the next one", async () => {
    const { session, write } = await begun();
    session.breakBuilds(1);
    await Promise.all([write("service.yaml", WITH_ENV), write("server.js", "broken")]);
    await session.until(() => session.problems().includes("the build failed"));
    await write("server.js", "mended");
    await session.until(() => session.applied.length > 0);
    expect(session.applied[0]?.text).toContain("EDITED");
    expect(session.applied[0]?.rebuild).toEqual(["default/hello"]);
  });

  test("a source that is saved together with a bad manifest is built all the same", async () => {
    const { session, write } = await begun();
    await Promise.all([write("service.yaml", serviceYaml({ spec: ["bad: 1"] })), write("server.js", "2")]);
    await session.until(() => session.applied.length > 0);
    expect(session.applied[0]?.rebuild).toEqual(["default/hello"]);
    expect(session.applied[0]?.text).not.toContain("bad");
  });

  test("documents from standard input stay when a file beside them changes", async () => {
    const { session, write } = await begun({
      paths: ["-", "service.yaml"],
      stdin: serviceYaml({ name: "piped" }),
    });
    await write("service.yaml", WITH_ENV);
    await session.until(() => session.applied.length > 0);
    expect(session.applied[0]?.names).toEqual(["Service piped", "Service hello"]);
  });

  test("a warning that an edit brings in is told once", async () => {
    const { session, write } = await begun();
    const spec = ["serviceAccountName: robot"];
    await write("service.yaml", serviceYaml({ spec }));
    await session.until(() => session.applied.length === 1);
    const told = session.problems();
    expect(told).toEqual([expect.stringContaining("serviceAccountName")]);
    await write("service.yaml", `# a line down\n${serviceYaml({ spec, container: ["args: [a]"] })}`);
    await session.until(() => session.applied.length === 2);
    expect(session.problems()).toEqual(told);
  });
});
