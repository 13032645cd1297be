/**
 * The way of one object through the platform, in the platform's order: the API server reads the metadata, looks for
 * unknown fields, Knative decodes and fills in defaults, the schema is checked, Knative validates. Whoever refuses
 * first has the word; the later ones are not asked.
 */
import { BY_GO, decodeField, decodeObject, type Json } from "./decode.ts";
import { defaultRevisionSpec, defaultTraffic, type MutableRevisionSpec } from "./defaults.ts";
import type { Kind } from "./fields/kinds.ts";
import { found, via, type Finding } from "./finding.ts";
import { googleAnnotations } from "./google-annotations.ts";
import { idleAnnotations, notEmulated, revisionOf, secureDefaults, severalContainers } from "./notices.ts";
import { podLevelFindings } from "./rules/pod-level.ts";
import { nameOfRaw, type RawObject } from "./raw.ts";
import type { RuleContext } from "./rules/context.ts";
import { webhookFindings } from "./rules/kinds.ts";
import { apiServerMeta } from "./rules/object-meta.ts";
import { schemaFindings } from "./rules/schema.ts";
import type { ManifestObject, TrafficTarget } from "./spec.ts";
import { unknownFields } from "./unknown-fields.ts";

export interface ObjectVerdict {
  readonly findings: readonly Finding[];
  /** Defaulted; only when nothing was refused. */
  readonly object?: ManifestObject;
}

type Members = { [key: string]: Json | undefined };

interface Draft {
  readonly members: Members;
  readonly metadata: Members;
}

/** What the server sets itself, whatever the manifest says. */
const SERVER_SIDE = [
  "uid",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "generation",
  "managedFields",
  "selfLink",
];
/** The server completes generateName at random; here the same name comes out every time. */
const GENERATED_SUFFIX = "x7q2z";
const MAX_GENERATED_PREFIX = 58;
/** Knative adds who created and who changed an object, before sizes are checked; here that is `kubernetes-admin`. */
const CREATOR_ANNOTATIONS = {
  "serving.knative.dev/creator": "kubernetes-admin",
  "serving.knative.dev/lastModifier": "kubernetes-admin",
};
const WITH_CREATOR = Object.entries(CREATOR_ANNOTATIONS).flat().join("").length;
const CREATOR_BYTES: Readonly<Record<string, number>> = {
  Service: WITH_CREATOR,
  Configuration: WITH_CREATOR,
  Route: WITH_CREATOR,
  DomainMapping: WITH_CREATOR,
};

export function judgeObject(kind: Kind, raw: RawObject, context: RuleContext): ObjectVerdict {
  const metaField = kind.shape.fields.get("metadata");
  if (metaField === undefined) return { findings: [] };
  const meta = decodeField(metaField, raw.get("metadata"), "metadata", BY_GO);
  if (meta.findings.length > 0) return { findings: meta.findings };
  const unknown = unknownFields(kind.shape, raw);
  if (unknown.length > 0) return { findings: unknown };
  const decoded = decodeObject(
    kind.shape,
    new Map([...raw].filter(([key]) => key !== "status" && key !== "metadata")),
  );
  if (refuses(decoded.findings)) return { findings: decoded.findings };
  const metadata = serverMeta(meta.value as Members);
  const object: Members = { ...(decoded.value as Members), metadata: metadata as Json };
  applyDefaults({ members: object, metadata }, context);
  const bySchema = [
    ...schemaFindings(kind.shape, object as Json),
    ...apiServerMeta(metadata, CREATOR_BYTES[kind.kind] ?? 0),
  ];
  if (refuses(bySchema)) return { findings: [...decoded.findings, ...bySchema] };
  return byWebhook(kind, object as unknown as ManifestObject, decoded.findings, context);
}

function byWebhook(
  kind: Kind,
  object: ManifestObject,
  before: readonly Finding[],
  context: RuleContext,
): ObjectVerdict {
  const findings = [...before, ...webhookFindings(object, context)];
  if (refuses(findings)) return { findings };
  const notices = [
    ...podLevelWarnings(object),
    ...notEmulated(kind.shape, object as unknown as Json),
    ...severalContainers(object),
    ...idleAnnotations(object),
    ...googleAnnotations(object, context.profile),
    ...secureDefaults(object),
  ];
  return { findings: [...findings, ...notices], object };
}

/** What Knative accepts, and what the API server or the kubelet refuse once there is a pod. */
function podLevelWarnings(object: ManifestObject): Finding[] {
  const revision = revisionOf(object);
  return revision === undefined ? [] : via(revision.path, podLevelFindings(revision.spec));
}

export function refuses(findings: readonly Finding[]): boolean {
  return findings.some((finding) => finding.severity === undefined);
}

function serverMeta(meta: Members): Members {
  const kept: Members = Object.fromEntries(
    Object.entries(meta).filter(([name]) => !SERVER_SIDE.includes(name)),
  );
  kept["namespace"] ??= "default";
  const prefix = kept["generateName"];
  if (kept["name"] === undefined && typeof prefix === "string")
    kept["name"] = prefix.slice(0, MAX_GENERATED_PREFIX) + GENERATED_SUFFIX;
  return kept;
}

function applyDefaults({ members, metadata }: Draft, { settings }: RuleContext): void {
  const spec = members["spec"] as Members | undefined;
  const { kind } = members;
  const name = typeof metadata["name"] === "string" ? metadata["name"] : "";
  if (kind === "Service" || kind === "Configuration") {
    const template = spec?.["template"] as Members | undefined;
    defaultRevisionSpec((template?.["spec"] ?? {}) as unknown as MutableRevisionSpec, settings, name);
  }
  if (kind === "Revision")
    defaultRevisionSpec((spec ?? {}) as unknown as MutableRevisionSpec, settings, name);
  if (spec !== undefined && (kind === "Service" || kind === "Route")) {
    const traffic = defaultTraffic(
      spec["traffic"] as unknown as TrafficTarget[] | undefined,
      kind === "Service",
    );
    if (traffic !== undefined) spec["traffic"] = traffic as unknown as Json;
  }
  if (kind === "DomainMapping") {
    const reference = spec?.["ref"] as Members | undefined;
    if (reference !== undefined) reference["namespace"] ??= metadata["namespace"];
  }
}

/** A document without a usable kind. */
export function kindFinding(raw: RawObject): Finding | undefined {
  const kind = raw.get("kind");
  if (typeof kind === "string" && kind !== "") return undefined;
  if (kind !== undefined && kind !== null && kind !== "") {
    return {
      ...found(
        "no-kind",
        "",
        `The kind must be a string, not ${nameOfRaw(kind)}.`,
        "Write e.g. `kind: Service`.",
      ),
      place: "kind",
    };
  }
  return found(
    "no-kind",
    "",
    "The document has no kind.",
    "Add e.g. `apiVersion: serving.knative.dev/v1` and `kind: Service`.",
  );
}
