/** Fixes of single keys and values. */
import { isMap, isScalar, isSeq, type Node, type Scalar } from "yaml";
import type { FieldType } from "../fields/field.ts";
import { openNames } from "../explain-path.ts";
import type { Problem } from "../problem.ts";
import { KNOWN_AUTOSCALING_KEYS } from "../rules/autoscaling-keys.ts";
import { editDistance } from "../suggest.ts";
import { resolvePlain } from "../yaml-scalars.ts";
import { isPresent, replace, sourceOf } from "./edits.ts";
import type { Fix } from "./fix-text.ts";
import { type Site, typeAt } from "./syntax.ts";

/** A number or a boolean where a string belongs. The text stays: `0755` becomes "0755", not "493". */
export function quote(problem: Problem, site: Site, text: string): Fix | undefined {
  const scalar = valueAt(site);
  if (problem.code !== "wrong-type" || scalar?.type !== "PLAIN" || isMarked(scalar)) return undefined;
  if (typeAt(site)?.type.kind !== "string") return undefined;
  const source = sourceOf(text, scalar);
  const value = resolvePlain(source);
  if (value === null || typeof value === "string" || source.includes("\n")) return undefined;
  return { edits: [replace(scalar, JSON.stringify(source))], message: `quoted ${source}` };
}

/** A string where a number or a boolean belongs, if it is one but for the quotes. */
export function unquote(problem: Problem, site: Site): Fix | undefined {
  const scalar = valueAt(site);
  if (problem.code !== "wrong-type" || scalar === undefined || isMarked(scalar)) return undefined;
  if (scalar.type !== "QUOTE_DOUBLE" && scalar.type !== "QUOTE_SINGLE") return undefined;
  const kind = typeAt(site)?.type.kind;
  const value = scalar.value as string;
  const fits =
    kind === "boolean"
      ? /^(?:true|false)$/.test(value)
      : (kind === "int32" || kind === "int64") && /^(?:0|-?[1-9]\d{0,17})$/.test(value);
  return fits ? { edits: [replace(scalar, value)], message: `took the quotes off ${value}` } : undefined;
}

/** A field, or an autoscaling annotation, whose name is a slip of exactly one other. */
export function rename(problem: Problem, { levels, node, on, ...site }: Site): Fix | undefined {
  const last = levels.at(-1);
  if (on !== "key" || last?.in !== "map" || !isScalar(node) || isMarked(node)) return undefined;
  const holder = typeAt({ ...site, levels: levels.slice(0, -1), node, on })?.type;
  const names =
    problem.code === "unknown-field" && holder?.kind === "object"
      ? [...holder.shape().fields]
          .filter(
            ([name, field]) => openNames(holder.shape()).includes(name) && fits(field.type, last.pair.value),
          )
          .map(([name]) => name)
      : problem.code === "unknown-annotation" && last.name.startsWith("autoscaling.knative.dev/")
        ? [...KNOWN_AUTOSCALING_KEYS]
        : [];
  const meant = onlyNear(last.name, names);
  if (meant === undefined || isPresent(last.map, meant)) return undefined;
  return { edits: [replace(node, inStyleOf(node, meant))], message: `renamed ${last.name} to ${meant}` };
}

/** One of a few words, written in the wrong case: `tcp`. */
export function recase(_problem: Problem, site: Site): Fix | undefined {
  const scalar = valueAt(site);
  const values = typeAt(site)?.field?.values;
  if (scalar === undefined || values === undefined || isMarked(scalar)) return undefined;
  const written = scalar.value as string;
  if (written === "" || values.includes(written)) return undefined;
  const meant = values.filter((value) => value.toLowerCase() === written.toLowerCase());
  const [only] = meant;
  return meant.length !== 1 || only === undefined
    ? undefined
    : { edits: [replace(scalar, inStyleOf(scalar, only))], message: `wrote ${only} instead of ${written}` };
}

/** Knative's durations have units; a number alone is meant in seconds. */
export function addSeconds(problem: Problem, site: Site): Fix | undefined {
  const scalar = valueAt(site);
  if (problem.code !== "bad-duration" || scalar === undefined || isMarked(scalar)) return undefined;
  const written = scalar.value as string;
  if (!/^\d{1,9}$/.test(written)) return undefined;
  return {
    edits: [replace(scalar, inStyleOf(scalar, `${written}s`))],
    message: `wrote ${written}s instead of ${written}`,
  };
}

const VERSIONS: ReadonlyMap<string, string> = new Map([
  ["serving.knative.dev/v1beta1 Service", "serving.knative.dev/v1"],
  ["serving.knative.dev/v1beta1 Configuration", "serving.knative.dev/v1"],
  ["serving.knative.dev/v1beta1 Route", "serving.knative.dev/v1"],
  ["serving.knative.dev/v1beta1 Revision", "serving.knative.dev/v1"],
  ["serving.knative.dev/v1 DomainMapping", "serving.knative.dev/v1beta1"],
  ["serving.knative.dev/v1alpha1 DomainMapping", "serving.knative.dev/v1beta1"],
]);

/** Versions that differ from the served one in name only. */
export function serveVersion(problem: Problem, site: Site): Fix | undefined {
  const scalar = valueAt(site);
  const last = site.levels.at(-1);
  if (problem.code !== "foreign-kind" || scalar === undefined || isMarked(scalar)) return undefined;
  if (last?.in !== "map" || last.name !== "apiVersion" || site.levels.length !== 1) return undefined;
  const kind = (site.root.get("kind") as string | undefined) ?? "";
  const version = VERSIONS.get(`${scalar.value as string} ${kind}`);
  return version === undefined
    ? undefined
    : { edits: [replace(scalar, inStyleOf(scalar, version))], message: `wrote apiVersion ${version}` };
}

function valueAt({ on, node, levels }: Site): Scalar | undefined {
  const last = levels.at(-1);
  const value = on === "value" ? node : last?.in === "map" ? last.pair.value : undefined;
  return isScalar(value) && typeof value.value === "string" ? value : undefined;
}

/** With an anchor or a tag it means more than its text. */
function isMarked(scalar: Scalar): boolean {
  return scalar.anchor !== undefined || scalar.tag !== undefined;
}

function inStyleOf(scalar: Node, text: string): string {
  const { type } = scalar as Scalar;
  if (type === "QUOTE_DOUBLE") return JSON.stringify(text);
  return type === "QUOTE_SINGLE" ? `'${text.replaceAll("'", "''")}'` : text;
}

/** Whether a value of that sort can stand in the field at all. */
function fits(type: FieldType, value: Node | null): boolean {
  if (value === null || type.kind === "any") return true;
  if (type.kind === "object" || type.kind === "map") return !isScalar(value) && !isSeq(value);
  return type.kind === "list" ? !isScalar(value) && !isMap(value) : !isMap(value) && !isSeq(value);
}

/** The only name that differs in case alone, or else the only one at the distance of a slip. */
export function onlyNear(written: string, names: readonly string[]): string | undefined {
  if (written.length < 3 || written.length > 64) return undefined;
  const lower = written.toLowerCase();
  const sameLetters = names.filter((name) => name.toLowerCase() === lower);
  if (sameLetters.length > 0) return sameLetters.length === 1 ? sameLetters[0] : undefined;
  const slip = written.length <= 5 ? 1 : 2;
  const near = names.filter(
    (name) =>
      Math.abs(name.length - written.length) <= slip && editDistance(lower, name.toLowerCase()) <= slip,
  );
  return near.length === 1 ? near[0] : undefined;
}
