/**
 * What the schema of Knative's kinds asks for beyond types: the list of containers, and lists whose entries are
 * told apart by a key. Source: knative/serving config/core/300-resources; apiextensions-apiserver listtype.
 */
import type { Json } from "../decode.ts";
import type { Shape } from "../fields/field.ts";
import { found, join, missing, type Finding } from "../finding.ts";

export function schemaFindings(shape: Shape, value: Json): Finding[] {
  const findings: Finding[] = [];
  walk(shape, value, "", findings);
  return findings;
}

function walk(shape: Shape, value: Json, path: string, findings: Finding[]): void {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return;
  const object = value as { readonly [key: string]: Json };
  for (const [name, field] of shape.fields) {
    const member = object[name];
    const at = join(path, name);
    if (shape.name === "RevisionSpec" && name === "containers" && member === undefined) {
      findings.push(
        missing(at, "There are no containers.", "Add `containers:` with one entry: `- image: ...`."),
      );
    }
    if (member === undefined || field.open === true) continue;
    const { type } = field;
    if (type.kind === "object") walk(type.shape(), member, at, findings);
    if (type.kind !== "list" || !Array.isArray(member)) continue;
    const items = member as readonly Json[];
    if (type.mapKeys !== undefined) findings.push(...duplicates(items, type.mapKeys, at));
    const { of } = type;
    if (of.kind === "object")
      items.forEach((item, index) => walk(of.shape(), item, `${at}[${index}]`, findings));
  }
}

function duplicates(items: readonly Json[], keys: readonly string[], path: string): Finding[] {
  const seen = new Set<string>();
  return items.flatMap((item, index) => {
    const values = keys.map((key) =>
      JSON.stringify((item as { readonly [key: string]: Json } | null)?.[key] ?? ""),
    );
    const identity = values.join(",");
    const first = !seen.has(identity);
    seen.add(identity);
    if (first) return [];
    const described = keys.map((key, at) => `${key} ${values[at] ?? ""}`).join(" and ");
    const name = path.slice(path.lastIndexOf(".") + 1);
    return [
      found(
        "duplicate-entry",
        `${path}[${index}]`,
        `${name} has two entries with the ${described}.`,
        "Keep one.",
      ),
    ];
  });
}
