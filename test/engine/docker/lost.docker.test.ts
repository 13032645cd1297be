import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type ListenOptions, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/kernel/clock.ts";
import { ensureHostNodeImage, requireEngine } from "../../support/docker-images.ts";
import { makeRig, NEVER, SERVER, withEnvironment } from "./rig.ts";

const { docker, missing } = await requireEngine();
const ENGINE = "/var/run/docker.sock";

/** The engine at another address, and a way to lose it. */
class Detour {
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  constructor() {
    this.#server = createServer((client) => {
      const engine = connect(ENGINE);
      for (const [one, other] of [
        [client, engine],
        [engine, client],
      ] as const) {
        this.#open.add(one);
        one.on("error", () => other.destroy());
        one.on("close", () => (this.#open.delete(one), other.destroy()));
        one.pipe(other);
      }
    });
  }

  /** Resolves to the port, for TCP. */
  listen(where: ListenOptions): Promise<number> {
    return new Promise((resolve) => {
      this.#server.listen(where, () => {
        const address = this.#server.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
  }

  cut(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      for (const socket of this.#open) socket.destroy();
    });
  }
}

describe.skipIf(missing || process.platform === "win32")("an engine behind another address", () => {
  let folder: string;
  let image: string;
  beforeAll(async () => {
    image = await ensureHostNodeImage(docker);
    folder = mkdtempSync(path.join(tmpdir(), "kserve-local-detour-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("that is lost ends its instances as engine-lost, and fails what is asked of it", async () => {
    const detour = new Detour();
    const socket = path.join(folder, "engine.sock");
    await detour.listen({ path: socket });
    const rig = await makeRig(image, {
      ...withEnvironment({ DOCKER_HOST: `unix://${socket}` }),
      watchdog: false,
      clock: systemClock(10),
    });
    const { instance } = await rig.start(SERVER);
    try {
      await detour.cut();
      expect(await instance.exited).toEqual({ reason: "engine-lost", killed: false });
      expect(await instance.stop(0)).toMatchObject({ reason: "engine-lost" });
      await expect(rig.start(SERVER)).rejects.toMatchObject({ code: "engine-lost", exitCode: 3 });
      const source = { kind: "reference", reference: image, pull: "missing" } as const;
      const prepare = rig.engine.prepare(source, { signal: NEVER, onProgress: () => undefined });
      await expect(prepare).rejects.toMatchObject({ code: "engine-lost" });
      expect(await rig.engine.sweep()).toBe(0);
    } finally {
      await docker.getContainer(instance.id).remove({ force: true });
      await expect(rig.engine.close()).rejects.toMatchObject({ code: "engine-lost" });
    }
  });

  it("over TCP runs and builds, with the port published on loopback", async () => {
    const detour = new Detour();
    const port = await detour.listen({ port: 0, host: "127.0.0.1" });
    const around = withEnvironment({ DOCKER_HOST: `tcp://127.0.0.1:${port}` });
    const rig = await makeRig(image, { ...around, watchdog: false });
    try {
      const { instance, seen } = await rig.start(SERVER);
      await seen("up");
      expect(instance.address).toMatchObject({ host: "127.0.0.1", connectProves: false });
      expect(await (await fetch(`http://127.0.0.1:${instance.address.port}/`)).text()).toBe("ok");
      expect(await instance.exec(["node", "-e", "console.log(1)"], NEVER)).toEqual({
        exitCode: 0,
        output: "1\n",
      });
      expect(await instance.stop(5000)).toMatchObject({ code: 143 });
      const context = mkdtempSync(path.join(folder, "context-"));
      writeFileSync(path.join(context, "Dockerfile"), `FROM ${image}\nENV A=${port}`);
      const tag = "localhost/kserve-local-test/over-tcp:v1";
      const source = {
        kind: "build",
        context,
        dockerfile: "Dockerfile",
        buildArgs: {},
        tag,
        pullBase: false,
      } as const;
      const artifact = await rig.engine.prepare(source, { signal: NEVER, onProgress: () => undefined });
      expect(artifact.env).toContainEqual(["A", String(port)]);
      await docker.getImage(tag).remove();
    } finally {
      await rig.engine.close();
      await detour.cut();
    }
  });
});
