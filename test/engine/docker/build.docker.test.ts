import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BuildSource, PrepareProgress } from "../../../src/engine/engine.ts";
import { KserveLocalError } from "../../../src/kernel/errors.ts";
import { ensureHostNodeImage, requireEngine } from "../../support/docker-images.ts";
import { drained, makeRig, NEVER, recorder, type Rig, tarOf } from "./rig.ts";

const { docker, missing } = await requireEngine();
const PREFIX = "localhost/kserve-local-test/build";

describe.skipIf(missing).each([
  ["BuildKit", {}],
  ["the classic builder", { assume: { buildkit: false } }],
])("a build with %s", (builder, options) => {
  let base: string;
  let rig: Rig;
  let folder: string;
  let builds = 0;
  beforeAll(async () => {
    base = await ensureHostNodeImage(docker);
    rig = await makeRig(base, { watchdog: false, ...options });
    folder = mkdtempSync(path.join(tmpdir(), "kserve-local-build-"));
  });
  afterAll(async () => {
    await rig.engine.close();
    rmSync(folder, { recursive: true, force: true });
    const made = await docker.listImages({ filters: { reference: [`${PREFIX}-*`] } });
    for (const { RepoTags: tags } of made)
      for (const tag of tags ?? [])
        if (tag.startsWith(PREFIX)) await docker.getImage(tag).remove({ force: true });
  });

  function sourceOf(files: Record<string, string>, more: Partial<BuildSource> = {}): BuildSource {
    builds += 1;
    const context = path.join(folder, `context-${builds}`);
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(context, name)), { recursive: true });
      writeFileSync(path.join(context, name), text);
    }
    const tag = `${PREFIX}-${builder === "BuildKit" ? "kit" : "classic"}-${builds}:v1`;
    return { kind: "build", context, dockerfile: "Dockerfile", buildArgs: {}, tag, pullBase: false, ...more };
  }

  /** Not in any cache. */
  const nonce = () => `${process.pid}-${Date.now()}-${Math.random()}`;

  const build = async (source: BuildSource, signal = NEVER) => {
    const { all, onProgress } = recorder();
    const artifact = await rig.engine.prepare(source, { signal, onProgress });
    return { artifact, all };
  };
  const failure = async (source: BuildSource) => {
    const { all, onProgress } = recorder();
    const error: unknown = await rig.engine
      .prepare(source, { signal: NEVER, onProgress })
      .catch((e: unknown) => e);
    if (!(error instanceof KserveLocalError)) throw error;
    return { error, all };
  };

  it("takes target, arguments, context and .dockerignore, and tells every step", async () => {
    const dockerfile = [
      `FROM ${base} AS build`,
      "ARG GREETING=none",
      "WORKDIR /app",
      "COPY . .",
      `RUN ["node", "-e", "console.log('said ' + process.env.GREETING); console.error(require('fs').readdirSync('.').join())"]`,
      "ENV GREETING=$GREETING",
      "FROM build AS other",
      "ENV OTHER=1",
    ].join("\n");
    const files = {
      Dockerfile: dockerfile,
      ".dockerignore": "*.log\nnode_modules",
      "a.log": "",
      "b.js": nonce(),
    };
    const source = sourceOf(
      { ...files, "node_modules/x": "" },
      { target: "build", buildArgs: { GREETING: "hello" } },
    );
    const { artifact, all } = await build(source);
    expect(Object.fromEntries(artifact.env)).toMatchObject({ GREETING: "hello" });
    expect(Object.fromEntries(artifact.env)).not.toHaveProperty("OTHER");
    expect(artifact).toMatchObject({ reference: source.tag, workingDir: "/app" });
    expect(artifact.id).toMatch(/^sha256:[0-9a-f]{64}$/);
    const printed = all.flatMap((progress) => (progress.kind === "output" ? [progress] : []));
    expect(printed.map(({ line }) => line)).toEqual(
      expect.arrayContaining(["said hello", ".dockerignore,Dockerfile,b.js"]),
    );
    expect(printed[0]?.step).toContain("RUN");
    const run = stepsOf(all).filter(({ name }) => name.includes("RUN"));
    expect(run.map(({ status }) => status)).toEqual(["start", "done"]);
    expect(run[1]?.durationMs).toBeGreaterThan(0);
    expect(all.some((progress) => progress.kind === "transfer" && progress.id === "context")).toBe(true);
    expect((await docker.getImage(artifact.id).inspect()).Config.Labels).toMatchObject({
      "dev.kserve-local.role": "build",
    });
  });

  it("gives the same id for the same sources, from the cache", async () => {
    const source = sourceOf({ Dockerfile: `FROM ${base}\nCOPY x /x\nRUN ["node", "-e", "0"]`, x: nonce() });
    const first = await build(source);
    const second = await build(source);
    expect(second.artifact.id).toBe(first.artifact.id);
    expect(stepsOf(second.all).some(({ name, status }) => name.includes("RUN") && status === "cached")).toBe(
      true,
    );
  });

  it("that fails names the step, its last lines, the exit code and the line of the Dockerfile", async () => {
    const script =
      "for (let i = 1; i <= 40; i++) console.log('line ' + i); console.log('it broke'); process.exitCode = 7";
    const dockerfile = `FROM ${base}\n\n# a comment\nWORKDIR /app\nRUN ["node", \\\n  "-e", "${script}"]\n`;
    const source = sourceOf({ Dockerfile: dockerfile });
    const { error, all } = await failure(source);
    expect(error).toMatchObject({ code: "build-failed", exitCode: 4 });
    expect(error.message).toContain("RUN");
    expect(error.why).toContain("it broke");
    expect(error.why).toContain("line 40");
    expect(error.why).not.toContain("line 20\n");
    expect(error.why).toContain("exit code 7");
    expect(error.at).toEqual({ file: path.join(source.context, "Dockerfile"), line: 5 });
    expect(stepsOf(all).at(-1)?.status).toBe("error");
  });

  it.each<[string, string, number | undefined, RegExp]>([
    ["an unknown instruction", "FROM scratch\nRUNX y", 2, /RUNX/],
    ["a file that isn't there", "FROM scratch\nENV A=1\nCOPY nope.txt /", 3, /nope\.txt/],
  ])("explains %s", async (_title, dockerfile, line, words) => {
    const { error } = await failure(sourceOf({ Dockerfile: dockerfile }));
    expect(error).toMatchObject({ code: "build-failed", at: { line } });
    expect(`${error.message}\n${error.why}`).toMatch(words);
    expect(error.fix).toMatch(/Dockerfile|context/);
  });

  it("explains a target that the Dockerfile lacks", async () => {
    const { error } = await failure(
      sourceOf({ Dockerfile: "FROM scratch AS a\nCOPY Dockerfile /" }, { target: "nope" }),
    );
    expect(error.why).toContain("nope");
    expect(error.fix).toContain("stage");
  });

  it("that is refused while a large context is on its way says why", async () => {
    const large = { Dockerfile: "FROM scratch AS a\nCOPY large /", large: "x".repeat(60_000_000) };
    const { error } = await failure(sourceOf(large, { target: "nope" }));
    expect(error).toMatchObject({ code: "build-failed" });
    expect(error.why).toContain("nope");
  });

  it("explains a missing Dockerfile", async () => {
    const { error } = await failure(sourceOf({ "x.txt": "" }));
    expect(error).toMatchObject({ code: "build-failed" });
    expect(error.why).toContain("Dockerfile");
  });

  it("is cancelled by its signal", async () => {
    const forever = `FROM ${base}\nCOPY x /x\nRUN ["node", "-e", "console.log('running'); setInterval(() => {}, 1000)"]`;
    const source = sourceOf({ Dockerfile: forever, x: nonce() });
    const controller = new AbortController();
    const reason = new Error("changed my mind");
    const onProgress = (progress: PrepareProgress): void => {
      if (progress.kind === "output" && progress.line === "running") controller.abort(reason);
    };
    await expect(rig.engine.prepare(source, { signal: controller.signal, onProgress })).rejects.toBe(reason);
    await expect(docker.getImage(source.tag).inspect()).rejects.toMatchObject({ statusCode: 404 });
  });

  it("on a base of another platform is refused, with what to do", async () => {
    const foreign = await loadForeign();
    const { error } = await failure(sourceOf({ Dockerfile: `FROM ${foreign}\nCOPY Dockerfile /` }));
    expect(["image-platform", "build-failed"]).toContain(error.code);
    expect(error.exitCode).toBe(4);
    expect(`${error.message} ${error.why} ${error.fix}`).toContain("linux/amd64");
  });
});

