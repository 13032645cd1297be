/**
 * Notices what a developer saves: the manifest files and everything that goes into the images, gathered into batches.
 * What follows from a batch is decided in plan.ts.
 */
import type { Clock } from "../kernel/clock.ts";
import type { ProblemFound } from "../resources/events.ts";
import type { ChangeBatch } from "./change-batch.ts";
import { type ContextTarget, watchContext, type Watching, type WatchSink } from "./context-watch.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { watchManifests } from "./manifest-watch.ts";
import { Settling } from "./settling.ts";
import { watchProblem } from "./watch-problem.ts";

export interface WatchTargets {
  /** Absolute paths of files and directories. */
  readonly manifests: readonly string[];
  readonly contexts: readonly ContextTarget[];
}

export interface WatcherOptions {
  /** Real time, never scaled: a save takes as long as it takes. */
  readonly clock: Clock;
  readonly targets: WatchTargets;
  /** One call a batch, in order. A manifest file inside a context stands in both lists. */
  onChange(batch: ChangeBatch): void;
  /** Each kind of failure once for each directory. */
  onProblem(problem: ProblemFound): void;
  /** Quiet that ends a batch, ms; default 100, at least 60. */
  readonly debounceMs?: number;
  readonly platform?: NodeJS.Platform;
}

export interface Watcher {
  /** Replaces the targets; those that stay are not interrupted. Resolves once the new ones are watched. */
  setTargets(targets: WatchTargets): Promise<void>;
  /** Changes after this are seen. */
  readonly ready: Promise<void>;
  /** No call of `onChange` comes after this. Idempotent. */
  close(): Promise<void>;
}

const DEFAULT_DEBOUNCE_MS = 100;
/** chokidar tells of one file at most every 50 ms: an edit that soon after a batch would go unseen. */
const LEAST_DEBOUNCE_MS = 60;
/** In debounces: how long a file that never comes to rest can hold back a batch. */
const LONGEST_DEBOUNCES = 12;
/** The key of manifest files among the ids of contexts. */
const MANIFEST = Symbol("manifest");
type Key = string | typeof MANIFEST;

export function createWatcher(options: WatcherOptions): Watcher {
  return new TargetWatcher(options);
}

class TargetWatcher implements Watcher {
  readonly ready: Promise<void>;
  readonly #options: WatcherOptions;
  readonly #settling: Settling<Key>;
  /** By a text that says what is watched. */
  #watchings = new Map<string, Watching>();
  readonly #reported = new Set<string>();
  /** Batches on their way out, in order. */
  #outgoing: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(options: WatcherOptions) {
    this.#options = options;
    const debounceMs = Math.max(LEAST_DEBOUNCE_MS, options.debounceMs ?? DEFAULT_DEBOUNCE_MS);
    this.#settling = new Settling<Key>({
      clock: options.clock,
      debounceMs,
      longestMs: debounceMs * LONGEST_DEBOUNCES,
      fingerprint: fingerprintOf,
      onBatch: (files) => this.#send(files),
    });
    this.ready = this.setTargets(options.targets);
  }

  async setTargets(targets: WatchTargets): Promise<void> {
    if (this.#closing !== undefined) return;
    const before = this.#watchings;
    const now = new Map<string, Watching>();
    const keep = (id: string, open: () => Watching): void => void now.set(id, before.get(id) ?? open());
    if (targets.manifests.length > 0) {
      const id = JSON.stringify([...targets.manifests].sort());
      keep(id, () => watchManifests(targets.manifests, this.#sink(MANIFEST)));
    }
    for (const context of targets.contexts) {
      const id = JSON.stringify([context.id, context.root, context.dockerfile]);
      keep(id, () => watchContext(context, this.#sink(context.id)));
    }
    this.#watchings = now;
    await Promise.all([...now.values()].map((watching) => watching.ready));
    // Only now: the new ones see before the old ones stop.
    const gone = [...before].filter(([id]) => !now.has(id));
    await Promise.all(gone.map(([, watching]) => watching.close()));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#settling.close();
    await Promise.all([...this.#watchings.values()].map((watching) => watching.close()));
  }

  #sink(key: Key): WatchSink {
    return {
      changed: (path) => this.#settling.changed(path, key),
      failed: (error, directory) => this.#report(error, directory),
    };
  }

  #send(files: ReadonlyMap<string, ReadonlySet<Key>>): void {
    const settled = [...this.#watchings.values()].map((watching) => watching.settled());
    this.#outgoing = this.#outgoing
      // With new rules in .dockerignore: first watch by them, then let anybody build by them.
      .then(() => Promise.all(settled))
      .then(() => {
        if (this.#closing === undefined) this.#options.onChange(batchOf(files));
      });
  }

  #report(error: unknown, directory: string): void {
    if (this.#closing !== undefined) return;
    const problem = watchProblem(error, directory, this.#options.platform ?? process.platform);
    const id = `${problem.code} ${directory}`;
    if (this.#reported.has(id)) return;
    this.#reported.add(id);
    this.#options.onProblem(problem);
  }
}

function batchOf(files: ReadonlyMap<string, ReadonlySet<Key>>): ChangeBatch {
  const manifestFiles: string[] = [];
  const contexts = new Map<string, string[]>();
  for (const path of [...files.keys()].sort()) {
    for (const key of files.get(path) ?? []) {
      if (key === MANIFEST) manifestFiles.push(path);
      else contexts.set(key, [...(contexts.get(key) ?? []), path]);
    }
  }
  return { manifestFiles, contexts };
}
