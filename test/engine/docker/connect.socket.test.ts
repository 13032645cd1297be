import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connectDocker } from "../../../src/engine/docker/connect.ts";
import type { Surroundings } from "../../../src/engine/docker/endpoint.ts";
import { systemClock } from "../../../src/kernel/clock.ts";

const VERSION = {
  Version: "25.0.1",
  ApiVersion: "1.44",
  Components: [{ Name: "Engine", Version: "25.0.1" }],
};
const INFO = { OSType: "linux", Architecture: "x86_64", InitBinary: "docker-init", OperatingSystem: "Test" };

describe("connecting", () => {
  let folder: string;
  let servers: Server[];
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "kserve-local-engine-"));
    servers = [];
  });
  afterEach(async () => {
    for (const server of servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    rmSync(folder, { recursive: true, force: true });
  });

  async function listen(where: string | number, handler: RequestListener): Promise<number> {
    const server = createServer(handler);
    servers.push(server);
    await new Promise<void>((resolve) =>
      typeof where === "string" ? server.listen(where, resolve) : server.listen(where, "127.0.0.1", resolve),
    );
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }
  const answers =
    (version: object = VERSION, info: object = INFO): RequestListener =>
    (request, response) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(request.url?.startsWith("/version") ? version : info));
    };
  function around(env: Record<string, string>, sockets: readonly string[] = []): Surroundings {
    return {
      env,
      home: folder,
      platform: "linux",
      exists: (file) => sockets.includes(file),
      read: () => undefined,
    };
  }
  const connect = (surroundings: Surroundings, timeoutMs = 3000) =>
    connectDocker({ session: "test", clock: systemClock(), around: surroundings, timeoutMs });
  const failure = (surroundings: Surroundings, timeoutMs?: number): Promise<unknown> =>
    connect(surroundings, timeoutMs).catch((error: unknown) => error);

  it("takes what DOCKER_HOST names, over a socket and over TCP", async () => {
    const socket = path.join(folder, "engine.sock");
    await listen(socket, answers());
    const port = await listen(0, answers({ ...VERSION, Version: "26.1.0" }));
    const one = await connect(around({ DOCKER_HOST: `unix://${socket}` }));
    expect(one.description).toEqual({ kind: "docker", title: `Docker 25.0.1 at unix://${socket}` });
    const two = await connect(around({ DOCKER_HOST: `tcp://127.0.0.1:${port}` }));
    expect(two.description.title).toBe(`Docker 26.1.0 at tcp://127.0.0.1:${port}`);
    await Promise.all([one.close(), two.close(), two.close()]);
  });

  it("tries default sockets in turn", async () => {
    const [dead, living] = [`${folder}/.docker/run/docker.sock`, `${folder}/.rd/docker.sock`];
    mkdirSync(path.dirname(living));
    await listen(living, answers());
    const engine = await connect(around({}, [dead, living]));
    expect(engine.description.title).toContain(living);
    await engine.close();
  });

  it("says of each default socket why it doesn't answer", async () => {
    const [dead, foreign] = [`${folder}/.docker/run/docker.sock`, `${folder}/.rd/docker.sock`];
    mkdirSync(path.dirname(foreign));
    await listen(foreign, answers({ ...VERSION, ApiVersion: "1.38" }));
    const error = await failure(around({}, [dead, foreign]));
    expect(error).toMatchObject({
      code: "engine-unreachable",
      exitCode: 3,
      message: "No container engine answers",
    });
    expect((error as { why: string }).why).toContain(`unix://${dead}: no such socket`);
    expect((error as { why: string }).why).toContain("is too old");
    expect((error as { fix: string }).fix).toContain("--engine process");
  });

  it("doesn't go on to another when the one chosen is dead", async () => {
    const error = await failure(
      around({ DOCKER_HOST: `unix://${folder}/none.sock` }, ["/var/run/docker.sock"]),
    );
    expect(error).toMatchObject({
      code: "engine-unreachable",
      message: `The engine that DOCKER_HOST names does not answer: unix://${folder}/none.sock`,
    });
    expect((error as { fix: string }).fix).toContain("DOCKER_HOST");
  });

  it("gives up on one that is silent", async () => {
    const port = await listen(0, () => undefined);
    const error = await failure(around({ DOCKER_HOST: `tcp://127.0.0.1:${port}` }), 100);
    expect(error).toMatchObject({ code: "engine-unreachable" });
    expect((error as { why: string }).why).toContain("no answer in time");
  });

  it("isn't taken in by a web server", async () => {
    const port = await listen(0, (_request, response) => response.end("<html>hello</html>"));
    const error = await failure(around({ DOCKER_HOST: `tcp://127.0.0.1:${port}` }));
    expect(error).toMatchObject({ code: "engine-unreachable" });
    expect((error as { why: string }).why).toContain("not that of a container engine");
  });

  it("refuses one that is too old, or runs Windows containers", async () => {
    const old = await listen(0, answers({ ...VERSION, ApiVersion: "1.38" }));
    expect(await failure(around({ DOCKER_HOST: `tcp://127.0.0.1:${old}` }))).toMatchObject({
      code: "engine-unsupported",
    });
    const windows = await listen(0, answers(VERSION, { ...INFO, OSType: "windows" }));
    expect(await failure(around({ DOCKER_HOST: `tcp://127.0.0.1:${windows}` }))).toMatchObject({
      code: "engine-unsupported",
    });
  });

  it("says that none was found", async () => {
    expect(await failure(around({}))).toMatchObject({
      code: "engine-unreachable",
      message: "No container engine was found",
    });
  });
});
