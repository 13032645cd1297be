/** `up` and `test` with a real engine: the promises of the README, one by one. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { type Cli, kserveLocal, project } from "../support/cli.ts";
import { imagesMissing, requireEngine } from "../support/docker-images.ts";
import { BEHAVING_SERVER, NODE_DOCKERFILE, serviceYaml } from "../support/service-yaml.ts";

const engine = await requireEngine();
const missing = engine.missing || (await imagesMissing(engine.docker, ["node:22-slim"]));
const DOCKER = ["--engine", "docker", "--port", "0"];
const plain = { "service.yaml": serviceYaml(), Dockerfile: NODE_DOCKERFILE, "server.js": BEHAVING_SERVER };

async function get(url: string): Promise<{ status: number; body: string; reason: string | null }> {
  const response = await fetch(url);
  return {
    status: response.status,
    body: await response.text(),
    reason: response.headers.get("x-kserve-local-reason"),
  };
}

async function containersOf(cli: Cli): Promise<string[]> {
  const { session } = await cli.event("session.started");
  const found = await engine.docker.listContainers({
    all: true,
    filters: { label: [`dev.kserve-local.session=${String(session)}`] },
  });
  return found.map(({ Id }) => Id);
}

describe.skipIf(missing)("up with Docker", () => {
  test("to zero containers and back with the same answer, and nothing left after Ctrl-C", async () => {
    const cwd = await project(plain);
    const cli = kserveLocal(["up", "--time-scale", "50", ...DOCKER], { cwd });
    const url = await cli.ready();
    const before = await get(url);
    await cli.event("instance.state", ({ to }) => to === "gone");
    expect(await containersOf(cli)).toEqual([]);
    expect(await get(url)).toEqual(before);
    expect(await containersOf(cli)).toHaveLength(1);
    expect(await cli.end()).toBe(130);
    expect(await containersOf(cli)).toEqual([]);
  });

  test("a killed instance gives its request a 502 with a reason, and the next one goes to a new instance", async () => {
    const cwd = await project(plain);
    const cli = kserveLocal(["up", ...DOCKER], { cwd });
    const url = await cli.ready();
    const cut = get(`${url}/?wait=30000`);
    await cli.event("log", ({ line }) => line === "waiting");
    const [id = ""] = await containersOf(cli);
    await engine.docker.getContainer(id).kill();
    expect(await cut).toMatchObject({ status: 502, reason: "app-eof" });
    expect((await get(url)).status).toBe(200);
    const [first, second] = [
      await cli.event("request.completed", ({ status }) => status === 502),
      await cli.event("request.completed", ({ status }) => status === 200),
    ];
    expect(first["detail"]).toContain("killed");
    expect(second["instance"]).not.toBe(first["instance"]);
    await cli.end();
  });

  test("2,000 requests while the source is edited five times all succeed", async () => {
    const cwd = await project(plain);
    const cli = kserveLocal(["up", ...DOCKER], { cwd });
    const url = await cli.ready();
    const statuses = new Map<number, number>();
    const progress = { edited: false, sent: 0 };
    // At least 2,000, and on until the fifth revision serves; the bound keeps a broken build from sending for ever.
    const worker = async (): Promise<void> => {
      while (progress.sent < 2_000 || (!progress.edited && progress.sent < 60_000)) {
        progress.sent += 1;
        const { status } = await get(url);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    };
    const load = Promise.all(Array.from({ length: 4 }, worker));
    for (let edit = 1; edit <= 5; edit += 1) {
      await writeFile(path.join(cwd, "server.js"), BEHAVING_SERVER.replace("TEXT", `edit ${edit}`));
      await cli.event("service.ready", ({ revision }) => revision === `hello-0000${edit + 1}`);
    }
    progress.edited = true;
    await load;
    expect((await get(url)).body).toContain("edit 5");
    expect([...statuses.keys()]).toEqual([200]);
    expect(statuses.get(200)).toBeGreaterThanOrEqual(2_000);
    await cli.end();
    expect(await containersOf(cli)).toEqual([]);
  });

  test("kill -9 of the CLI leaves nothing", async () => {
    const cwd = await project(plain);
    const cli = kserveLocal(["up", ...DOCKER], { cwd });
    await cli.ready();
    const [id = ""] = await containersOf(cli);
    const died = engine.docker.getContainer(id).wait({ condition: "removed" });
    cli.child.kill("SIGKILL");
    await died;
    expect(await containersOf(cli)).toEqual([]);
  });

  test("an app that ignores SIGTERM is killed after the grace period and named", async () => {
    const cwd = await project({
      ...plain,
      "service.yaml": serviceYaml({ container: ["env: [{name: STUBBORN, value: '1'}]"] }),
    });
    const cli = kserveLocal(["up", "--time-scale", "5", ...DOCKER], { cwd });
    await cli.ready();
    await cli.end();
    const gone = await cli.event("instance.state", ({ to }) => to === "gone");
    expect(gone["reason"]).toBe("it ignored SIGTERM and was killed after 10 s");
    expect(cli.events.some(({ line }) => line === "SIGTERM ignored")).toBe(true);
  });

  test("a failed build, a missing image, and a wrong manifest: exit 4 and 2, each with its place", async () => {
    const failing = await project({
      ...plain,
      Dockerfile: `FROM node:22-slim\nRUN echo preparing && node -e "process.exit(9)"\n`,
    });
    const build = kserveLocal(["up", ...DOCKER], { cwd: failing });
    expect(await build.exit).toBe(4);
    expect(await build.event("problem", ({ code }) => code === "build-failed")).toMatchObject({ line: 2 });
    const absent = await project({ "service.yaml": serviceYaml({ image: "dev.local/there-is-none" }) });
    const image = kserveLocal(["up", ...DOCKER], { cwd: absent });
    expect(await image.exit).toBe(4);
    expect((await image.event("problem"))["code"]).toBe("image-missing");
  });

  test("a failed rebuild leaves the old revision serving", async () => {
    const cwd = await project(plain);
    const cli = kserveLocal(["up", ...DOCKER], { cwd });
    const url = await cli.ready();
    await writeFile(path.join(cwd, "Dockerfile"), "FROM node:22-slim\nRUN false\n");
    await cli.event("problem", ({ code }) => code === "build-failed");
    expect((await get(url)).body).toContain("hello-00001");
    // An app that builds and does not come up changes nothing either.
    await writeFile(path.join(cwd, "Dockerfile"), NODE_DOCKERFILE.replace('server.js"]', 'nothing.js"]'));
    await cli.event("service.failed");
    expect((await get(url)).body).toContain("hello-00001");
    await writeFile(path.join(cwd, "Dockerfile"), NODE_DOCKERFILE);
    await cli.event("service.ready", ({ revision }) => revision === "hello-00003");
    await cli.end();
  });

  test("limits, user, working directory and volumes reach the container", async () => {
    const spec = ["volumes:", "- {name: conf, configMap: {name: conf}}", "- {name: scratch, emptyDir: {}}"];
    const container = [
      "resources: {limits: {cpu: 500m, memory: 96Mi}}",
      "securityContext: {runAsUser: 1234}",
      "workingDir: /tmp",
      `command: ["node", "-e"]`,
      `args: ["${INSPECTOR.replaceAll("\n", " ").replaceAll('"', "'")}"]`,
      "volumeMounts: [{name: conf, mountPath: /etc/conf}, {name: scratch, mountPath: /scratch}]",
    ];
    const config = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {app.ini: "colour=green"}\n---\n`;
    const cwd = await project({
      "service.yaml": config + serviceYaml({ image: "node:22-slim", spec, container }),
    });
    const cli = kserveLocal(["up", ...DOCKER], { cwd });
    const seen = JSON.parse((await get(await cli.ready())).body) as Record<string, unknown>;
    expect(seen).toEqual({
      uid: 1234,
      cwd: "/tmp",
      conf: "colour=green",
      scratch: "written",
      stdin: "end",
      tty: false,
    });
    const [id = ""] = await containersOf(cli);
    const { HostConfig } = await engine.docker.getContainer(id).inspect();
    expect(HostConfig).toMatchObject({ CpuPeriod: 100_000, CpuQuota: 50_000, Memory: 96 * 1024 * 1024 });
    await cli.end();
  });

  test("min-scale keeps instances, initial-scale 2 starts two, and test passes the command's code on", async () => {
    const annotations = { "autoscaling.knative.dev/min-scale": "2" };
    const cwd = await project({ ...plain, "service.yaml": serviceYaml({ annotations }) });
    const cli = kserveLocal(
      [
        "test",
        "--time-scale",
        "20",
        ...DOCKER,
        "--",
        process.execPath,
        "-e",
        "setTimeout(() => process.exit(9), 6000)",
      ],
      { cwd },
    );
    await cli.ready();
    expect(await containersOf(cli)).toHaveLength(2);
    expect(await cli.exit).toBe(9);
    const scaled = cli.events.filter(({ type }) => type === "revision.scaled").map(({ desired }) => desired);
    expect(scaled).toEqual([2]);
    expect(await containersOf(cli)).toEqual([]);
  });
});

const INSPECTOR = `
const fs = require("fs");
let stdin = "open";
process.stdin.on("end", () => { stdin = "end"; }).resume();
fs.writeFileSync("/scratch/f", "written");
require("http").createServer((q, r) => r.end(JSON.stringify({
  uid: process.getuid(), cwd: process.cwd(), conf: fs.readFileSync("/etc/conf/app.ini", "utf8"),
  scratch: fs.readFileSync("/scratch/f", "utf8"), stdin, tty: Boolean(process.stdout.isTTY) }))).listen(process.env.PORT);
`;
