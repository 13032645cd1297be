/** Many instances at once as processes of this machine: all get ready, all answer, none is left. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { createProcessEngine } from "../../src/engine/process/process-engine.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { RevisionRuntime } from "../../src/revision/revision-runtime.ts";
import { settingsWith } from "../scaling/settings-with.ts";
import { GKE, planOf } from "./rig.ts";

const INSTANCES = 50;
const SERVER = `require("node:http").createServer((_, response) => response.end(String(process.pid))).listen(process.env.PORT)`;

const cleanups: Array<() => Promise<void> | void> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

it(`runs ${INSTANCES} processes of one revision`, async () => {
  const clock = systemClock();
  const stateDirectory = mkdtempSync(join(tmpdir(), "fifty-"));
  const engine = createProcessEngine({ clock, session: "fifty", stateDirectory });
  cleanups.push(async () => {
    await engine.close();
    rmSync(stateDirectory, { recursive: true, force: true });
  });
  const artifact = await engine.prepare(
    { kind: "host", directory: stateDirectory, reference: "hello" },
    { signal: new AbortController().signal, onProgress: () => undefined },
  );
  const main = {
    name: "user-container",
    artifact,
    command: [process.execPath, "--max-semi-space-size=1", "-e", SERVER],
    env: [],
    files: [],
    emptyDirs: [],
  };
  const run = { service: "hello", revision: "hello-00001", main, port: 8080 };
  const runtime = new RevisionRuntime(planOf({ run }), {
    engine,
    clock,
    realClock: clock,
    random: Math.random,
    settings: settingsWith({ initialScale: INSTANCES, minScale: INSTANCES }),
    termination: GKE,
    startDeadlineMs: 60_000,
    emit: () => undefined,
    onReplicas: () => undefined,
  });
  runtime.start();
  await runtime.becameReady;
  expect(runtime.ready).toHaveLength(INSTANCES);
  const pids = await Promise.all(
    runtime.ready.map(async ({ address }) => (await fetch(`http://127.0.0.1:${address?.port}/`)).text()),
  );
  expect(new Set(pids).size).toBe(INSTANCES);
  await runtime.close("the test is over");
  expect(runtime.instances).toEqual([]);
  const alive = pids.filter((pid) => isAlive(Number(pid)));
  expect(alive).toEqual([]);
}, 60_000);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
