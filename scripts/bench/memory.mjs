/** Resident memory of the CLI with one service that has gone to zero; against an idle Node. */
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { copyOfApp, Emulator, environment } from "./emulator.mjs";
import { childrenOf, end, residentMiB } from "./process.mjs";
import { compare, summary } from "./stats.mjs";

/** At zero, before it is read. */
const IDLE_MS = 4_000;

export const title = "resident memory";
export const aim = "120 MiB";

export async function measure({ quick, engineProblem }) {
  if (process.platform !== "linux") return { skipped: "memory is read from /proc" };
  return {
    docker: engineProblem === undefined ? await measureOn("docker", quick) : { skipped: engineProblem },
    process: await measureOn("process", quick),
  };
}

async function measureOn(engine, quick) {
  const cli = [];
  const watchdog = [];
  const idle = [];
  for (let turn = 0; turn < (quick ? 1 : 3); turn += 1) {
    const app = copyOfApp();
    // Watching, as by default.
    const emulator = new Emulator(app.directory, ["--engine", engine, "--time-scale", "20"]);
    const node = spawn(process.execPath, ["-e", "setInterval(() => {}, 1e6)"], {
      stdio: "ignore",
      env: environment(),
    });
    try {
      await emulator.ready();
      await emulator.atZero(0);
      await sleep(IDLE_MS);
      cli.push(residentMiB(emulator.pid));
      watchdog.push(childrenOf(emulator.pid).reduce((sum, pid) => sum + residentMiB(pid), 0));
      idle.push(residentMiB(node.pid));
    } finally {
      await end(node);
      await emulator.stop();
      app.remove();
    }
  }
  return {
    unit: "MiB",
    ...compare(cli, idle, 1),
    baselineIs: "idle node -e",
    watchdog: summary(watchdog, 1),
  };
}
