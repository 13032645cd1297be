/** A request to a service at zero, until its first byte; against the bare engine starting the same image. */
import { setTimeout as sleep } from "node:timers/promises";
import { call, freePort, poll } from "./calls.mjs";
import * as docker from "./docker.mjs";
import { copyOfApp, Emulator } from "./emulator.mjs";
import { compare, stageSummaries } from "./stats.mjs";

const IMAGE = "kserve-local-bench:cold";
/** For the engine to finish what it does after its last answer. */
const QUIET_MS = 300;

export const title = "cold start";
export const aim = "at most 50 ms over the engine at the median";

export async function measure({ quick, engineProblem }) {
  if (engineProblem !== undefined) return { skipped: engineProblem };
  const app = copyOfApp();
  let emulator;
  try {
    await docker.build(app.directory, IMAGE);
    emulator = new Emulator(app.directory, ["--engine", "docker", "--time-scale", "50", "--no-watch"]);
    const port = await emulator.ready();
    await emulator.atZero(0);
    const ours = [];
    const baseline = [];
    const stages = [];
    // The first of each warms the engine's caches and doesn't count.
    for (let round = -1; round < (quick ? 5 : 25); round += 1) {
      const both = [
        async () => {
          const { firstByteMs, seen } = await coldRequest(emulator, port);
          if (round >= 0) ours.push(firstByteMs);
          if (round >= 0) stages.push(seen);
        },
        async () => {
          const ms = await bareStart();
          if (round >= 0) baseline.push(ms);
        },
      ];
      for (const take of round % 2 === 0 ? both : both.reverse()) {
        await sleep(QUIET_MS);
        await take();
      }
    }
    return {
      unit: "ms",
      ...compare(ours, baseline, 1),
      baselineIs: "create + start + first 200 through a port on loopback",
      stages: stageSummaries(stages),
    };
  } finally {
    await emulator?.stop();
    app.remove();
  }
}

async function coldRequest(emulator, port) {
  const from = emulator.events.length;
  const sentAt = performance.now();
  const { status, firstByteMs } = await call(port);
  if (status !== 200) throw new Error(`the cold request got ${status}`);
  await emulator.atZero(from);
  const events = emulator.events.slice(from);
  const at = (accept) => events.find(accept).at - sentAt;
  const starting = at(({ to }) => to === "starting");
  const listening = at(({ type, line }) => type === "log" && line === "listening");
  const ready = at(({ to }) => to === "ready");
  return {
    firstByteMs,
    // Read from the events as they arrive here, so each is late by a millisecond or so.
    seen: {
      "request to start": starting,
      "start to app listening": listening - starting,
      "listening to ready": ready - listening,
      "ready to first byte": firstByteMs - ready,
    },
  };
}

async function bareStart() {
  const port = await freePort();
  const startedAt = performance.now();
  const container = await docker.start(IMAGE, port);
  try {
    await poll(port);
    return performance.now() - startedAt;
  } finally {
    await container.remove();
  }
}
