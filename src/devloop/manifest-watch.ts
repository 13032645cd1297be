/**
 * Watches manifest files through their directories, which also notices files that are replaced, deleted and made
 * again, and directories that were given as such.
 */
import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type FSWatcher, watch } from "chokidar";
import { closeWatcher, type Watching, type WatchSink } from "./context-watch.ts";
import { isNeverWatched } from "./unwatched.ts";

const MANIFEST_NAME = /\.(?:ya?ml|json)$/i;

/** `paths`: absolute; of a directory, every `.yaml`, `.yml` and `.json` directly in it. */
export function watchManifests(paths: readonly string[], sink: WatchSink): Watching {
  const wanted = new Set(paths.map((path) => resolve(path)));
  const given = [...wanted].filter(isDirectory);
  const roots = new Set([...wanted].map((path) => (given.includes(path) ? path : dirname(path))));
  const isManifest = (path: string): boolean =>
    wanted.has(path) ||
    (given.includes(dirname(path)) && MANIFEST_NAME.test(path) && !isNeverWatched(baseOf(path)));
  const watcher = watch([...roots], {
    ignoreInitial: true,
    atomic: false,
    depth: 0,
    ignored: (path, stats) => !roots.has(path) && (stats?.isDirectory() === true || !isManifest(path)),
  });
  const ready = whenReady(watcher);
  watcher.on("error", (error) => sink.failed(error, [...roots].join(", ")));
  watcher.on("all", (event, path) => {
    if (event !== "add" && event !== "change" && event !== "unlink") return;
    if (isManifest(path)) sink.changed(path);
  });
  const close = (): Promise<void> => ready.then(() => closeWatcher(watcher));
  return { ready, settled: () => ready, close };
}

function whenReady(watcher: FSWatcher): Promise<void> {
  return new Promise((ready) => void watcher.once("ready", () => ready()));
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function baseOf(path: string): string {
  return path.slice(dirname(path).length + 1);
}
