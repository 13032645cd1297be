/** `validate`, `config`, `explain` and `schema` as processes: what they print where, and how they exit. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { judge } from "../../src/manifest/judge.ts";
import { project } from "../support/cli.ts";

const BIN = fileURLToPath(new URL("../../bin/kserve-local.js", import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(
  args: readonly string[],
  options: {
    readonly cwd: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly stdin?: string | Buffer;
  },
): Promise<Ended> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(KSERVE_LOCAL_|CI$|GITHUB_|NO_COLOR|FORCE_COLOR)/.test(name),
    ),
  );
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd: options.cwd,
    env: { ...env, ...options.env },
  });
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (chunk: string) => (text[name] += chunk));
  child.stdin.end(options.stdin ?? "");
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...text };
}

const GOOD = `apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: good
spec:
  template:
    spec:
      containers:
      - image: registry.local/app
`;
const WRONG = GOOD.replace("name: good", "name: wrong").replace("- image:", "- imag:");
const NUMBER = `${GOOD}        env:\n        - name: A\n          value: 1 # one\n`;
const DOUBTFUL = GOOD.replace("  name: good", "  name: good\n  name: good2");

const json = (text: string) =>
  JSON.parse(text) as {
    valid: boolean;
    documents: Array<{
      file: string;
      index: number;
      name: string;
      valid: boolean;
      defaulted?: unknown;
      problems: unknown[];
    }>;
    fixes?: Array<{ file: string; written: boolean; diff: string }>;
  };

describe("validate", () => {
  test("takes service.yaml here, and says yes with 0", async () => {
    const cwd = await project({ "service.yaml": GOOD });
    const { code, stdout, stderr } = await run(["validate"], { cwd });
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.trimEnd().split("\n").at(-1)).toBe("✔ 1 file, 1 document: valid, 1 notice");
  });

  test("says no with 2, with the line and a caret, without colours in a pipe", async () => {
    const cwd = await project({ "a.yaml": WRONG });
    const { code, stdout } = await run(["validate", "a.yaml"], { cwd });
    expect(code).toBe(2);
    expect(stdout).toContain("✘ error  a.yaml:9:9  Unknown field `imag`");
    expect(stdout).toMatch(/^ {2}> +9 \| {7}- imag: registry\.local\/app\n +\| {9}\^$/m);
    expect(stdout).not.toContain("\u001b");
    expect(stdout.endsWith("✘ 1 file, 1 document: 1 error\n")).toBe(true);
  });

  test("searches directories and reads standard input", async () => {
    const cwd = await project({
      "deploy/a.yaml": GOOD,
      "deploy/b/c.yml": WRONG,
      "deploy/values.yaml": "replicas: 1\n",
    });
    const { code, stdout } = await run(["validate", "deploy", "-", "-o", "json"], {
      cwd,
      stdin: `${GOOD}---\n${GOOD}`,
    });
    expect(code).toBe(2);
    expect(json(stdout).documents.map(({ file, index, valid }) => [file, index, valid])).toEqual([
      [path.join("deploy", "a.yaml"), 0, true],
      [path.join("deploy", "b", "c.yml"), 0, false],
      ["<stdin>", 0, true],
      ["<stdin>", 1, true],
    ]);
  });

  test("--strict, --show-defaults and --profile", async () => {
    const cwd = await project({ "a.yaml": DOUBTFUL, "long.yaml": `${GOOD}      timeoutSeconds: 3600\n` });
    expect((await run(["validate", "a.yaml"], { cwd })).code).toBe(0);
    expect((await run(["validate", "a.yaml", "--strict"], { cwd })).code).toBe(2);
    expect((await run(["validate", "long.yaml"], { cwd })).code).toBe(0);
    expect((await run(["validate", "long.yaml", "--profile", "knative"], { cwd })).code).toBe(2);
    const shown = json((await run(["validate", "a.yaml", "--show-defaults", "-o", "json"], { cwd })).stdout);
    expect(shown.documents[0]?.defaulted).toMatchObject({
      spec: { template: { spec: { timeoutSeconds: 300 } } },
    });
    const text = (await run(["validate", "a.yaml", "--show-defaults"], { cwd })).stdout;
    expect(text).toContain("      timeoutSeconds: 300\n");
  });

  test("in GitHub Actions annotates, unless told otherwise", async () => {
    const cwd = await project({ "app/a.yaml": WRONG });
    const env = { GITHUB_ACTIONS: "true", GITHUB_WORKSPACE: cwd };
    const there = { cwd: path.join(cwd, "app"), env };
    const { code, stdout } = await run(["validate", "a.yaml"], there);
    expect(code).toBe(2);
    expect(stdout.split("\n")[0]).toMatch(
      /^::error title=unknown-field,file=app\/a\.yaml,line=9,col=9::Unknown field/,
    );
    expect((await run(["validate", "a.yaml", "-o", "text"], there)).stdout).toMatch(/^✘ error/);
    const chosen = { ...there, env: { ...env, KSERVE_LOCAL_OUTPUT: "junit" } };
    expect((await run(["validate", "a.yaml"], chosen)).stdout).toMatch(/^<\?xml/);
    expect((await run(["validate", "a.yaml", "-o", "sarif"], there)).stdout).toContain('"version": "2.1.0"');
  });

  test("--fix mends the file and nothing around it, shows the diff, and judges the result", async () => {
    const cwd = await project({ "a.yaml": NUMBER });
    const file = path.join(cwd, "a.yaml");
    await chmod(file, 0o640);
    const preview = await run(["validate", "--fix", "--dry-run", "a.yaml"], { cwd });
    expect(preview.code).toBe(2);
    expect(preview.stdout).toContain('-          value: 1 # one\n+          value: "1" # one\n');
    expect(preview.stdout).toContain("with these fixes: 1 file, 1 document: valid");
    expect(await readFile(file, "utf8")).toBe(NUMBER);
    const fixed = await run(["validate", "--fix", "a.yaml"], { cwd });
    expect(fixed.code).toBe(0);
    expect(fixed.stdout).toContain("✔ fixed a.yaml: quoted 1\n--- a.yaml\n+++ a.yaml\n");
    expect(await readFile(file, "utf8")).toBe(NUMBER.replace("value: 1", 'value: "1"'));
    expect((await stat(file)).mode & 0o777).toBe(0o640);
    const again = await run(["validate", "--fix", "a.yaml", "-o", "json"], { cwd });
    expect(json(again.stdout)).toMatchObject({ valid: true, fixes: [] });
  });

  test("--fix of standard input only shows", async () => {
    const cwd = await project({});
    const { code, stdout } = await run(["validate", "-", "--fix", "-o", "json"], { cwd, stdin: NUMBER });
    expect(code).toBe(2);
    expect(json(stdout).fixes).toMatchObject([{ file: "<stdin>", written: false }]);
  });

  test("what it can't read is said on stderr, and in the JSON", async () => {
    const cwd = await project({ "bytes.yaml": "", "empty/readme.md": "" });
    await writeFile(path.join(cwd, "bytes.yaml"), Buffer.from([0x61, 0x3a, 0x20, 0xff, 0x0a]));
    const missing = await run(["validate", "nope.yaml", "-o", "json"], { cwd });
    expect([missing.code, json(missing.stdout).valid]).toEqual([2, false]);
    expect(missing.stderr).toContain("nope.yaml does not exist");
    expect((await run(["validate", "empty"], { cwd })).code).toBe(2);
    expect((await run(["validate"], { cwd })).stderr).toContain("no service.yaml");
    const bytes = await run(["validate", "bytes.yaml"], { cwd });
    expect([bytes.code, bytes.stdout.includes("bytes.yaml:1:4")]).toEqual([2, true]);
    expect((await run(["validate", "--dry-run"], { cwd })).code).toBe(2);
  });

  test("a reader that goes away does not make it fail", async () => {
    const cwd = await project({ "all.yaml": Array.from({ length: 400 }, () => WRONG).join("---\n") });
    const child = spawn(process.execPath, [BIN, "validate", "all.yaml"], { cwd });
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (errors += chunk));
    child.stdout.once("data", () => child.stdout.destroy());
    const [code] = (await once(child, "close")) as [number | null];
    expect([code, errors]).toEqual([2, ""]);
  });
});

describe("config", () => {
  const CONFIG = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config-defaults}\ndata:\n  revision-timeout-seconds: "42"\n`;

  test("prints objects that are their own defaults, and where each setting comes from", async () => {
    const cwd = await project({ "service.yaml": `${CONFIG}---\n${GOOD}` });
    const env = { KSERVE_LOCAL_TIME_SCALE: "20" };
    const { code, stdout, stderr } = await run(["config", "--port", "9000", "--no-build"], { cwd, env });
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^# --port +9000 +flag --port$/m);
    expect(stdout).toMatch(/^# --build +false +flag --no-build$/m);
    expect(stdout).toMatch(/^# --time-scale +20 +environment KSERVE_LOCAL_TIME_SCALE$/m);
    expect(stdout).toMatch(/^# --engine +auto +default$/m);
    expect(stdout).toMatch(/^# start deadline +240s +profile gke$/m);
    expect(stdout).toMatch(/^# config-defaults\/revision-timeout-seconds +42 +ConfigMap service\.yaml:5$/m);
    expect(stdout).toContain("      timeoutSeconds: 42\n");
    const once = judge([{ file: "service.yaml", text: `${CONFIG}---\n${GOOD}` }], { profile: "gke" });
    const twice = judge([{ file: "out.yaml", text: stdout }], { profile: "gke" });
    expect(twice.documents.map(({ object }) => object)).toEqual(once.documents.map(({ object }) => object));
  });

  test("as JSON; without a manifest there are still settings; with a bad one the problems are on stderr", async () => {
    const cwd = await project({ "bad/a.yaml": `${GOOD}---\n${WRONG}` });
    const none = await run(["config", "-o", "json", "--profile", "knative"], { cwd });
    expect(none.code).toBe(0);
    const { settings, objects } = JSON.parse(none.stdout) as { settings: unknown[]; objects: unknown[] };
    expect(objects).toEqual([]);
    expect(settings).toContainEqual({
      name: "--profile",
      value: "knative",
      source: "flag",
      from: "--profile",
    });
    expect(settings).toContainEqual({
      name: "config-autoscaler/stable-window",
      value: "60s",
      source: "default",
    });
    const bad = await run(["config", "bad"], { cwd });
    expect([bad.code, bad.stdout.includes("name: good"), bad.stderr.includes("imag")]).toEqual([
      2,
      true,
      true,
    ]);
    expect((await run(["config", "nowhere"], { cwd })).code).toBe(2);
  });
});

describe("explain and schema", () => {
  test("a field, an unknown one, and JSON", async () => {
    const cwd = await project({});
    const known = await run(["explain", "spec.template.spec.timeoutSeconds", "--profile", "knative"], {
      cwd,
    });
    expect(known.code).toBe(0);
    expect(known.stdout).toMatch(
      /^KIND: +Service \(serving\.knative\.dev\/v1\)\nFIELD: +spec\.template\.spec\.timeoutSeconds <integer>\n/,
    );
    expect(known.stdout).toMatch(/^ +default +300\n +bounds +0 to 600\n +emulated +yes$/m);
    const unknown = await run(["explain", "spec.template.spec.timeotSeconds"], { cwd });
    expect([unknown.code, unknown.stdout]).toEqual([2, ""]);
    expect(unknown.stderr).toContain("Did you mean spec.template.spec.timeoutSeconds?");
    const object = await run(["explain", "autoscaling.knative.dev/target", "-o", "json"], { cwd });
    expect(JSON.parse(object.stdout)).toMatchObject({
      subject: "annotation",
      path: "autoscaling.knative.dev/target",
    });
  });

  test("the schema is the one in the package", async () => {
    const cwd = await project({});
    const { code, stdout } = await run(["schema"], { cwd });
    expect(code).toBe(0);
    expect(stdout).toBe(await readFile(new URL("../../schema/service.json", import.meta.url), "utf8"));
    expect((await run(["schema", "--profile", "knative"], { cwd })).stdout).not.toBe(stdout);
  });
});
