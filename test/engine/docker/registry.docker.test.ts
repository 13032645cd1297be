import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectDocker } from "../../../src/engine/docker/connect.ts";
import type { Engine, ImageSource, PullPolicy } from "../../../src/engine/engine.ts";
import { KserveLocalError } from "../../../src/kernel/errors.ts";
import { systemClock } from "../../../src/kernel/clock.ts";
import { requireEngine } from "../../support/docker-images.ts";
import { freePort, type Registry, startRegistry } from "./registry.ts";
import { drained, NEVER, recorder, tarOf, withEnvironment } from "./rig.ts";

const { docker, missing } = await requireEngine();
const registry = missing ? undefined : await startRegistry();

describe.skipIf(registry === undefined)("a private registry", () => {
  const { host, username, password } = registry as Registry;
  const engines: Engine[] = [];
  const pulled = new Set<string>();
  let folder: string;
  let app: string;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "kserve-local-credentials-"));
    app = await (registry as Registry).push(docker, await tinyImage(), "team/app:v1");
    await forget();
  });
  afterAll(async () => {
    await Promise.all(engines.map((engine) => engine.close()));
    await forget();
    await docker
      .getImage(TINY)
      .remove({ force: true })
      .catch(() => undefined);
    await registry?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function engineWith(config: object, env: Record<string, string> = {}, assume = {}): Promise<Engine> {
    const DOCKER_CONFIG = path.join(folder, `config-${engines.length}`);
    mkdirSync(DOCKER_CONFIG);
    writeFileSync(path.join(DOCKER_CONFIG, "config.json"), JSON.stringify(config));
    const environment = withEnvironment({ DOCKER_CONFIG, ...env });
    const engine = await connectDocker({
      session: "pull",
      clock: systemClock(),
      watchdog: false,
      ...environment,
      assume,
    });
    engines.push(engine);
    return engine;
  }
  const basic = (secret: string) => ({ auth: Buffer.from(`${username}:${secret}`).toString("base64") });
  const loggedIn = () => engineWith({ auths: { [host]: basic(password) } });

  async function pull(engine: Engine, reference = app, policy: PullPolicy = "always") {
    const { all, onProgress } = recorder();
    pulled.add(reference);
    const source: ImageSource = { kind: "reference", reference, pull: policy };
    return { artifact: await engine.prepare(source, { signal: NEVER, onProgress }), all };
  }
  async function refusal(run: Promise<unknown>): Promise<KserveLocalError> {
    const error: unknown = await run.catch((failure: unknown) => failure);
    if (!(error instanceof KserveLocalError)) throw error;
    const text = JSON.stringify([error.message, error.why, error.fix, String(error.cause)]);
    for (const secret of [password, basic(password).auth]) expect(text).not.toContain(secret);
    return error;
  }
  /** So that the next pull has something to do. */
  async function forget(): Promise<void> {
    for (const name of [...pulled, app])
      await docker
        .getImage(name)
        .remove({ force: true })
        .catch(() => undefined);
    await docker
      .getImage(TINY)
      .remove({ force: true })
      .catch(() => undefined);
  }

  it("denies an anonymous client, and says how to log in", async () => {
    const error = await refusal(pull(await engineWith({})));
    expect(error).toMatchObject({ code: "registry-denied", exitCode: 4 });
    expect(error.fix).toContain(`docker login ${host}`);
  });

  it("denies a wrong password", async () => {
    const error = await refusal(pull(await engineWith({ auths: { [host]: basic("wrong") } })));
    expect(error).toMatchObject({ code: "registry-denied" });
    expect(error.message).toContain("this account");
  });

  it("lets an account pull, with progress and the digest", async () => {
    await forget();
    const { artifact, all } = await pull(await loggedIn());
    expect(artifact.digest).toMatch(new RegExp(`^${host}/team/app@sha256:[0-9a-f]{64}$`));
    expect(artifact.cmd).toEqual(["/nothing"]);
    expect(all[0]).toMatchObject({ kind: "step", status: "start" });
    expect(all.at(-1)).toMatchObject({ kind: "step", status: "done" });
    expect(all.some((progress) => progress.kind === "transfer" && progress.current > 0)).toBe(true);
    const again = await pull(await loggedIn(), `${host}/team/app@${artifact.digest?.split("@")[1]}`);
    expect(again.artifact.id).toBe(artifact.id);
  });

  it("takes the account from a credential helper", async () => {
    await forget();
    const bin = path.join(folder, "bin");
    mkdirSync(bin);
    const script = `#!/bin/sh\nread key\n[ "$1 $key" = "get ${host}" ] && echo '{"Username":"${username}","Secret":"${password}"}'\n`;
    writeFileSync(path.join(bin, "docker-credential-ours"), script, { mode: 0o755 });
    const env = { PATH: `${bin}:${process.env["PATH"]}` };
    const { artifact } = await pull(await engineWith({ credHelpers: { [host]: "ours" } }, env));
    expect(artifact.digest).toContain("@sha256:");
  });

  it("doesn't have every tag", async () => {
    const error = await refusal(pull(await loggedIn(), `${host}/team/app:nope`));
    expect(error).toMatchObject({ code: "image-missing" });
  });

  it("is not asked where the image is here already, or must be", async () => {
    const engine = await engineWith({});
    await pull(await loggedIn());
    const { all } = await pull(engine, app, "missing");
    expect(all).toEqual([]);
    await forget();
    const error = await refusal(pull(engine, app, "never"));
    expect(error).toMatchObject({ code: "image-missing" });
    expect(error.message).toContain("Never");
  });

  it("that is out of reach is an error, unless there is a local image", async () => {
    const nobody = `127.0.0.1:${await freePort()}/team/app:v1`;
    const engine = await loggedIn();
    expect(await refusal(pull(engine, nobody))).toMatchObject({ code: "pull-failed" });
    await pull(engine);
    await docker.getImage(app).tag({ repo: nobody.slice(0, -3), tag: "v1" });
    const { artifact, all } = await pull(engine, nobody);
    expect(artifact.reference).toBe(nobody);
    expect(all.at(-1)).toMatchObject({
      kind: "notice",
      message: expect.stringContaining("local image") as string,
    });
  });

  it("is never asked for names that only this machine has", async () => {
    const error = await refusal(pull(await loggedIn(), "dev.local/team/app:v1"));
    expect(error).toMatchObject({ code: "image-missing" });
    expect(error.fix).toContain("docker build --platform linux/amd64 -t dev.local/team/app:v1");
  });

  it("stops when aborted", async () => {
    const reason = new Error("changed my mind");
    const options = { signal: AbortSignal.abort(reason), onProgress: () => undefined };
    const source = { kind: "reference", reference: app, pull: "always" } as const;
    await expect((await loggedIn()).prepare(source, options)).rejects.toBe(reason);
  });

  describe.each([
    ["BuildKit", {}],
    ["the classic builder", { buildkit: false }],
  ])("holds a base image that %s", (_builder, assume) => {
    const build = (engine: Engine) => {
      const context = mkdtempSync(path.join(folder, "context-"));
      writeFileSync(path.join(context, "Dockerfile"), `FROM ${app}\nENV A=${Math.random()}`);
      const tag = "localhost/kserve-local-test/private:v1";
      pulled.add(tag);
      const source = {
        kind: "build",
        context,
        dockerfile: "Dockerfile",
        buildArgs: {},
        tag,
        pullBase: true,
      } as const;
      return engine.prepare(source, { signal: NEVER, onProgress: () => undefined });
    };

    it("fetches with the account", async () => {
      await forget();
      const engine = await engineWith({ auths: { [host]: basic(password) } }, {}, assume);
      expect((await build(engine)).cmd).toEqual(["/nothing"]);
    });

    it("can't fetch without", async () => {
      await forget();
      const error = await refusal(build(await engineWith({}, {}, assume)));
      expect(error).toMatchObject({ code: "build-failed" });
      expect(error.fix).toContain("docker login");
    });
  });
});

const TINY = "localhost/kserve-local-test/tiny:v1";

/** One file and a command: enough to be pulled. */
async function tinyImage(): Promise<string> {
  const tree = await tarOf({ nothing: Buffer.alloc(300_000, String(process.pid)) });
  const [repo, tag] = ["localhost/kserve-local-test/tiny", "v1"];
  const changes = ['CMD ["/nothing"]'];
  await drained(await docker.importImage(Readable.from([tree]), { repo, tag, changes }));
  return TINY;
}
