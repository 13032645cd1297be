/** The edit loop of `up`: a save becomes a new revision, or an error that leaves the old one serving. */
import path from "node:path";
import { type ChangeBatch, filesOf, mergeBatches } from "../devloop/change-batch.ts";
import { type LoadedManifest, type ManifestReading, plan } from "../devloop/plan.ts";
import { createSerialRunner } from "../devloop/serial.ts";
import { createWatcher, type WatchTargets } from "../devloop/watch.ts";
import { systemClock } from "../kernel/clock.ts";
import { type Manifest, judgeUpdate } from "../manifest/judge.ts";
import { problemOfError } from "../report/error.ts";
import { type LoadOptions, type LoadedSources, loadManifest, problemEvent } from "./load-manifest.ts";
import type { Session } from "./session.ts";

export interface DevLoop {
  /** Resolves when changes are seen. */
  readonly ready: Promise<void>;
  /** The first deployment is done: changes, those that were seen before too, are acted on from now on. */
  begin(): void;
  close(): Promise<void>;
}

export function startDevLoop(session: Session, sources: LoadedSources, load: LoadOptions): DevLoop {
  let current = sources;
  let loaded = describe(session, sources, load.cwd);
  let begun = false;
  let early: ChangeBatch | undefined;
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
    const next = batch.manifestFiles.length === 0 ? undefined : await loadManifest(load);
    const reading = readingOf(session, next, load.cwd);
    for (const problem of next?.manifest.problems ?? [])
      if (problem.severity === "error") session.emit(problemEvent(problem, next?.texts ?? new Map()));
    const { actions, reason } = plan({ batch, before: loaded, now: reading });
    session.emit({ type: "watch.change", files: filesOf(batch), decision: reason });
    if (reading.kind === "invalid" || actions.length === 0) return;
    const wanted = next ?? current;
    if (next !== undefined && !mayReplace(session, current.manifest, next, load)) return;
    const rebuild = new Set(actions.flatMap((action) => (action.kind === "rebuild" ? action.services : [])));
    await session.apply(wanted.manifest, rebuild, signal);
    current = wanted;
    loaded = describe(session, wanted, load.cwd);
    await watcher.setTargets(targetsOf(session, wanted, load));
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

function readingOf(session: Session, next: LoadedSources | undefined, cwd: string): ManifestReading {
  if (next === undefined) return { kind: "not-read" };
  if (next.manifest.valid) return { kind: "loaded", manifest: describe(session, next, cwd) };
  return {
    kind: "invalid",
    errors: next.manifest.problems.filter((problem) => problem.severity === "error").length,
  };
}

/** What an update may not do although the document is valid in itself, e.g. change a revision that brings its own name. */
function mayReplace(session: Session, before: Manifest, next: LoadedSources, load: LoadOptions): boolean {
  let allowed = true;
  for (const document of next.manifest.documents) {
    const old = before.documents.find(
      (candidate) =>
        candidate.kind === document.kind &&
        candidate.name === document.name &&
        candidate.namespace === document.namespace,
    );
    if (old === undefined) continue;
    for (const problem of judgeUpdate(old, document, { profile: load.profile })) {
      if (problem.severity !== "error") continue;
      allowed = false;
      session.emit(problemEvent(problem, next.texts));
    }
  }
  return allowed;
}

function describe(session: Session, sources: LoadedSources, cwd: string): LoadedManifest {
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

function targetsOf(session: Session, sources: LoadedSources, load: LoadOptions): WatchTargets {
  // The named directories, for files that come; and every file that was read, wherever below them it stands.
  const named = [...load.paths, ...sources.files].filter((file) => file !== "-" && file !== "<stdin>");
  return {
    manifests: [...new Set(named.map((file) => path.resolve(load.cwd, file)))],
    contexts: session
      .contexts(sources.manifest)
      .map(({ id, root, dockerfile }) => ({ id, root, dockerfile })),
  };
}
