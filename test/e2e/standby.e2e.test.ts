/** `up --standby` with a real engine: what a user sees of a container that waits. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { type Cli, kserveLocal, project } from "../support/cli.ts";
import { imagesMissing, requireEngine } from "../support/docker-images.ts";
import { BEHAVING_SERVER, NODE_DOCKERFILE, serviceYaml } from "../support/service-yaml.ts";

const engine = await requireEngine();
const missing = engine.missing || (await imagesMissing(engine.docker, ["node:22-slim"]));
const FLAGS = ["--engine", "docker", "--port", "0", "--standby", "1"];
const plain = { "service.yaml": serviceYaml(), Dockerfile: NODE_DOCKERFILE, "server.js": BEHAVING_SERVER };

/** Names of this session's containers, the holders left out. */
async function containersOf(cli: Cli, more: readonly string[] = []): Promise<string[]> {
  const { session } = await cli.event("session.started");
  const label = [`dev.kserve-local.session=${String(session)}`, ...more];
  const found = await engine.docker.listContainers({ all: true, filters: { label } });
  return found
    .filter(({ Labels: labels }) => labels["dev.kserve-local.role"] !== "holder" || more.length > 0)
    .map(({ Names: [name = ""] }) => name.slice(1));
}

/** Resolves to the name of the container that waits when there is exactly one that isn't an instance. */
async function waitingIn(cli: Cli, revision: string): Promise<string> {
  const labels = ["dev.kserve-local.role=standby", `dev.kserve-local.revision=${revision}`];
  let waiting: string[] = [];
  const look = async (): Promise<number> => {
    const instances = new Set(cli.events.map(({ instance }) => instance));
    waiting = (await containersOf(cli, labels)).filter((name) => !instances.has(name));
    return waiting.length;
  };
  await expect.poll(look, { timeout: 20_000 }).toBe(1);
  return waiting[0] ?? "";
}

describe.skipIf(missing)("up --standby", () => {
  test("a request at zero is answered by the container that waited, and another one takes its place", async () => {
    const cwd = await project(plain);
    const cli = kserveLocal(["up", "--time-scale", "50", ...FLAGS], { cwd });
    const url = await cli.ready();
    const notice = await cli.event("notice", ({ message }) => String(message).startsWith("standby"));
    expect(notice["message"]).toContain("waits at the gate for hello-00001; its app is not started");
    await cli.event("instance.state", ({ to }) => to === "gone");
    const waiting = await waitingIn(cli, "hello-00001");
    const response = await fetch(`${url}/env`);
    expect(response.status).toBe(200);
    const { env } = (await response.json()) as { env: Record<string, string> };
    expect(env).toMatchObject({ HOSTNAME: waiting, K_REVISION: "hello-00001", K_SERVICE: "hello" });
    await cli.event("instance.state", ({ to, instance }) => to === "ready" && instance === waiting);
    await cli.event("instance.state", ({ to, instance }) => to === "gone" && instance === waiting);
    expect(await waitingIn(cli, "hello-00001")).not.toBe(waiting);
    expect(await cli.end()).toBe(130);
    expect(await containersOf(cli)).toEqual([]);
    expect(await containersOf(cli, ["dev.kserve-local.role=holder"])).toEqual([]);
  });

  test("a new revision's container takes the place of the old one's", async () => {
    const cwd = await project(plain);
    const cli = kserveLocal(["up", ...FLAGS], { cwd });
    await cli.ready();
    await waitingIn(cli, "hello-00001");
    await writeFile(path.join(cwd, "server.js"), BEHAVING_SERVER.replace("TEXT", "edited"));
    await cli.event("service.ready", ({ revision }) => revision === "hello-00002");
    await waitingIn(cli, "hello-00002");
    const old = ["dev.kserve-local.role=standby", "dev.kserve-local.revision=hello-00001"];
    await expect.poll(() => containersOf(cli, old), { timeout: 20_000 }).toEqual([]);
    await cli.end();
    expect(await containersOf(cli)).toEqual([]);
  });

  test("kill -9 of the CLI leaves nothing, holders included", async () => {
    const cwd = await project(plain);
    const cli = kserveLocal(["up", ...FLAGS], { cwd });
    await cli.ready();
    await waitingIn(cli, "hello-00001");
    cli.child.kill("SIGKILL");
    const left = async (): Promise<string[]> => [
      ...(await containersOf(cli)),
      ...(await containersOf(cli, ["dev.kserve-local.role=holder"])),
    ];
    await expect.poll(left, { timeout: 10_000 }).toEqual([]);
  });

  test("--no-standby keeps none, whatever the environment says", async () => {
    const cwd = await project(plain);
    const flags = ["up", "--time-scale", "50", "--engine", "docker", "--port", "0", "--no-standby"];
    const cli = kserveLocal(flags, { cwd, env: { KSERVE_LOCAL_STANDBY: "1" } });
    await cli.ready();
    await cli.event("instance.state", ({ to }) => to === "gone");
    expect(await containersOf(cli)).toEqual([]);
    await cli.end();
  });
});