describe.skipIf(missing)("an image of another platform", () => {
  it("is refused, with what to do", async () => {
    const rig = await makeRig(await ensureHostNodeImage(docker), { watchdog: false });
    try {
      const source = { kind: "reference", reference: await loadForeign(), pull: "missing" } as const;
      const prepare = rig.engine.prepare(source, { signal: NEVER, onProgress: () => undefined });
      await expect(prepare).rejects.toMatchObject({
        code: "image-platform",
        message: expect.stringContaining("linux/arm64") as string,
        fix: expect.stringContaining("--platform linux/amd64") as string,
      });
    } finally {
      await rig.engine.close();
      await docker.getImage(`${PREFIX}-arm:v1`).remove();
    }
  });
});

function stepsOf(all: readonly PrepareProgress[]) {
  return all.flatMap((progress) => (progress.kind === "step" ? [progress] : []));
}

/** An image in the format of `docker save`, which can name any platform. */
async function loadForeign(): Promise<string> {
  const layer = await tarOf({ file: "x" });
  const config = {
    architecture: "arm64",
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: [`sha256:${createHash("sha256").update(layer).digest("hex")}`] },
  };
  const tag = `${PREFIX}-arm:v1`;
  const manifest = [{ Config: "config.json", RepoTags: [tag], Layers: ["layer.tar"] }];
  const archive = await tarOf({
    "config.json": JSON.stringify(config),
    "manifest.json": JSON.stringify(manifest),
    "layer.tar": layer,
  });
  await drained(await docker.loadImage(Readable.from([archive])));
  return tag;
}
