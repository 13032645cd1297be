/**
 * The layers of ARCHITECTURE.md as a test. It parses every source file, so a comment or a string can't fool it,
 * and it fails when it sees suspiciously little: a checker that reads nothing must not be green.
 */
import { readFileSync, readdirSync, statSync } from "node:fs";
import { builtinModules } from "node:module";
import path from "node:path";
import { parseSync } from "oxc-parser";
import { describe, expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "..");
const src = path.join(root, "src");

/** Which folder may import which; a folder may always import itself. */
const LAYERS: Record<string, readonly string[]> = {
  kernel: [],
  scaling: [],
  manifest: ["kernel"],
  resources: ["kernel", "manifest"],
  engine: ["kernel"],
  proxy: ["kernel"],
  revision: ["kernel", "manifest", "resources", "scaling", "engine"],
  controller: ["kernel", "manifest", "resources", "engine", "revision"],
  activator: ["kernel", "resources", "proxy", "revision"],
  ingress: ["kernel", "resources", "proxy", "activator"],
  devloop: ["kernel", "manifest", "resources", "engine"],
  report: ["kernel", "manifest", "resources"],
  app: [
    "kernel",
    "manifest",
    "resources",
    "scaling",
    "engine",
    "proxy",
    "revision",
    "controller",
    "activator",
    "ingress",
    "devloop",
    "report",
  ],
  cli: ["kernel", "manifest", "resources", "report", "app"],
};

/** Packages that live in one folder only, so that each can be replaced in one place. */
const PACKAGES: Record<string, string> = {
  dockerode: "engine/docker",
  "docker-modem": "engine/docker",
  "@grpc/grpc-js": "engine/docker",
  commander: "cli",
  chokidar: "devloop",
  yaml: "manifest",
  execa: "engine",
  "@balena/dockerignore": "engine",
  "tar-stream": "engine",
  chalk: "report",
};

const PURE = ["scaling"];

const compare = (a = "", b = ""): number => (a < b ? -1 : Number(a > b));

interface Import {
  readonly file: string;
  readonly specifier: string;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const full = path.join(folder, name);
    if (statSync(full).isDirectory()) return sourceFiles(full);
    return full.endsWith(".ts") ? [full] : [];
  });
}

function importsOf(file: string, text: string): Import[] {
  const { module, errors } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message ?? "does not parse"}`);
  const name = path.relative(src, file);
  return [
    ...module.staticImports.map((entry) => ({ file: name, specifier: entry.moduleRequest.value })),
    ...module.staticExports.flatMap((entry) =>
      entry.entries.flatMap((item) =>
        item.moduleRequest ? [{ file: name, specifier: item.moduleRequest.value }] : [],
      ),
    ),
    ...module.dynamicImports.map((entry) => ({
      file: name,
      specifier: text.slice(entry.moduleRequest.start, entry.moduleRequest.end).replaceAll(/["'`]/g, ""),
    })),
  ];
}

/** The rule that an import breaks, or undefined. */
function violation({ file, specifier }: Import): string | undefined {
  const folder = file.split(path.sep)[0] ?? "";
  const allowed = LAYERS[folder];
  if (allowed === undefined) return `${file}: folder ${folder} is not in the table of layers`;
  if (specifier.startsWith(".")) {
    const target = path.relative(src, path.resolve(src, path.dirname(file), specifier)).split(path.sep);
    const targetFolder = target[0] ?? "";
    if (targetFolder === folder) return undefined;
    if (!allowed.includes(targetFolder))
      return `${file}: ${folder} may not import ${targetFolder} (${specifier})`;
    if (targetFolder === "engine" && folder !== "app" && !(target.length === 2))
      return `${file}: only app looks inside an engine (${specifier})`;
    return undefined;
  }
  const builtin = specifier.startsWith("node:") || builtinModules.includes(specifier);
  if (builtin) {
    if (!specifier.startsWith("node:")) return `${file}: write node:${specifier}`;
    return PURE.includes(folder) ? `${file}: ${folder} is pure, no ${specifier}` : undefined;
  }
  const home =
    PACKAGES[
      Object.keys(PACKAGES).find((name) => specifier === name || specifier.startsWith(`${name}/`)) ?? ""
    ];
  if (home === undefined) return undefined;
  return file.split(path.sep).join("/").startsWith(`${home}/`)
    ? undefined
    : `${file}: ${specifier} belongs in ${home}`;
}

const files = sourceFiles(src);
const imports = files.flatMap((file) => importsOf(file, readFileSync(file, "utf8")));

describe("layers", () => {
  test("every import follows the table", () => {
    expect(imports.map(violation).filter((found) => found !== undefined)).toEqual([]);
  });

  test("the checker saw the tree", () => {
    expect(files.length).toBeGreaterThan(30);
    expect(imports.length).toBeGreaterThan(files.length);
  });

  test.each([
    ["kernel/a.ts", "../scaling/b.ts"],
    ["scaling/a.ts", "node:fs"],
    ["revision/a.ts", "../activator/b.ts"],
    ["revision/a.ts", "../engine/docker/b.ts"],
    ["ingress/a.ts", "commander"],
    ["manifest/a.ts", "dockerode"],
    ["engine/process/a.ts", "dockerode"],
    ["unlisted/a.ts", "../kernel/b.ts"],
    ["report/a.ts", "fs"],
  ])("a planted violation is caught: %s imports %s", (file, specifier) => {
    expect(violation({ file, specifier })).toBeTypeOf("string");
  });

  test.each([
    [`import x from "../activator/a.ts";`],
    [`import type { x } from "../activator/a.ts";`],
    [`export * from "../activator/a.ts";`],
    [`export { x } from "../activator/a.ts";`],
    [`const x = await import("../activator/a.ts");`],
    [`import "../activator/a.ts";`],
  ])("every form of import is read: %s", (text) => {
    expect(importsOf(path.join(src, "kernel/planted.ts"), text).map(violation)).toEqual([
      expect.stringContaining("may not import activator"),
    ]);
  });
});

describe("ARCHITECTURE.md", () => {
  test("its folder table names exactly the folders of src", () => {
    const text = readFileSync(path.join(root, "ARCHITECTURE.md"), "utf8");
    const named = [...text.matchAll(/^\| `([a-z]+)\/`/gm)].map((match) => match[1]).toSorted(compare);
    const present = readdirSync(src)
      .filter((name) => statSync(path.join(src, name)).isDirectory())
      .toSorted(compare);
    expect(named).toEqual(present);
    expect(Object.keys(LAYERS).toSorted(compare)).toEqual(present);
  });
});
