/**
 * Annotations of Google's platforms. Nothing about them is refused; what the emulator does not act on is one notice.
 * Source: the Cloud Run YAML reference; knative/client.
 */
import { found, type Finding } from "./finding.ts";
import { notice } from "./notices.ts";
import type { Profile } from "./profiles.ts";
import type { DecodedMeta, ManifestObject } from "./spec.ts";

const PREFIX = "run.googleapis.com/";

/** Keys that the emulator acts on under a profile where they mean something. */
const EMULATED: ReadonlySet<string> = new Set<string>();

/** Written by tools for people, or by the platform for itself: not worth a word. */
const DESCRIPTIVE =
  /^run\.googleapis\.com\/(?:description|client-name|client-version|operation-id|ingress-status|urls|build-.*|launch-stage|gc-traffic-tags|custom-audiences|satisfiesPzs)$/;

export function googleAnnotations(object: ManifestObject, profile: Profile): Finding[] {
  const places: Array<{ meta: DecodedMeta; path: string }> = [
    { meta: object.metadata, path: "metadata.annotations" },
  ];
  if (object.kind === "Service" || object.kind === "Configuration") {
    places.push({ meta: object.spec.template.metadata ?? {}, path: "spec.template.metadata.annotations" });
  }
  const keys = places.flatMap(({ meta, path }) =>
    Object.keys(meta.annotations ?? {}).map((key) => ({ key, place: `${path}.${key}` })),
  );
  const idle = keys.filter(
    ({ key }) =>
      key.startsWith(PREFIX) && !DESCRIPTIVE.test(key) && !(profile.googleAnnotations && EMULATED.has(key)),
  );
  const first = idle[0];
  if (first === undefined) return [];
  const names = [...new Set(idle.map(({ key }) => key))].join(", ");
  const reason = profile.googleAnnotations
    ? "the emulator does not act on them"
    : "plain Knative does not act on them";
  return [
    {
      ...notice("not-emulated", first.place, `Accepted, but ${reason}: ${names}.`),
      paths: found("", first.place, "").paths,
    },
  ];
}
