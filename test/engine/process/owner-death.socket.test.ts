import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createProcessEngine } from "../../../src/engine/process/process-engine.ts";
import { systemClock } from "../../../src/kernel/clock.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const app = join(root, "test/apps/contract-app");
let compiled: string;
let home: string;
let state: string;

// Compiled, since that is what users run, and since node 20 runs no TypeScript by itself.
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "owner-death-"));
  state = join(home, "state");
  mkdirSync(join(root, "node_modules/.cache"), { recursive: true });
  // Below node_modules, so that the compiled files find our dependencies.
  compiled = await mkdtemp(join(root, "node_modules/.cache/owner-death-"));
  const options = [
    "--noEmit",
    "false",
    "--outDir",
    compiled,
    "--rootDir",
    "src",
    "--allowImportingTsExtensions",
    "false",
  ];
  const kept = [
    "--module",
    "nodenext",
    "--target",
    "es2023",
    "--rewriteRelativeImportExtensions",
    "--noCheck",
    "--types",
    "node",
  ];
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const file = "src/engine/process/process-engine.ts";
  await promisify(execFile)(process.execPath, [tsc, "--ignoreConfig", ...options, ...kept, file], {
    cwd: root,
  });
  await writeFile(join(compiled, "package.json"), JSON.stringify({ type: "module" }));
}, 60_000);
afterAll(async () => {
  await rm(compiled, { recursive: true, force: true });
  await rm(home, { recursive: true, force: true });
});

interface Owned {
  readonly owner: ChildProcess;
  readonly pid: number;
  /** A connection to the app: it closes when the app is gone. */
  readonly connection: Socket;
}

async function startOwner(): Promise<Owned> {
  const script = join(root, "test/engine/process/owner.mjs");
  const owner = spawn(process.execPath, [script, compiled, app, state], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface(owner.stdout), "line")) as [string];
  const { pid, port } = JSON.parse(line) as { pid: string; port: number };
  const connection = connect(port, "127.0.0.1");
  connection.on("error", () => undefined);
  await once(connection, "connect");
  return { owner, pid: Number(pid), connection };
}

describe("when kserve-local is killed", () => {
  it("its watchdog ends the app within a second or so, also one that ignores SIGTERM, and forgets the record", async () => {
    const { owner, connection, pid } = await startOwner();
    expect(await readdir(state)).toEqual([`owner-${pid}.process.json`]);
    const closed = closing(connection);
    const before = performance.now();
    owner.kill("SIGKILL");
    await closed;
    expect(performance.now() - before).toBeLessThan(1500);
    // The watchdog removes the record just after the kill that closed the connection.
    await expect.poll(() => readdir(state), { interval: 20, timeout: 2000 }).toEqual([]);
  });

  it.runIf(process.platform === "linux")(
    "and so is its watchdog, the next start's sweep ends the app",
    async () => {
      const { owner, connection, pid } = await startOwner();
      const closed = closing(connection);
      const watchdog = await childOf(owner.pid ?? 0, pid);
      process.kill(watchdog, "SIGKILL");
      owner.kill("SIGKILL");
      await once(owner, "exit");
      process.kill(pid, 0);
      const engine = createProcessEngine({ clock: systemClock(), session: "next", stateDirectory: state });
      expect(await engine.sweep()).toBe(1);
      await closed;
      expect(await readdir(state)).toEqual([]);
      await engine.close();
    },
  );
});

/** Not `once` of node:events, which takes the reset that may come before the close for a failure. */
function closing(connection: Socket): Promise<void> {
  return new Promise((resolve) => void connection.once("close", () => resolve()));
}

/** The pid of the one child of `parent` that isn't `other`. */
async function childOf(parent: number, other: number): Promise<number> {
  const children = (await readFile(`/proc/${parent}/task/${parent}/children`, "utf8"))
    .trim()
    .split(" ")
    .map(Number);
  const found = children.filter((child) => child !== other);
  expect(found).toHaveLength(1);
  return found[0] ?? 0;
}
