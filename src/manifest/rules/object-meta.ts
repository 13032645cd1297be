/**
 * The API server's own rules for metadata, and Knative's for the name. Sources: k8s.io/apimachinery
 * pkg/api/validation/objectmeta.go; knative.dev/pkg apis/metadata_validation.go.
 */
import { found, type Finding } from "../finding.ts";
import {
  asDnsLabel,
  dns1035Label,
  dns1123Label,
  dns1123Subdomain,
  labelValue,
  maskTrailingDash,
  qualifiedName,
} from "../names.ts";
import { shorten } from "../shorten.ts";
import type { DecodedMeta } from "../spec.ts";

/** Bytes of all keys and values together. */
const MAX_ANNOTATION_BYTES = 256 * 1024;

/** `added`: bytes of annotations that the platform adds before the check. */
export function apiServerMeta(meta: DecodedMeta, added: number): Finding[] {
  return [
    ...nameFindings(meta),
    ...namespaceFindings(meta.namespace),
    ...labelFindings(meta.labels ?? {}),
    ...annotationFindings(meta.annotations ?? {}, added),
    ...ownerFindings(meta),
    ...finalizerFindings(meta.finalizers ?? []),
  ];
}

function nameFindings(meta: DecodedMeta): Finding[] {
  const name = meta.name ?? "";
  const prefix = meta.generateName ?? "";
  const findings: Finding[] = [];
  if (prefix !== "") {
    const wrong = dns1123Subdomain(maskTrailingDash(prefix));
    if (wrong !== undefined)
      findings.push(found("bad-name", "metadata.generateName", `The name prefix "${prefix}" ${wrong}.`));
  }
  if (name === "")
    return prefix === ""
      ? [found("missing-name", "metadata.name", "The object has no name.", "Write `metadata: {name: ...}`.")]
      : findings;
  const wrong = dns1123Subdomain(name);
  if (wrong !== undefined)
    findings.push(
      found("bad-name", "metadata.name", `The name "${shorten(name)}" ${wrong}.`, nameHint(name)),
    );
  return findings;
}

function namespaceFindings(namespace: string | undefined): Finding[] {
  if (namespace === undefined || namespace === "") return [];
  const wrong = dns1123Label(namespace);
  if (wrong === undefined) return [];
  return [
    found(
      "bad-name",
      "metadata.namespace",
      `The namespace "${shorten(namespace)}" ${wrong}.`,
      nameHint(namespace),
    ),
  ];
}

function labelFindings(labels: Readonly<Record<string, string>>): Finding[] {
  const findings: Finding[] = [];
  for (const [key, value] of Object.entries(labels)) {
    const wrongKey = qualifiedName(key);
    if (wrongKey !== undefined)
      findings.push(
        keyed(
          found("bad-key", "metadata.labels", `The label key "${shorten(key)}" ${wrongKey}.`),
          `metadata.labels.${key}`,
        ),
      );
    const wrongValue = labelValue(value);
    if (wrongValue !== undefined) {
      const message = `The value "${shorten(value)}" of the label ${key} ${wrongValue}.`;
      findings.push({
        ...found("bad-label-value", "metadata.labels", message, "Put free text into an annotation instead."),
        place: `metadata.labels.${key}`,
      });
    }
  }
  return findings;
}

function annotationFindings(annotations: Readonly<Record<string, string>>, added: number): Finding[] {
  const findings: Finding[] = [];
  let bytes = added;
  for (const [key, value] of Object.entries(annotations)) {
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
    const wrong = qualifiedName(key.toLowerCase());
    if (wrong !== undefined)
      findings.push(
        keyed(
          found("bad-key", "metadata.annotations", `The annotation key "${shorten(key)}" ${wrong}.`),
          `metadata.annotations.${key}`,
        ),
      );
  }
  if (bytes > MAX_ANNOTATION_BYTES) {
    findings.push(
      found(
        "too-long",
        "metadata.annotations",
        `The annotations have ${bytes} bytes; at most ${MAX_ANNOTATION_BYTES} are allowed.`,
        "Move the text into a ConfigMap.",
      ),
    );
  }
  return findings;
}

function ownerFindings(meta: DecodedMeta): Finding[] {
  const findings: Finding[] = [];
  for (const owner of meta.ownerReferences ?? []) {
    for (const field of ["apiVersion", "kind", "name", "uid"] as const) {
      if (owner[field] !== "") continue;
      findings.push(
        found(
          "missing-field",
          `metadata.ownerReferences.${field}`,
          `An owner reference has no ${field}.`,
          "Owner references are written by controllers; remove them from the manifest.",
        ),
      );
    }
  }
  const controllers = (meta.ownerReferences ?? []).filter((owner) => owner.controller === true);
  if (controllers.length > 1)
    findings.push(
      found(
        "too-many-controllers",
        "metadata.ownerReferences",
        "Only one owner can be the controller.",
        "Remove the owner references.",
      ),
    );
  return findings;
}

function finalizerFindings(finalizers: readonly string[]): Finding[] {
  const standard = new Set(["foregroundDeletion", "orphan", "kubernetes"]);
  return finalizers
    .filter((name) => qualifiedName(name) !== undefined || (!name.includes("/") && !standard.has(name)))
    .map((name) =>
      found(
        "bad-key",
        "metadata.finalizers",
        `The finalizer "${shorten(name)}" must have the form domain/name.`,
        "Remove it.",
      ),
    );
}

/** The name becomes part of a host name, so Knative is stricter than the API server. */
export function knativeName(meta: DecodedMeta): Finding[] {
  const prefix = meta.generateName ?? "";
  if (prefix !== "") {
    const wrong = dns1035Label(maskTrailingDash(prefix));
    if (wrong !== undefined)
      return [found("bad-name", "metadata.generateName", `The name prefix "${shorten(prefix)}" ${wrong}.`)];
  }
  const name = meta.name ?? "";
  if (name === "")
    return prefix === "" ? [found("missing-name", "metadata.name", "The object has no name.")] : [];
  const wrong = dns1035Label(name);
  if (wrong === undefined) return [];
  const message = `The name "${shorten(name)}" ${wrong}: it becomes the first part of the host name.`;
  return [found("bad-name", "metadata.name", message, nameHint(name))];
}

export function nameHint(name: string): string {
  const suggestion = asDnsLabel(name);
  return suggestion === "" || suggestion === name ? "Choose a name such as my-app." : `E.g. "${suggestion}".`;
}

function keyed(finding: Finding, place: string): Finding {
  return { ...finding, place, atKey: true };
}
