// Measurements of the whole program, each against a baseline taken in the same run: `npm run bench -- [--quick]
// [--only cold-start,warm,save,memory,help,validate]`. Prints a table; writes .cache/bench/<time>.json and latest.json. Figures
// are reported and never asserted. docs/benchmarks.md says how they are taken and what they were.
import { mkdirSync, writeFileSync } from "node:fs";
import { arch, availableParallelism, cpus, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureBuilt, ensureInstalled, root } from "./build.mjs";

/** In the order in which they run. Loaded late: what they import may not be installed yet. */
const PARTS = {
  help: () => import("./bench/help.mjs"),
  memory: () => import("./bench/memory.mjs"),
  "cold-start": () => import("./bench/cold-start.mjs"),
  save: () => import("./bench/save.mjs"),
  warm: () => import("./bench/warm.mjs"),
  validate: () => import("./bench/validate.mjs"),
};

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false }, only: { type: "string" } },
});
const names = Object.keys(PARTS);
const chosen = values.only?.split(",") ?? names;
const unknown = chosen.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`bench: no part is called ${unknown.join(", ")}; there are ${names.join(", ")}\n`);
  process.exit(2);
}

ensureInstalled();
if (process.env.KSERVE_LOCAL_BIN === undefined) ensureBuilt();

const docker = await import("./bench/docker.mjs");
const { lines } = await import("./bench/table.mjs");
const engineProblem = await docker.engineProblem();
const engine = engineProblem === undefined ? await docker.engineTitle() : undefined;
const takenAt = new Date().toISOString();
const results = [];

// The CLIs under measurement hear the terminal's Ctrl-C themselves; what the baselines started is ours to remove.
process.once("SIGINT", () => {
  const cleaned = engineProblem === undefined ? docker.cleanUp() : Promise.resolve();
  void cleaned.finally(() => process.exit(130));
});

try {
  for (const name of names.filter((part) => chosen.includes(part))) {
    process.stderr.write(`bench: ${name}\n`);
    const part = await PARTS[name]();
    const result = await part.measure({ quick: values.quick, engineProblem }).catch((error) => {
      process.exitCode = 1;
      process.stderr.write(`bench: ${name} failed: ${error.stack}\n`);
      return { failed: error.message };
    });
    results.push({ name, title: part.title, ...(part.aim === undefined ? {} : { aim: part.aim }), result });
  }
} finally {
  if (engineProblem === undefined) await docker.cleanUp();
}

const machine = {
  platform: `${process.platform} ${arch()}`,
  cpus: availableParallelism(),
  cpu: cpus()[0]?.model ?? "unknown",
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  node: process.versions.node,
  ...(engine === undefined ? {} : { engine }),
};
const directory = join(root, ".cache", "bench");
const text = `${JSON.stringify({ takenAt, quick: values.quick, machine, results }, undefined, 2)}\n`;
mkdirSync(directory, { recursive: true });
for (const name of [takenAt.replaceAll(":", "-"), "latest"])
  writeFileSync(join(directory, `${name}.json`), text);
process.stdout.write(`${lines(results).join("\n")}\n`);
