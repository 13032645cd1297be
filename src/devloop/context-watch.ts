/** Watches one build context, by the rules that the build itself uses. */
import type { Stats } from "node:fs";
import { realpath } from "node:fs/promises";
import { relative, resolve, sep } from "node:path";
import { type FSWatcher, watch } from "chokidar";
import { contextFilter } from "../engine/build-context.ts";
import { isNeverWatched } from "./unwatched.ts";

export interface ContextTarget {
  readonly id: string;
  /** Absolute path of the build context. */
  readonly root: string;
  /** Relative to `root`, `/`-separated; may lie outside. */
  readonly dockerfile: string;
}

export interface WatchSink {
  changed(path: string): void;
  failed(error: unknown, directory: string): void;
}

export interface Watching {
  /** Resolves once changes are seen; never rejects: what fails goes to the sink. */
  readonly ready: Promise<void>;
  /** Resolves when no restart is under way (the rules changed: .dockerignore). */
  settled(): Promise<void>;
  close(): Promise<void>;
}

type Filter = (relativePath: string, isDirectory?: boolean) => boolean;

export function watchContext(target: ContextTarget, sink: WatchSink): Watching {
  const watching = new ContextWatch(target, sink);
  return { ready: watching.settled(), settled: () => watching.settled(), close: () => watching.close() };
}

class ContextWatch {
  readonly #target: ContextTarget;
  /** Where the context really is: links are not followed, the one to the root excepted. */
  #realRoot: string;
  readonly #sink: WatchSink;
  /** The Dockerfile, wherever it is. */
  readonly #dockerfile: string;
  readonly #ignoreFiles: ReadonlySet<string>;
  #filter: Filter = () => true;
  #watcher: FSWatcher | undefined;
  /** Starts and restarts, one after the other. */
  #queue: Promise<void>;
  #closed = false;

  constructor(target: ContextTarget, sink: WatchSink) {
    this.#target = { ...target, root: resolve(target.root) };
    this.#realRoot = this.#target.root;
    this.#sink = sink;
    this.#dockerfile = resolve(target.root, target.dockerfile);
    this.#ignoreFiles = new Set([resolve(target.root, ".dockerignore"), `${this.#dockerfile}.dockerignore`]);
    this.#queue = this.#start();
  }

  async settled(): Promise<void> {
    let seen: Promise<void> | undefined;
    while (seen !== this.#queue) {
      seen = this.#queue;
      await seen;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.settled();
    if (this.#watcher !== undefined) await closeWatcher(this.#watcher);
  }

  /** The new watcher sees before the old one stops seeing: nothing falls between them. */
  async #start(): Promise<void> {
    if (this.#closed) return;
    const { root, dockerfile } = this.#target;
    try {
      this.#realRoot = await realpath(root);
      this.#filter = await contextFilter(root, dockerfile);
    } catch (error) {
      this.#sink.failed(error, root);
    }
    const filter = this.#filter;
    const old = this.#watcher;
    // Symlinks are part of a context as links; what they point to is not.
    const options = {
      ignoreInitial: true,
      followSymlinks: false,
      atomic: false,
      ignored: this.#ignores(filter),
    };
    const watcher = watch([this.#realRoot, ...this.#outside()], options);
    watcher.on("error", (error) => this.#sink.failed(error, root));
    watcher.on("all", (event, path) => this.#seen(event, path));
    await new Promise<void>((ready) => void watcher.once("ready", () => ready()));
    this.#watcher = watcher;
    if (old !== undefined) await closeWatcher(old);
  }

  /** A Dockerfile beside the context, with its ignore file: the root does not cover them. */
  #outside(): string[] {
    return [this.#dockerfile, ...this.#ignoreFiles].filter((path) => this.#relative(path) === undefined);
  }

  #ignores(filter: Filter): (path: string, stats?: Stats) => boolean {
    return (path, stats) => {
      const name = this.#relative(path);
      if (name === undefined) return !this.#isOurs(path);
      if (name === "") return false;
      if (isNeverWatched(name)) return true;
      // Asked without knowing what it is: the wider answer, for directories.
      return !filter(name, stats?.isDirectory() ?? true);
    };
  }

  #seen(event: string, realPath: string): void {
    // Directories count through their files.
    if (event !== "add" && event !== "change" && event !== "unlink") return;
    const name = this.#relative(realPath);
    const path = name === undefined ? realPath : resolve(this.#target.root, name);
    const rulesChanged = this.#ignoreFiles.has(path);
    const belongs = name === undefined ? this.#isOurs(path) : !isNeverWatched(name) && this.#filter(name);
    if (!rulesChanged && !belongs) return;
    if (rulesChanged) this.#queue = this.#queue.then(() => this.#start());
    this.#sink.changed(path);
  }

  #isOurs(path: string): boolean {
    return path === this.#dockerfile || this.#ignoreFiles.has(path);
  }

  /** Of a path below either name of the root, `/`-separated; undefined outside. */
  #relative(path: string): string | undefined {
    return nameWithin(this.#realRoot, path) ?? nameWithin(this.#target.root, path);
  }
}

function nameWithin(root: string, path: string): string | undefined {
  const name = relative(root, path).split(sep).join("/");
  return name === ".." || name.startsWith("../") || /^[A-Za-z]:/.test(name) ? undefined : name;
}

/** A scan that is still going on may fail after the end, and chokidar takes its listeners away when it closes. */
export async function closeWatcher(watcher: FSWatcher): Promise<void> {
  const closed = watcher.close();
  watcher.on("error", () => undefined);
  await closed;
}
