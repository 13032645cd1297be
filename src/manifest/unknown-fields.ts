/**
 * Names that Knative's schema does not have. kubectl's default field validation (Strict) makes each an error.
 * The walk is that of structural pruning in apiextensions-apiserver: below an unknown name nothing more is said.
 */
import type { Field, FieldType, Shape } from "./fields/field.ts";
import { found, join, type Finding } from "./finding.ts";
import { HABITS } from "./habits.ts";
import { isRawList, isRawObject, type Raw, type RawObject } from "./raw.ts";
import { shorten } from "./shorten.ts";
import { didYouMean } from "./suggest.ts";

export function unknownFields(shape: Shape, raw: RawObject): Finding[] {
  const findings: Finding[] = [];
  pruneObject(shape, raw, "", findings);
  return findings;
}

function prune(type: FieldType, raw: Raw, path: string, findings: Finding[]): void {
  if (type.kind === "any") return;
  if (isRawList(raw)) {
    raw.forEach((item, index) => {
      const at = `${path}[${index}]`;
      if (type.kind === "list") prune(type.of, item, at, findings);
      else pruneUnschemed(item, at, findings);
    });
    return;
  }
  if (!isRawObject(raw)) return;
  if (type.kind === "object") pruneObject(type.shape(), raw, path, findings);
  else if (type.kind === "map")
    for (const [key, value] of raw) prune(type.of, value, `${path}.${key}`, findings);
  else for (const key of raw.keys()) findings.push(misplacedKey(type, path, key));
}

function pruneObject(shape: Shape, raw: RawObject, path: string, findings: Finding[]): void {
  for (const [key, value] of raw) {
    const field = shape.fields.get(key);
    const at = join(path, key);
    if (field === undefined || field.closed === true) findings.push(unknown(shape, key, at));
    else if (field.open === true) pruneOpen(field, value, at, findings);
    else if (field.lenient === true) pruneLenient(field, value, at, findings);
    else prune(field.type, value, at, findings);
  }
}

/** What is inside an entry is free, but a list must be a list. */
function pruneOpen(field: Field, value: Raw, path: string, findings: Finding[]): void {
  if (field.type.kind === "list" && isRawObject(value)) prune(field.type, value, path, findings);
}

function pruneLenient(field: Field, value: Raw, path: string, findings: Finding[]): void {
  if (field.type.kind !== "object" || !isRawObject(value)) return;
  const { fields } = field.type.shape();
  for (const [key, member] of value) {
    const known = field.schemaKnows?.includes(key) === true ? fields.get(key) : undefined;
    if (known !== undefined) prune(known.type, member, join(path, key), findings);
  }
}

/** A list where the schema has none. */
function pruneUnschemed(raw: Raw, path: string, findings: Finding[]): void {
  if (isRawList(raw)) raw.forEach((item, index) => pruneUnschemed(item, `${path}[${index}]`, findings));
  if (!isRawObject(raw)) return;
  for (const key of raw.keys())
    findings.push(
      keyFinding(
        `${path}.${key}`,
        `There is no list here, so \`${key}\` belongs to nothing.`,
        "Write a mapping instead of a list.",
      ),
    );
}

function misplacedKey(type: FieldType, path: string, key: string): Finding {
  const name = path.slice(path.lastIndexOf(".") + 1);
  const at = `${path}.${key}`;
  if (type.kind === "list") {
    return keyFinding(
      at,
      `\`${name}\` is a list, so it has no field \`${key}\`.`,
      `Begin the entry with a dash: \`- ${key}: ...\`.`,
    );
  }
  return keyFinding(
    at,
    `\`${name}\` takes a single value, so it has no field \`${key}\`.`,
    `Write the value behind \`${name}:\`.`,
  );
}

function unknown(shape: Shape, key: string, at: string): Finding {
  const field = shape.fields.get(key);
  const holder = at === key ? `the ${shape.name}` : at.slice(0, -key.length - 1);
  if (field !== undefined) {
    const advice = HABITS.get(key) ?? "Remove it.";
    return keyFinding(at, `Kubernetes has the field \`${key}\`, Knative does not take it.`, advice);
  }
  const names = [...shape.fields]
    .filter(([, other]) => other.closed !== true && !isServerSide(other))
    .map(([name]) => name);
  const hint = didYouMean(key, names) ?? HABITS.get(key) ?? `Fields here: ${names.toSorted().join(", ")}.`;
  return keyFinding(at, `Unknown field \`${shorten(key)}\` in ${holder}.`, hint);
}

function isServerSide(field: Field): boolean {
  return field.doc.startsWith("Set by the server") || field.doc.startsWith("Unused");
}

function keyFinding(path: string, message: string, hint: string): Finding {
  return { ...found("unknown-field", path, message, hint), atKey: true };
}
