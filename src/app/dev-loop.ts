/** The edit loop of `up`: a save becomes a new revision, or an error that leaves the old one serving. */
import path from "node:path";
import { Readable } from "node:stream";
import { type ChangeBatch, EMPTY_BATCH, filesOf, mergeBatches } from "../devloop/change-batch.ts";
import { type LoadedManifest, type ManifestReading, plan } from "../devloop/plan.ts";
import { createSerialRunner } from "../devloop/serial.ts";
import { createWatcher, type WatchTargets } from "../devloop/watch.ts";
import { systemClock } from "../kernel/clock.ts";
import { type Manifest, judgeUpdate } from "../manifest/judge.ts";
import type { Problem } from "../manifest/problem.ts";
import { problemOfError } from "../report/error.ts";
import {
  isForEveryStart,
  type LoadOptions,
  type LoadedSources,
  loadManifest,
  problemEvent,
} from "./load-manifest.ts";
import type { Session } from "./session.ts";

/** What the loop needs of a session. */
export type EditedSession = Pick<Session, "apply" | "contexts" | "emit">;

export interface DevLoop {
  /** Resolves when changes are seen. */
  readonly ready: Promise<void>;
  /** The first deployment is done: changes, those that were seen before too, are acted on from now on. */
  begin(): void;
  close(): Promise<void>;
}

export function startDevLoop(session: EditedSession, sources: LoadedSources, load: LoadOptions): DevLoop {
  let current = sources;
  let loaded = describe(session, sources, load.cwd);
  let told = keysOf(sources.manifest.problems);
  let begun = false;
  let early: ChangeBatch | undefined;
  /** Seen and not carried out. */
  let owed = EMPTY_BATCH;
  const watcher = createWatcher({
    clock: systemClock(),
    targets: targetsOf(session, sources, load),
    onChange: (batch) => {
      if (begun) runner.submit(batch);
      else early = early === undefined ? batch : mergeBatches(early, batch);
    },
    onProblem: (problem) => session.emit(problem),
  });
  const runner = createSerialRunner<ChangeBatch>({
    merge: mergeBatches,
    run,
    onError: (error) => session.emit(problemOfError(error)),
  });

  async function run(batch: ChangeBatch, signal: AbortSignal): Promise<void> {
    const due = mergeBatches(owed, batch);
    // A file that can't be read now must not cost the edits beside it.
    owed = due;
    const next = due.manifestFiles.length === 0 ? undefined : await loadManifest(again(load, sources));
    const reading = next === undefined ? NOT_READ : readingOf(session, next, current.manifest, load);
    // A failed build is not tried again before its source changes; what the manifest says by now must hold then.
    owed = reading.kind === "loaded" ? { ...EMPTY_BATCH, manifestFiles: due.manifestFiles } : EMPTY_BATCH;
    if (next !== undefined) told = tellNews(session, next, told);
    const { actions, reason } = plan({ batch: due, before: loaded, now: reading });
    session.emit({ type: "watch.change", files: filesOf(batch), decision: reason });
    if (actions.length > 0) {
      const wanted = next !== undefined && reading.kind === "loaded" ? next : current;
      const rebuild = new Set(
        actions.flatMap((action) => (action.kind === "rebuild" ? action.services : [])),
      );
      await session.apply(wanted.manifest, rebuild, signal);
      current = wanted;
      loaded = describe(session, wanted, load.cwd);
      await watcher.setTargets(targetsOf(session, wanted, load));
    }
    owed = EMPTY_BATCH;
  }

  return {
    ready: watcher.ready,
    begin() {
      begun = true;
      if (early !== undefined) runner.submit(early);
    },
    async close() {
      await watcher.close();
      await runner.close();
    },
  };
}

const NOT_READ: ManifestReading = { kind: "not-read" };

/** Standard input can be read only once; files are read anew. */
function again(load: LoadOptions, { texts }: LoadedSources): LoadOptions {
  return { ...load, stdin: Readable.from([texts.get("<stdin>") ?? ""]) };
}

function readingOf(
  session: EditedSession,
  next: LoadedSources,
  before: Manifest,
  load: LoadOptions,
): ManifestReading {
  const errors = next.manifest.valid
    ? updateErrors(before, next, load)
    : next.manifest.problems.filter((problem) => problem.severity === "error");
  if (errors.length === 0) return { kind: "loaded", manifest: describe(session, next, load.cwd) };
  for (const problem of errors) session.emit(problemEvent(problem, next.texts));
  return { kind: "invalid", errors: errors.length };
}

/** What an update may not do although the document is valid in itself, e.g. change a revision that brings its own name. */
function updateErrors(before: Manifest, next: LoadedSources, load: LoadOptions): Problem[] {
  return next.manifest.documents.flatMap((document) => {
    const old = before.documents.find(
      (candidate) =>
        candidate.kind === document.kind &&
        candidate.name === document.name &&
        candidate.namespace === document.namespace,
    );
    if (old === undefined) return [];
    return judgeUpdate(old, document, { profile: load.profile }).filter(
      (problem) => problem.severity === "error",
    );
  });
}

/** Warnings and notices that the edit brought in; errors are told with the reading. Returns what is known now. */
function tellNews(session: EditedSession, next: LoadedSources, told: ReadonlySet<string>): Set<string> {
  for (const problem of next.manifest.problems)
    if (problem.severity !== "error" && isForEveryStart(problem) && !told.has(keyOf(problem)))
      session.emit(problemEvent(problem, next.texts));
  return keysOf(next.manifest.problems);
}

function keysOf(problems: readonly Problem[]): Set<string> {
  return new Set(problems.map(keyOf));
}

/** Without its line, which moves with every edit above it. */
function keyOf({ code, file, path: field, message }: Problem): string {
  return JSON.stringify([code, file, field, message]);
}

function describe(session: EditedSession, sources: LoadedSources, cwd: string): LoadedManifest {
  const builds = new Map<string, string[]>();
  for (const context of session.contexts(sources.manifest)) builds.set(context.service, [context.id]);
  return {
    files: sources.files.map((file) => path.resolve(cwd, file)),
    documents: new Map(
      sources.manifest.documents.map(({ kind, namespace, name, object }) => [
        `${kind} ${namespace}/${name}`,
        JSON.stringify(object),
      ]),
    ),
    builds,
  };
}

function targetsOf(session: EditedSession, sources: LoadedSources, load: LoadOptions): WatchTargets {
  // The named directories, for files that come; and every file that was read, wherever below them it stands.
  const named = [...load.paths, ...sources.files].filter((file) => file !== "-" && file !== "<stdin>");
  return {
    manifests: [...new Set(named.map((file) => path.resolve(load.cwd, file)))],
    contexts: session
      .contexts(sources.manifest)
      .map(({ id, root, dockerfile }) => ({ id, root, dockerfile })),
  };
}
