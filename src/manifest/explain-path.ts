/** From a field path as people write it to the row of the table that describes it. */
import type { Field, FieldType, Shape } from "./fields/field.ts";
import { KINDS, SERVICE, type Kind } from "./fields/kinds.ts";

export interface PathStep {
  readonly name: string;
  readonly field: Field;
  /** The shape that has the field. */
  readonly holder: Shape;
}

export interface FieldPlace {
  readonly kind: Kind;
  /** From the object's root; empty for the object itself. */
  readonly steps: readonly PathStep[];
  /** Key of an entry of a map (an annotation, a resource), where the path ends in one. */
  readonly mapKey?: string;
}

export interface PathFault {
  readonly kind: Kind;
  /** As far as it could be followed. */
  readonly steps: readonly PathStep[];
  /** The part that has no field. */
  readonly unknown: string;
  /** Names that are there instead; none below a single value. */
  readonly names: readonly string[];
}

const ABBREVIATIONS: Readonly<Record<string, string>> = {
  ksvc: "service",
  kservice: "service",
  config: "configuration",
  cfg: "configuration",
  rev: "revision",
  rt: "route",
  dm: "domainmapping",
  cm: "configmap",
};

/** `service`, `Services`, `ksvc`, `services.serving.knative.dev`. */
export function kindNamed(word: string): Kind | undefined {
  const lower = word.toLowerCase().split(".")[0] ?? "";
  const name = ABBREVIATIONS[lower] ?? lower;
  return KINDS.find(({ kind }) => kind.toLowerCase() === name || `${kind.toLowerCase()}s` === name);
}

/**
 * Paths begin with a kind or with a field of a Service: `spec.template`, `revision.spec`, `containers[0]` and
 * `containers` mean the same, and what follows a map (`annotations`) is a key as a whole, dots included.
 */
export function resolvePath(path: string): FieldPlace | PathFault {
  const trimmed = path.trim().replace(/^[.$]+/, "");
  const first = /^[A-Za-z]+/.exec(trimmed)?.[0] ?? "";
  const named = SERVICE.shape.fields.has(first) ? undefined : kindNamed(first);
  const kind = named ?? SERVICE;
  const rest = named === undefined ? trimmed : trimmed.slice(first.length).replace(/^\./, "");
  return follow(kind, rest);
}

/** `path` from the root of an object of that kind. */
export function follow(kind: Kind, path: string): FieldPlace | PathFault {
  const steps: PathStep[] = [];
  let type: FieldType = { kind: "object", shape: () => kind.shape };
  let rest = path;
  while (rest !== "") {
    type = itemOf(type);
    rest = rest.replace(/^\[(?:\d+|\*)?\]\.?/, "");
    if (rest === "") break;
    if (type.kind === "map") return { kind, steps, mapKey: keyIn(rest) };
    const name = /^[^.[\]]+/.exec(rest)?.[0] ?? rest;
    const holder: Shape | undefined = type.kind === "object" ? type.shape() : undefined;
    const field = holder?.fields.get(name);
    if (holder === undefined || field === undefined)
      return { kind, steps, unknown: name, names: holder === undefined ? [] : openNames(holder) };
    steps.push({ name, field, holder });
    type = field.type;
    rest = rest.slice(name.length).replace(/^\./, "");
  }
  return { kind, steps };
}

/** Without indexes: `spec.template.spec.containers.image`. */
export function pathOf(steps: readonly PathStep[]): string {
  return steps.map(({ name }) => name).join(".");
}

/** Inside a list, its entries. */
export function itemOf(type: FieldType): FieldType {
  return type.kind === "list" ? itemOf(type.of) : type;
}

/** Names that a user may write. */
export function openNames(shape: Shape): string[] {
  return [...shape.fields].filter(([, field]) => field.closed !== true).map(([name]) => name);
}

/** Every place in the kind where the name stands, nearest to the root first; shapes within themselves are left out. */
export function placesOf(kind: Kind, wanted: (name: string) => boolean): string[] {
  const found: string[] = [];
  let level: Array<{ path: string; shape: Shape; above: ReadonlySet<Shape> }> = [
    { path: "", shape: kind.shape, above: new Set() },
  ];
  while (level.length > 0) {
    const next: typeof level = [];
    for (const { path, shape, above } of level) {
      for (const [name, field] of shape.fields) {
        if (field.closed === true || (path === "" && name === "status")) continue;
        const at = path === "" ? name : `${path}.${name}`;
        if (wanted(name)) found.push(at);
        const type = itemOf(field.type);
        if (type.kind !== "object" || above.has(type.shape())) continue;
        next.push({ path: at, shape: type.shape(), above: new Set([...above, type.shape()]) });
      }
    }
    level = next;
  }
  return found;
}

/** `a.b/c`, `["a.b/c"]` and `['a.b/c']`. */
function keyIn(rest: string): string {
  return /^\[?["']?(.*?)["']?\]?$/s.exec(rest)?.[1] ?? rest;
}
