/**
 * A build context as Docker sees it: which files belong, as a stream of tar, and as a hash. The engines build and
 * compare from here, the watcher asks the same filter, so that all of them agree on what a change is.
 */
import { createHash, type Hash } from "node:crypto";
import { type FileHandle, lstat, open, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type Header, type Pack, pack as createPack } from "tar-stream";
import { KserveLocalError, messageOf } from "../kernel/errors.ts";
import { codeOf, contextFilter, type ContextFilter } from "./build-context-filter.ts";

export { contextFilter, type ContextFilter };

export interface ContextEntry {
  /** Relative to the context, `/`-separated. */
  readonly path: string;
  readonly absolutePath: string;
  readonly kind: "file" | "directory" | "symlink";
  /** Permission bits; 0o755 throughout on Windows, as the docker CLI sends them. */
  readonly mode: number;
  /** Bytes; 0 unless a file. */
  readonly size: number;
  readonly modified: Date;
  /** What a symlink says, as written. */
  readonly linkTarget?: string;
}

type EntryHeader = Partial<Header> & Pick<Header, "name">;
type Sink = ReturnType<Pack["entry"]>;

/** Files up to this size are read whole, so that their header and content can't disagree. */
const WHOLE_FILE_BYTES = 1024 * 1024;
const CHUNK_BYTES = 256 * 1024;
/** Enough to keep the disk and libuv's four threads busy. */
const FILES_AT_ONCE = 16;

/**
 * Everything that belongs, in order of name, each directory before its content. Symlinks are not followed; sockets,
 * pipes and devices are left out. A directory that is excluded comes only where something below it is taken back in.
 */
export async function* walkContext(
  root: string,
  dockerfile = "Dockerfile",
): AsyncGenerator<ContextEntry, void> {
  const filter = await contextFilter(root, dockerfile);
  yield* walk(root, "", filter);
}

async function* walk(
  root: string,
  directory: string,
  filter: ContextFilter,
): AsyncGenerator<ContextEntry, void> {
  for (const name of await namesIn(join(root, directory), directory === "")) {
    const path = directory === "" ? name : `${directory}/${name}`;
    const entry = await describe(root, path);
    if (entry === undefined) continue;
    if (entry.kind !== "directory") {
      if (filter(path)) yield entry;
    } else if (filter(path)) {
      yield entry;
      yield* walk(root, path, filter);
    } else if (filter(path, true)) {
      yield* afterParent(entry, walk(root, path, filter));
    }
  }
}

/** `parent` first, but only if there is anything to come after it. */
async function* afterParent(
  parent: ContextEntry,
  children: AsyncGenerator<ContextEntry, void>,
): AsyncGenerator<ContextEntry, void> {
  let first = true;
  for await (const child of children) {
    if (first) yield parent;
    first = false;
    yield child;
  }
}

async function namesIn(directory: string, isRoot: boolean): Promise<string[]> {
  try {
    const names = await readdir(directory);
    return names.sort((a, b) => (a < b ? -1 : 1));
  } catch (error) {
    if (!isRoot && codeOf(error) === "ENOENT") return [];
    throw unreadable(directory, error);
  }
}

/** Undefined for what can't be in a context, and for what vanished since its directory was listed. */
async function describe(root: string, path: string): Promise<ContextEntry | undefined> {
  const absolutePath = join(root, path);
  try {
    const stats = await lstat(absolutePath);
    const base = { path, absolutePath, mode: permissions(stats.mode), size: 0, modified: stats.mtime };
    if (stats.isDirectory()) return { ...base, kind: "directory" };
    if (stats.isFile()) return { ...base, kind: "file", size: stats.size };
    if (stats.isSymbolicLink()) return { ...base, kind: "symlink", linkTarget: await readlink(absolutePath) };
    return undefined;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw unreadable(absolutePath, error);
  }
}

function permissions(mode: number): number {
  return process.platform === "win32" ? 0o755 : mode & 0o7777;
}

function unreadable(path: string, cause: unknown): KserveLocalError {
  return new KserveLocalError("build-failed", {
    what: `cannot read ${path} of the build context`,
    why: messageOf(cause),
    fix: "make it readable, or list it in .dockerignore if the image doesn't need it",
    cause,
  });
}

/** sha256 (hex) over paths, kinds, permissions, link targets and contents; the same for the same tree, whatever its times. */
export async function hashContext(root: string, dockerfile = "Dockerfile"): Promise<string> {
  const hash = createHash("sha256");
  const pending: Array<Promise<Buffer>> = [];
  const takeOldest = async (): Promise<void> => {
    const digest = await pending.shift();
    if (digest !== undefined) hash.update(digest);
  };
  for await (const entry of walkContext(root, dockerfile)) {
    const digest = digestOf(entry);
    // Whoever comes to it in its turn gets the error.
    digest.catch(() => undefined);
    pending.push(digest);
    if (pending.length >= FILES_AT_ONCE) await takeOldest();
  }
  while (pending.length > 0) await takeOldest();
  return hash.digest("hex");
}

