/** The documents of a manifest that `up` acts on. */
import type { ManifestDocument } from "../manifest/judge.ts";
import type { KnativeService } from "../manifest/spec.ts";

export function servicesIn(documents: readonly ManifestDocument[]): readonly KnativeService[] {
  return documents.flatMap(({ object }) => (isKnativeService(object) ? [object] : []));
}

export function isKnativeService(object: ManifestDocument["object"]): object is KnativeService {
  return object !== undefined && object.kind === "Service";
}
