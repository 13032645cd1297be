/**
 * What an update may not do although the new document is valid in itself. Sources: knative/serving
 * pkg/apis/serving/v1/revision_validation.go (VerifyNameChange); knative.dev/pkg apis (ValidateCreatorAndModifier).
 */
import { isDeepStrictEqual } from "node:util";
import type { JudgeOptions, ManifestDocument } from "./judge.ts";
import type { Problem } from "./problem.ts";
import type { ManifestObject, RevisionTemplate } from "./spec.ts";

const CREATOR = "serving.knative.dev/creator";
const MODIFIER = "serving.knative.dev/lastModifier";

interface Refusal {
  readonly code: string;
  readonly path: string;
  readonly message: string;
  readonly hint: string;
}

/** Both documents are valid and describe the same object; `stored` came first. */
export function judgeUpdate(
  stored: ManifestDocument,
  next: ManifestDocument,
  _options: JudgeOptions,
): Problem[] {
  const before = stored.object;
  const after = next.object;
  if (before === undefined || after === undefined) return [];
  return refusals(before, after).map((refusal) => ({
    severity: "error",
    file: next.file,
    document: next.index,
    ...refusal,
    ...next.positionOf(refusal.path),
  }));
}

function refusals(before: ManifestObject, after: ManifestObject): Refusal[] {
  if (before.kind === "Revision" && after.kind === "Revision") {
    if (isDeepStrictEqual(before.spec, after.spec)) return [];
    return [
      {
        code: "immutable",
        path: "spec",
        message: "A Revision never changes.",
        hint: "Change the Service: it makes a new Revision.",
      },
    ];
  }
  const found = ownership(before, after);
  const old = templateOf(before);
  const wanted = templateOf(after);
  return old === undefined || wanted === undefined ? found : [...found, ...nameChange(old, wanted)];
}

function templateOf(object: ManifestObject): RevisionTemplate | undefined {
  return object.kind === "Service" || object.kind === "Configuration" ? object.spec.template : undefined;
}

/** A name given to a revision stands for its content. */
function nameChange(before: RevisionTemplate, after: RevisionTemplate): Refusal[] {
  const name = after.metadata?.name ?? "";
  if (name === "" || name !== before.metadata?.name || isDeepStrictEqual(before, after)) return [];
  const changed = differences(before, after).slice(0, 5);
  return [
    {
      code: "same-revision-name",
      path: "spec.template.metadata.name",
      message: `The template has changed (${changed.join(", ")}), but its revision is still called "${name}".`,
      hint: "Choose another name, or remove the name to get generated ones.",
    },
  ];
}

/**
 * kubectl keeps annotations that the new document does not mention, so only those count that it does.
 */
function ownership(before: ManifestObject, after: ManifestObject): Refusal[] {
  if (before.kind === "ConfigMap" || before.kind === "Secret") return [];
  const old = before.metadata.annotations ?? {};
  const wanted = after.metadata.annotations ?? {};
  const found: Refusal[] = [];
  if (wanted[CREATOR] !== undefined && wanted[CREATOR] !== old[CREATOR]) {
    found.push({
      code: "immutable",
      path: `metadata.annotations.${CREATOR}`,
      message: "The platform sets the creator once; it cannot be changed.",
      hint: "Remove the annotation.",
    });
  }
  const sameSpec = "spec" in before && "spec" in after && isDeepStrictEqual(before.spec, after.spec);
  if (sameSpec && wanted[MODIFIER] !== undefined && wanted[MODIFIER] !== old[MODIFIER]) {
    found.push({
      code: "immutable",
      path: `metadata.annotations.${MODIFIER}`,
      message: "The platform sets the last modifier itself.",
      hint: "Remove the annotation.",
    });
  }
  return found;
}

/** Paths at which two values differ, outermost first. */
function differences(before: unknown, after: unknown, path = ""): string[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (!isObject(before) || !isObject(after) || Array.isArray(before) !== Array.isArray(after)) return [path];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => {
    const at = Array.isArray(before) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
    return differences((before as Record<string, unknown>)[key], (after as Record<string, unknown>)[key], at);
  });
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
