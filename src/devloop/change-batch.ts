/** What the watcher saw between two quiet moments. Paths are absolute, each once, sorted. */
export interface ChangeBatch {
  /** Manifest files that were written, created or deleted. */
  readonly manifestFiles: readonly string[];
  /** Context id -> files that belong to the context; only contexts with changes. */
  readonly contexts: ReadonlyMap<string, readonly string[]>;
}

export const EMPTY_BATCH: ChangeBatch = { manifestFiles: [], contexts: new Map() };

/** The two as if they had been seen as one. */
export function mergeBatches(first: ChangeBatch, second: ChangeBatch): ChangeBatch {
  const contexts = new Map(first.contexts);
  for (const [id, files] of second.contexts) contexts.set(id, union(contexts.get(id) ?? [], files));
  return { manifestFiles: union(first.manifestFiles, second.manifestFiles), contexts };
}

/** All files of a batch, for people. */
export function filesOf(batch: ChangeBatch): string[] {
  return union(batch.manifestFiles, [...batch.contexts.values()].flat());
}

function union(first: readonly string[], second: readonly string[]): string[] {
  return [...new Set([...first, ...second])].sort();
}
