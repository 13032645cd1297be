/** Finds the manifests that a command is about, and reads them. What is in them is judged elsewhere. */
import type { Dirent } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { KserveLocalError, messageOf } from "../kernel/errors.ts";
import type { SourceText } from "../manifest/source-text.ts";

/** The development variant wins, so that the file for the cluster can stay as it is. */
const DEFAULT_FILES = ["service.dev.yaml", "service.yaml"];
const EXTENSIONS = new Set([".yaml", ".yml", ".json"]);
const MAX_FILES = 2000;
/** Enough of a file to see what it is about. */
const OURS = /serving\.knative\.dev\/|["']?kind["']?\s*:\s*["']?(?:ConfigMap|Secret)\b/;

export interface ReadManifestsDeps {
  readonly cwd: string;
  readonly stdin: NodeJS.ReadableStream;
}

/**
 * Files as they are; directories are searched, hidden ones and node_modules left out, for files that mention
 * Knative's group or hold ConfigMaps or Secrets; `-` is standard input; nothing means the service.yaml here.
 * @throws KserveLocalError `manifest-not-found`
 */
export async function readManifests(
  paths: readonly string[],
  deps: ReadManifestsDeps,
): Promise<SourceText[]> {
  if (paths.length === 0) return [await readDefault(deps.cwd)];
  const sources = new Map<string, SourceText>();
  for (const given of paths) {
    for (const source of await readPath(given, deps)) {
      const identity = source.file === "<stdin>" ? source.file : path.resolve(deps.cwd, source.file);
      if (!sources.has(identity)) sources.set(identity, source);
    }
  }
  return [...sources.values()];
}

async function readDefault(cwd: string): Promise<SourceText> {
  for (const file of DEFAULT_FILES) {
    const text = await readIfThere(cwd, file);
    if (text !== undefined) return { file, text };
  }
  throw new KserveLocalError("manifest-not-found", {
    what: `no service.yaml in ${cwd}`,
    why: `Without a path, ${DEFAULT_FILES.join(" or ")} in the current directory is taken.`,
    fix: "Name the file or directory; `-` is standard input.",
  });
}

async function readPath(given: string, { cwd, stdin }: ReadManifestsDeps): Promise<SourceText[]> {
  if (given === "-") return [{ file: "<stdin>", text: await readStream(stdin) }];
  const absolute = path.resolve(cwd, given);
  const info = await stat(absolute).catch(() => undefined);
  if (info === undefined) {
    throw new KserveLocalError("manifest-not-found", {
      what: `${given} does not exist`,
      fix: "Check the path; it is relative to the current directory.",
      at: { file: given },
    });
  }
  if (!info.isDirectory()) return [{ file: given, text: await readExisting(absolute, given) }];
  return readDirectory(given, absolute);
}

async function readDirectory(given: string, absolute: string): Promise<SourceText[]> {
  const sources: SourceText[] = [];
  for (const file of await candidates(given, absolute)) {
    const text = await readExisting(path.join(absolute, file), path.join(given, file));
    if (OURS.test(text.toString("utf8"))) sources.push({ file: path.join(given, file), text });
  }
  if (sources.length > 0) return sources;
  throw new KserveLocalError("manifest-not-found", {
    what: `no Knative documents in ${given}`,
    why: "Directories are searched for *.yaml, *.yml and *.json with documents of serving.knative.dev, ConfigMaps or Secrets; hidden directories and node_modules are left out.",
    fix: "Name the file.",
    at: { file: given },
  });
}

/** Paths relative to the directory, sorted. */
async function candidates(given: string, root: string): Promise<string[]> {
  const files: string[] = [];
  const pending = [""];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    for (const entry of await listFolder(path.join(root, folder), path.join(given, folder))) {
      if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
      const file = path.join(folder, entry.name);
      if (entry.isDirectory()) pending.push(file);
      else if (
        EXTENSIONS.has(path.extname(entry.name).toLowerCase()) &&
        (entry.isFile() || entry.isSymbolicLink())
      )
        files.push(file);
      if (files.length > MAX_FILES) throw tooMany(given);
    }
  }
  return files.sort();
}

async function listFolder(absolute: string, given: string): Promise<Dirent[]> {
  try {
    return await readdir(absolute, { withFileTypes: true });
  } catch (error) {
    throw unreadable(given, error);
  }
}

function tooMany(given: string): KserveLocalError {
  return new KserveLocalError("manifest-not-found", {
    what: `more than ${MAX_FILES} YAML and JSON files in ${given}`,
    fix: "Name the file, or a directory further down.",
    at: { file: given },
  });
}

/** Undefined only where there is none: one that can't be read must not look like one that is missing. */
async function readIfThere(cwd: string, file: string): Promise<Buffer | undefined> {
  const absolute = path.resolve(cwd, file);
  const isThere = await stat(absolute).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== "ENOENT",
  );
  return isThere ? readExisting(absolute, file) : undefined;
}

async function readExisting(absolute: string, given: string): Promise<Buffer> {
  try {
    return await readFile(absolute);
  } catch (error) {
    throw unreadable(given, error);
  }
}

function unreadable(given: string, error: unknown): KserveLocalError {
  return new KserveLocalError("manifest-not-found", {
    what: `${given} cannot be read`,
    why: messageOf(error),
    fix: "Check what it is and its permissions.",
    at: { file: given },
    cause: error,
  });
}

async function readStream(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
  return Buffer.concat(chunks);
}
