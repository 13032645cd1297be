/** `simulate` as a process: its exit codes, its streams, and the input format of Knative's traces. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { execFile } from "node:child_process";
import { expect, test } from "vitest";
import { project } from "../support/cli.ts";
import { serviceYaml } from "../support/service-yaml.ts";

const BIN = fileURLToPath(new URL("../../bin/kserve-local.js", import.meta.url));
const TRACES = fileURLToPath(new URL("../../../shared/conformance/kpa/", import.meta.url));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function simulate(cwd: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith("KSERVE_LOCAL_"));
    execFile(
      process.execPath,
      [BIN, "simulate", ...args],
      { cwd, env: { ...Object.fromEntries(own), ...env }, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

test("a service under a load, as a table in a pipe and as one document", async () => {
  const annotations = { "autoscaling.knative.dev/target": "10" };
  const cwd = await project({ "service.yaml": serviceYaml({ annotations }) });
  const load = ["--load", "0-30s:40, 3m:0"];
  const text = await simulate(cwd, load);
  expect(text).toMatchObject({ code: 0, stderr: "" });
  expect(text.stdout).toMatch(/^service hello in service\.yaml under 0-30s:40, 3m:0, 3 min 30 s\n/);
  expect(text.stdout).toMatch(/^time +load +instances/m);
  const json = await simulate(cwd, [...load, "--startup", "500ms"], { KSERVE_LOCAL_OUTPUT: "json" });
  expect(json.code).toBe(0);
  expect(JSON.parse(json.stdout)).toMatchObject({
    load: "0-30s:40, 3m:0",
    settings: { target: 7 },
    requests: { held: 40, heldMs: { max: 500 } },
    mostInstances: 6,
  });
});

test.skipIf(!existsSync(TRACES))("a scenario of Knative's, to its trace", async () => {
  const cwd = await project({});
  const name = "s05-from-zero-burst-500";
  const { code, stdout, stderr } = await simulate(cwd, [
    "--scenario",
    path.join(TRACES, `${name}.json`),
    "-o",
    "json",
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const expected: unknown = JSON.parse(readFileSync(path.join(TRACES, `${name}.out.json`), "utf8"));
  expect(JSON.parse(stdout)).toEqual(expected);
});

test.each([
  { args: [], says: "simulate needs a load" },
  { args: ["--load", "60s"], says: `--load, character 1: "60s" has no value` },
  { args: ["--load", "60s:1", "none.yaml"], says: "none.yaml does not exist" },
  { args: ["--load", "60s:1", "--startup", "soon"], says: "A time, for example 2s" },
  { args: ["--load", "60s:1", "--request-duration", "0"], says: "At least 1ms" },
  { args: ["--load", "60s:1", "--duration", "1500ms"], says: "Whole seconds" },
  { args: ["--load", "60s:1", "--seed", "x"], says: "A whole number" },
  { args: ["--load", "60s:1", "--scenario", "x.json"], says: "a scenario brings its own load" },
  { args: ["--scenario", "x.json"], says: "the scenario can't be read" },
])("usage errors end with 2 and print nothing to stdout: $args", async ({ args, says }) => {
  const { code, stdout, stderr } = await simulate(await project({}), args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain(says);
});
