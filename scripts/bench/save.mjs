/** From a saved file to the first answer of the new revision; against doing the same by hand. */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort, poll } from "./calls.mjs";
import * as docker from "./docker.mjs";
import { copyOfApp, Emulator, environment } from "./emulator.mjs";
import { end } from "./process.mjs";
import { compare, stageSummaries } from "./stats.mjs";

const IMAGE = "kserve-local-bench:save";

export const title = "save to serving";

export async function measure(context) {
  return {
    docker:
      context.engineProblem === undefined
        ? await measureOn("docker", context.quick, rebuildByHand, "build + create + start + first 200")
        : { skipped: context.engineProblem },
    process: await measureOn("process", context.quick, restartByHand, "node server.cjs + 200"),
  };
}

async function measureOn(engine, quick, byHand, baselineIs) {
  const served = copyOfApp();
  const other = copyOfApp();
  const emulator = new Emulator(served.directory, ["--engine", engine, "--time-scale", "5"]);
  try {
    const port = await emulator.ready();
    const ours = [];
    const baseline = [];
    const stages = [];
    for (let turn = -1; turn < (quick ? 3 : 12); turn += 1) {
      // The old revision's instance is gone by then, so that its end is not part of the next figure.
      await sleep(1_500);
      const from = emulator.events.length;
      const saved = performance.now();
      const version = save(served.directory, `${engine}-${turn}`);
      await poll(port, { accept: ({ body }) => body.includes(version), timeoutMs: 60_000 });
      const answered = performance.now();
      await sleep(500);
      const before = performance.now();
      save(other.directory, `${engine}-hand-${turn}`);
      const hand = await byHand(other.directory);
      if (turn < 0) continue;
      ours.push(answered - saved);
      baseline.push(hand - before);
      stages.push(stagesOf(emulator.events.slice(from), saved, answered));
    }
    return { unit: "ms", ...compare(ours, baseline, 0), baselineIs, stages: stageSummaries(stages) };
  } finally {
    await emulator.stop();
    for (const app of [served, other]) app.remove();
  }
}

/** Read from the events as they arrive here, so each is late by a millisecond or so. */
function stagesOf(events, saved, answered) {
  const at = (accept) => events.find(accept).at;
  const seen = at(({ type }) => type === "watch.change");
  const created = at(({ type }) => type === "revision.created");
  const ready = at(({ to }) => to === "ready");
  return {
    "save to change seen": seen - saved,
    "change seen to new revision (build included)": created - seen,
    "new revision to ready": ready - created,
    "ready to serving": answered - ready,
  };
}

function save(directory, version) {
  const file = join(directory, "server.cjs");
  writeFileSync(
    file,
    readFileSync(file, "utf8").replace(/const version = ".*";/, `const version = "${version}";`),
  );
  return version;
}

/** Both resolve to the time of the first 200. */
async function rebuildByHand(directory) {
  await docker.build(directory, IMAGE);
  const port = await freePort();
  const container = await docker.start(IMAGE, port);
  try {
    await poll(port);
    return performance.now();
  } finally {
    await container.remove();
  }
}

async function restartByHand(directory) {
  const port = await freePort();
  const env = { ...environment(), PORT: String(port) };
  const child = spawn(process.execPath, ["server.cjs"], { cwd: directory, stdio: "ignore", env });
  try {
    await poll(port);
    return performance.now();
  } finally {
    await end(child);
  }
}
