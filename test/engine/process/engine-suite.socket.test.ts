import { mkdtempSync, rmSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";
import { createProcessEngine } from "../../../src/engine/process/process-engine.ts";
import { systemClock } from "../../../src/kernel/clock.ts";
import { engineSuite } from "../../suites/engine-suite.ts";

const app = fileURLToPath(new URL("../../apps/contract-app", import.meta.url));
const stateDirectory = mkdtempSync(join(tmpdir(), "engine-suite-"));
afterAll(() => rmSync(stateDirectory, { recursive: true, force: true }));

engineSuite("process", {
  create: () => createProcessEngine({ clock: systemClock(), session: "suite", stateDirectory }),
  source: () => ({ kind: "host", directory: app, dockerfile: "Dockerfile", reference: "contract-app" }),
  missing: () => ({
    kind: "host",
    directory: join(app, "none"),
    dockerfile: "Dockerfile",
    reference: "none",
  }),
  node: process.execPath,
  leftovers: async (marker) => [...(await readdir(stateDirectory)), ...(await processesWith(marker))],
});

/** Processes that carry the marker in their environment; the records alone say so where there is no /proc. */
async function processesWith(marker: string): Promise<string[]> {
  if (process.platform !== "linux") return [];
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const environments = await Promise.all(
    pids.map(async (pid) => [pid, await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "")] as const),
  );
  return environments
    .filter(([, text]) => text.split("\0").includes(`SUITE_MARKER=${marker}`))
    .map(([pid]) => `pid ${pid}`);
}
