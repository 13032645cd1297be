import { readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import dockerignore from "@balena/dockerignore";
import { KserveLocalError, messageOf } from "../kernel/errors.ts";

/** `relativePath` is relative to the context and `/`-separated. */
export type ContextFilter = (relativePath: string, isDirectory?: boolean) => boolean;

/**
 * What belongs to a build context, by Docker's own rules: `<Dockerfile>.dockerignore` where it exists, else
 * `.dockerignore`; later lines win; `!` takes back in. The Dockerfile and the ignore file always belong.
 *
 * For a directory, true means that it or something below it may belong, so that a walker or watcher that doesn't
 * descend into what is false misses nothing.
 */
export async function contextFilter(root: string, dockerfile = "Dockerfile"): Promise<ContextFilter> {
  const kept = new Set([posix.normalize(dockerfile)]);
  let rules = "";
  for (const name of [`${dockerfile}.dockerignore`, ".dockerignore"]) {
    const text = await readIfThere(join(root, name));
    if (text === undefined) continue;
    kept.add(posix.normalize(name));
    rules = text.replace(/^\uFEFF/, "");
    break;
  }
  const matcher = dockerignore.default({ ignorecase: false }).add(rules);
  const exceptions = exceptionPatterns(rules);
  const belongs = (path: string): boolean => kept.has(path) || !matcher.ignores(path);
  return (relativePath, isDirectory = false) => {
    if (relativePath === "" || relativePath === ".") return true;
    if (belongs(relativePath)) return true;
    if (!isDirectory) return false;
    const directory = relativePath.split("/");
    if (exceptions.some((pattern) => mayMatchBelow(pattern, directory))) return true;
    for (const path of kept) if (path.startsWith(`${relativePath}/`)) return true;
    return false;
  };
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw new KserveLocalError("build-failed", {
      what: `cannot read ${file}`,
      why: messageOf(error),
      fix: "make it a readable text file, or remove it",
      cause: error,
    });
  }
}

/** The `!` lines as path segments, cleaned as Docker cleans them. */
function exceptionPatterns(rules: string): string[][] {
  return rules
    .split(/\r?\n/)
    .filter((line) => !line.startsWith("#"))
    .map((line) => line.trim())
    .filter((line) => line.startsWith("!") && line.length > 1)
    .map((line) => posix.normalize(line.slice(1).trim()).replace(/^\/+/, "").replace(/\/+$/, "").split("/"));
}

/**
 * Whether `pattern` can match something inside `directory`, given that it didn't match the directory itself. Errs on
 * the side of yes: a segment with any special character counts as matching.
 */
function mayMatchBelow(pattern: readonly string[], directory: readonly string[]): boolean {
  for (const [index, name] of directory.entries()) {
    const segment = pattern[index];
    if (segment === undefined) return false;
    if (segment.includes("**")) return true;
    if (!/[*?[\\]/.test(segment) && segment !== name) return false;
  }
  return pattern.length > directory.length;
}

/** The `code` of a system error. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
