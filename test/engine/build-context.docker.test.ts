import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import Docker from "dockerode";
import { extract } from "tar-stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { packContext, walkContext } from "../../src/engine/build-context.ts";
import { contextFiles, ignoreCases, writeTree } from "./build-context-cases.ts";

const run = promisify(execFile);
const docker = new Docker();
const reachable = await Promise.all([docker.ping(), run("docker", ["--version"])]).then(
  () => true,
  () => false,
);
if (!reachable && process.env["CI"] !== undefined)
  throw new Error("CI has to have a container engine and the docker CLI");
const title = reachable
  ? "the build context against the docker CLI's"
  : "SKIPPED, no engine or no docker CLI: build contexts";

describe.skipIf(!reachable)(title, () => {
  let root: string;
  const tag = `kserve-local-test/build-context:${process.pid}`;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "ctx-docker-"));
  });
  afterEach(async () => {
    await rm(root, { recursive: true, force: true });
    await docker
      .getImage(tag)
      .remove({ force: true })
      .catch(() => undefined);
  });

  it.each(ignoreCases)("$title", async ({ rules, goneInClassic = [] }) => {
    await writeTree(root, { ...contextFiles, ".dockerignore": rules });
    const ours: string[] = [];
    for await (const entry of walkContext(root)) if (entry.kind === "file") ours.push(entry.path);
    await run("docker", ["build", "-q", "-t", tag, root], { env: { ...process.env, DOCKER_BUILDKIT: "0" } });
    const theirs = await filesIn(tag);
    for (const file of goneInClassic) expect(theirs).not.toContain(file);
    // The daemon applies the rules once more, to the Dockerfile and the ignore file too; the CLI has sent them.
    const sent = new Set([...theirs, ...goneInClassic, "Dockerfile", ".dockerignore"]);
    expect(ours).toEqual([...sent].sort());
  });

  it("a context that we packed builds to the same files as one that the CLI packed", async () => {
    await writeTree(root, { ...contextFiles, ".dockerignore": "**/*.log\nnode_modules\n!node_modules/keep" });
    await run("docker", ["build", "-q", "-t", tag, root], { env: { ...process.env, DOCKER_BUILDKIT: "0" } });
    const theirs = await filesIn(tag);
    // Else the next build takes the name and leaves a nameless image behind.
    await docker.getImage(tag).remove({ force: true });
    const stream = await docker.buildImage(packContext(root), { t: tag });
    await new Promise<void>((resolve, reject) => {
      docker.modem.followProgress(stream, (error) => (error ? reject(error) : resolve()));
    });
    expect(await filesIn(tag)).toEqual(theirs);
    expect(theirs).toContain("node_modules/keep/index.js");
  });
});

/** The files of an image, without those that an engine puts into every container. */
async function filesIn(image: string): Promise<string[]> {
  const container = await docker.createContainer({ Image: image, Cmd: ["none"] });
  try {
    const files: string[] = [];
    const sink = extract();
    const stream = await container.export();
    stream.pipe(sink);
    for await (const entry of sink) {
      if (entry.header.type === "file") files.push(entry.header.name);
      entry.resume();
    }
    return files.filter((name) => !/^(\.dockerenv|dev\/|etc\/|proc\/|sys\/)/.test(name)).sort();
  } finally {
    await container.remove({ force: true });
  }
}
