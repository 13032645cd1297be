/** What a batch of changes calls for. Pure: the caller has read the manifest and carries the plan out. */
import { basename } from "node:path";
import type { ChangeBatch } from "./change-batch.ts";

export interface LoadedManifest {
  /** Absolute paths of the files that the documents came from. */
  readonly files: readonly string[];
  /** `Service default/hello` -> a text that is equal exactly where the document, defaults included, is equal. */
  readonly documents: ReadonlyMap<string, string>;
  /** Service (`default/hello`) -> ids of the contexts that its images are built from; an id changes with anything that the build depends on. */
  readonly builds: ReadonlyMap<string, readonly string[]>;
}

/** What the manifest says after the change. */
export type ManifestReading =
  | { readonly kind: "not-read" }
  | { readonly kind: "loaded"; readonly manifest: LoadedManifest }
  | { readonly kind: "invalid"; readonly errors: number };

export interface PlanInput {
  readonly batch: ChangeBatch;
  readonly before: LoadedManifest;
  /** `not-read` where `batch.manifestFiles` is empty. */
  readonly now: ManifestReading;
}

export type Action =
  | { readonly kind: "reload-manifest" }
  /** Services by `namespace/name`, sorted. */
  | { readonly kind: "rebuild"; readonly services: readonly string[] };

export interface Plan {
  /** In the order in which they are to be done; empty = nothing. */
  readonly actions: readonly Action[];
  /** One sentence for people, without a full stop. */
  readonly reason: string;
}

export function plan({ batch, before, now }: PlanInput): Plan {
  const current = now.kind === "loaded" ? now.manifest : before;
  const rebuild = servicesToRebuild(batch, before, current);
  const changed = now.kind === "loaded" ? changedDocuments(before, now.manifest) : [];
  const actions: Action[] = [];
  if (changed.length > 0) actions.push({ kind: "reload-manifest" });
  if (rebuild.length > 0) actions.push({ kind: "rebuild", services: rebuild });
  const reasons = [
    ...(now.kind === "invalid" ? [invalidReason(now.errors)] : []),
    ...(changed.length > 0 ? [`applying ${changed.join(", ")}`] : []),
    ...(rebuild.length > 0 ? [`rebuilding ${rebuild.map(shortName).join(", ")}`] : []),
  ];
  return { actions, reason: reasons.length > 0 ? reasons.join("; ") : nothingReason(batch, before, now) };
}

/**
 * Those whose context changed, and those that are built from a context that they were not built from before. A
 * manifest inside its own context does not count: an edit of `traffic:` must not make a revision.
 */
function servicesToRebuild(batch: ChangeBatch, before: LoadedManifest, current: LoadedManifest): string[] {
  const manifests = new Set([...before.files, ...current.files]);
  const touched = new Set<string>();
  for (const [id, files] of batch.contexts) {
    if (files.some((file) => !manifests.has(file))) touched.add(id);
  }
  const services = [...current.builds].filter(([service, contexts]) => {
    const known = before.builds.get(service) ?? [];
    return contexts.some((id) => touched.has(id) || !known.includes(id));
  });
  return services.map(([service]) => service).sort();
}

/** `Service default/hello (new)`, `ConfigMap default/settings (removed)`. */
function changedDocuments(before: LoadedManifest, now: LoadedManifest): string[] {
  const names = [...new Set([...before.documents.keys(), ...now.documents.keys()])].sort();
  return names
    .filter((name) => before.documents.get(name) !== now.documents.get(name))
    .map((name) => {
      if (!before.documents.has(name)) return `${name} (new)`;
      return now.documents.has(name) ? name : `${name} (removed)`;
    });
}

function invalidReason(errors: number): string {
  return `the manifest has ${errors === 1 ? "an error" : `${errors} errors`}, so what was loaded before stays in force`;
}

function nothingReason(batch: ChangeBatch, before: LoadedManifest, now: ManifestReading): string {
  const services = [...before.builds.keys()].map(shortName);
  if (batch.contexts.size === 0 && batch.manifestFiles.length === 0) return "nothing to do, nothing changed";
  if (now.kind === "loaded") return "nothing to do, the manifest says the same as before";
  const files = [...batch.contexts.values()].flat().map((file) => basename(file));
  return services.length === 0
    ? "nothing to do, no image is built here"
    : `nothing to do, no image is built from ${[...new Set(files)].join(", ")}`;
}

/** Services of the default namespace go by their name alone. */
function shortName(service: string): string {
  return service.startsWith("default/") ? service.slice("default/".length) : service;
}
