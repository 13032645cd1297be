import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensureHostNodeImage, requireEngine } from "../../support/docker-images.ts";
import { makeRig, type Rig, SERVER } from "./rig.ts";

const { docker, missing } = await requireEngine();
const root = fileURLToPath(new URL("../../..", import.meta.url));
/** Inside the project, so that the compiled files find its packages. */
const compiled = path.join(root, ".cache", `docker-leftovers-${process.pid}`);

describe.skipIf(missing)("what a killed session leaves", () => {
  let image: string;
  let rig: Rig;
  beforeAll(async () => {
    image = await ensureHostNodeImage(docker);
    rig = await makeRig(image, { watchdog: false });
    compile();
  });
  afterAll(async () => {
    await rig.engine.close();
    rmSync(compiled, { recursive: true, force: true });
  });

  it("is removed by the watchdog within seconds of kill -9, and nothing of others", async () => {
    const other = await rig.start(SERVER);
    const session = randomUUID();
    const { child, line } = startSession({ session, image, watchdog: true });
    const id = await line;
    const gone = destroyed(id);
    child.kill("SIGKILL");
    await gone;
    expect(await containersOf(session)).toEqual([]);
    expect((await docker.getContainer(other.instance.id).inspect()).State.Running).toBe(true);
    await other.instance.stop(0);
  });

  it("is removed by the next session's sweep where no watchdog could run", async () => {
    const session = randomUUID();
    const { child, line } = startSession({ session, image, watchdog: false });
    await line;
    const alive = await rig.start(SERVER);
    await rig.engine.sweep();
    expect(await containersOf(session)).toHaveLength(1);
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("exit", resolve));
    expect(await rig.engine.sweep()).toBeGreaterThanOrEqual(1);
    expect(await containersOf(session)).toEqual([]);
    expect((await docker.getContainer(alive.instance.id).inspect()).State.Running).toBe(true);
    await alive.instance.stop(0);
  });

  it("that ended in good order has dismissed its watchdog", async () => {
    const { child, line } = startSession({ session: randomUUID(), image, watchdog: true });
    await line;
    const watchdogs = childrenOf(child);
    expect(watchdogs).toHaveLength(1);
    child.stdin?.end();
    await new Promise((resolve) => child.once("exit", resolve));
    await expect.poll(() => watchdogs.filter(isRunning), { timeout: 5000 }).toEqual([]);
  });

  function containersOf(session: string) {
    return docker.listContainers({ all: true, filters: { label: [`dev.kserve-local.session=${session}`] } });
  }

  async function destroyed(id: string): Promise<void> {
    const events = (await docker.getEvents({ filters: { container: [id], event: ["destroy"] } })) as Readable;
    await new Promise((resolve) => events.once("data", resolve));
    events.destroy();
  }
});

/** Node 20 can't run TypeScript: the session of the test is compiled, as users get it. */
function compile(): void {
  mkdirSync(compiled, { recursive: true });
  const project = path.join(compiled, "tsconfig.json");
  const options = { rootDir: path.join(root, "src"), outDir: compiled, sourceMap: false };
  const files = ["engine/docker/connect.ts", "kernel/clock.ts"].map((file) => path.join(root, "src", file));
  const extend = path.join(root, "tsconfig.build.json");
  writeFileSync(project, JSON.stringify({ extends: extend, compilerOptions: options, files, include: [] }));
  writeFileSync(path.join(compiled, "package.json"), JSON.stringify({ type: "module" }));
  writeFileSync(path.join(compiled, "session.js"), SESSION);
  execFileSync(process.execPath, [path.join(root, "node_modules/typescript/bin/tsc"), "-p", project], {
    stdio: "inherit",
  });
}

/** Starts one instance, prints its id, and closes in good order when its stdin ends. */
const SESSION = `
import { connectDocker } from "./engine/docker/connect.js";
import { systemClock } from "./kernel/clock.js";
const { session, image, watchdog } = JSON.parse(process.argv[2]);
const signal = new AbortController().signal;
const engine = await connectDocker({ session, watchdog, clock: systemClock() });
const artifact = await engine.prepare({ kind: "reference", reference: image, pull: "never" }, { signal, onProgress() {} });
const main = { name: "c", artifact, command: ["node", "-e", "setInterval(() => {}, 1000)"], env: [], files: [], emptyDirs: [] };
const instance = await engine.start({ name: "left-" + session, service: "s", revision: "r", port: 8080, onLog() {}, main }, signal);
console.log(instance.id);
process.stdin.resume().on("end", async () => { await engine.close(); process.stdin.destroy(); });
`;

function startSession(orders: object): { child: ChildProcess; line: Promise<string> } {
  const child = spawn(process.execPath, [path.join(compiled, "session.js"), JSON.stringify(orders)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const line = new Promise<string>((resolve, reject) => {
    child.stdout?.setEncoding("utf8").once("data", (text: string) => resolve(text.trim()));
    child.once("exit", (code) => reject(new Error(`the session ended with ${code}`)));
  });
  line.catch(() => undefined);
  return { child, line };
}

function childrenOf(child: ChildProcess): number[] {
  const pids = execFileSync("ps", ["-o", "pid=", "--ppid", String(child.pid)], { encoding: "utf8" });
  return pids.trim().split(/\s+/).map(Number);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