async function digestOf(entry: ContextEntry): Promise<Buffer> {
  const hash = createHash("sha256");
  hash.update(`${entry.kind}\0${entry.path}\0${entry.mode.toString(8)}\0${entry.linkTarget ?? ""}\0`);
  if (entry.kind === "file") await withFile(entry, (file) => hashFile(hash, file, entry.size));
  return hash.digest();
}

async function hashFile(hash: Hash, file: FileHandle, expectedSize: number): Promise<void> {
  // One byte more than expected, so that mostly a single read gives all and shows that it is all.
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, expectedSize + 1));
  for (let total = 0; ;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length);
    hash.update(buffer.subarray(0, bytesRead));
    total += bytesRead;
    if (bytesRead === 0 || (bytesRead < buffer.length && total >= expectedSize)) return;
  }
}

/**
 * The context as tar (uid and gid 0), produced as fast as it is read. A failure, also of a file that can't be read,
 * destroys the stream with a KserveLocalError; destroying the stream closes every file.
 */
export function packContext(root: string, dockerfile = "Dockerfile"): Readable {
  const pack = createPack();
  const fill = async (): Promise<void> => {
    for await (const entry of walkContext(root, dockerfile)) {
      if (pack.destroyed) return;
      await addEntry(pack, entry);
    }
    pack.finalize();
  };
  fill().catch((error: unknown) =>
    pack.destroy(error instanceof Error ? error : new Error(messageOf(error))),
  );
  // tar-stream's is a streamx stream; callers get one of node's.
  return Readable.from(pack, { objectMode: false, highWaterMark: CHUNK_BYTES });
}

async function addEntry(pack: Pack, entry: ContextEntry): Promise<void> {
  const header: EntryHeader = { name: entry.path, mode: entry.mode, mtime: entry.modified, uid: 0, gid: 0 };
  if (entry.kind === "file") await withFile(entry, (file) => addFile(pack, header, file, entry));
  else if (entry.linkTarget === undefined) await begin(pack, { ...header, type: "directory" }).done;
  else await begin(pack, { ...header, type: "symlink", linkname: entry.linkTarget }).done;
}

async function addFile(
  pack: Pack,
  header: EntryHeader,
  file: FileHandle,
  entry: ContextEntry,
): Promise<void> {
  const { size } = await file.stat();
  if (size <= WHOLE_FILE_BYTES) {
    const content = await file.readFile();
    const { sink, done } = begin(pack, { ...header, type: "file", size: content.length });
    sink.end(content);
    await done;
    return;
  }
  const { sink, done } = begin(pack, { ...header, type: "file", size });
  await copy(file, size, sink, entry, done);
  await done;
}

/** `done` settles once the entry is packed, and rejects when the stream is destroyed. */
function begin(pack: Pack, header: EntryHeader): { readonly sink: Sink; readonly done: Promise<void> } {
  const { promise: done, callback } = callbackPromise();
  const sink = pack.entry(header, callback);
  // Whoever reads the pack gets the error; the same one on the entry would be an uncaught exception.
  sink.on("error", () => undefined);
  return { sink, done };
}

function callbackPromise(): { promise: Promise<void>; callback: (error?: Error | null) => void } {
  let callback: (error?: Error | null) => void = () => undefined;
  const promise = new Promise<void>((resolve, reject) => {
    callback = (error) => (error ? reject(error) : resolve());
  });
  // Not every caller is waiting at the moment it fails.
  promise.catch(() => undefined);
  return { promise, callback };
}

/** Exactly `size` bytes: what a growing file gains is left for the next build, a shrinking one is an error. */
async function copy(
  file: FileHandle,
  size: number,
  sink: Sink,
  entry: ContextEntry,
  failed: Promise<void>,
): Promise<void> {
  for (let position = 0; position < size;) {
    const { buffer, bytesRead } = await file.read({
      buffer: Buffer.allocUnsafe(CHUNK_BYTES),
      length: Math.min(CHUNK_BYTES, size - position),
    });
    if (bytesRead === 0)
      throw unreadable(
        entry.absolutePath,
        new Error(`it shrank from ${size} to ${position} bytes meanwhile`),
      );
    position += bytesRead;
    if (sink.write(buffer.subarray(0, bytesRead))) continue;
    await Promise.race([new Promise<void>((resolve) => void sink.once("drain", () => resolve())), failed]);
  }
  sink.end(null);
}

/** Opens, runs, closes. A file that vanished since the walk is skipped, as if the walk had come later. */
async function withFile(entry: ContextEntry, run: (file: FileHandle) => Promise<void>): Promise<void> {
  let file: FileHandle;
  try {
    file = await open(entry.absolutePath, "r");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw unreadable(entry.absolutePath, error);
  }
  try {
    await run(file);
  } finally {
    await file.close();
  }
}
