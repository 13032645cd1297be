import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { packContext } from "../../../src/engine/build-context.ts";
import { dockerfiles } from "./dockerfile-cases.ts";

const docker = new Docker();
const reachable = await docker.ping().then(
  () => true,
  () => false,
);
if (!reachable && process.env["CI"] !== undefined) throw new Error("CI has to have a container engine");
const title = reachable
  ? "what a real builder makes of the same Dockerfiles"
  : "SKIPPED, no engine answers: Dockerfiles against a builder";

describe.skipIf(!reachable)(title, () => {
  const tag = `kserve-local-test/dockerfile-stage:${process.pid}`;
  let directory: string;
  /** What the builder made on the way; stages that the last one doesn't come from would stay behind. */
  let made: string[];
  beforeEach(async () => {
    made = [];
    directory = await mkdtemp(join(tmpdir(), "stage-"));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
    for (const image of [tag, ...made.reverse()]) {
      await docker
        .getImage(image)
        .remove({ force: true })
        .catch(() => undefined);
    }
  });

  // A stage of the classic builder that only says FROM scratch has no image; a label gives it one.
  it.each(dockerfiles)("$title", async ({ text, config }) => {
    await writeFile(join(directory, "Dockerfile"), `${text}\nLABEL test=${process.pid}\n`);
    const stream = await docker.buildImage(packContext(directory, "Dockerfile"), { t: tag, forcerm: true });
    const messages = await new Promise<Array<{ error?: string; stream?: string }>>((resolve, reject) => {
      docker.modem.followProgress(stream, (error, output) => (error ? reject(error) : resolve(output)));
    });
    made = messages.flatMap(({ stream: text = "" }) => /^ ---> ([0-9a-f]{12})\n$/.exec(text)?.[1] ?? []);
    expect(messages.flatMap((message) => message.error ?? [])).toEqual([]);
    const { Config } = await docker.getImage(tag).inspect();
    const env = Object.fromEntries(
      (Config.Env ?? []).map((entry) => /^([^=]*)=(.*)$/s.exec(entry)?.slice(1) ?? [entry, ""]),
    );
    // The builder's own, which isn't the Dockerfile's.
    if (env["PATH"]?.startsWith("/usr/local/sbin")) delete env["PATH"];
    expect({
      entrypoint: Config.Entrypoint ?? [],
      cmd: Config.Cmd ?? [],
      env,
      workingDir: Config.WorkingDir === "" ? "/" : Config.WorkingDir,
      user: Config.User,
      exposedPorts: Object.keys(Config.ExposedPorts ?? {}).sort(),
    }).toEqual({
      entrypoint: [],
      cmd: [],
      env: {},
      workingDir: "/",
      user: "",
      ...config,
      exposedPorts: [...(config.exposedPorts ?? [])].sort(),
    });
  });
});
