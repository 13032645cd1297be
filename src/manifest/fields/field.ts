/**
 * The words in which the tables of this folder describe Kubernetes objects. One table serves the decoder, the check
 * for unknown fields, the schema rules, the notices, `explain` and the JSON Schema.
 *
 * A field is described twice over, as the platform does: by Go's type, which decides what decodes and what is
 * written back, and by Knative's schema, which decides what is an unknown field.
 */
import type { FeatureName } from "../features.ts";

/** A row of a table. */
export interface Field {
  readonly type: FieldType;
  readonly doc: string;
  /** Written back even when empty, as Go does without `omitempty`. */
  readonly keep?: true;
  /** Absent and empty differ: a pointer in Go. */
  readonly pointer?: true;
  /** Value that the schema gives when the field is absent or null. */
  readonly schemaDefault?: string;
  /** The default in words, for people; the code that sets it is in defaults.ts. */
  readonly default?: string;
  readonly bounds?: readonly [min: number, max: number];
  readonly values?: readonly string[];
  /** Kubernetes knows the field, Knative's schema does not: an unknown field. */
  readonly closed?: true;
  /** The schema does not look inside, so names inside are not checked. */
  readonly open?: true;
  /** The schema takes names inside that it does not know; they are dropped afterwards. */
  readonly lenient?: true;
  /** For `lenient`: the names that the schema does know, and looks into. */
  readonly schemaKnows?: readonly string[];
  /** The field needs this feature flag of config-features. */
  readonly flag?: FeatureName;
  /** What the emulator does with it. Absent: emulated, or a container of other fields. */
  readonly fidelity?: "emulated" | "accepted";
  /** For `accepted`: what is missing, as the end of a sentence. */
  readonly note?: string;
  /** For `accepted`: values that ask for nothing, or that the platform's defaults put there. */
  readonly quietFor?: ReadonlyArray<string | number | boolean>;
}

export type FieldType =
  | { readonly kind: "string" | "boolean" | "int32" | "int64" | "quantity" | "intOrString" | "time" | "any" }
  | { readonly kind: "object"; readonly shape: () => Shape }
  | { readonly kind: "list"; readonly of: FieldType; readonly mapKeys?: readonly string[] }
  | { readonly kind: "map"; readonly of: FieldType };

export interface Shape {
  readonly name: string;
  readonly fields: ReadonlyMap<string, Field>;
}

type Options = Omit<Field, "type" | "doc">;
type ListOptions = Options & { readonly mapKeys?: readonly string[] };

export function shape(name: string, fields: Readonly<Record<string, Field>>): Shape {
  return { name, fields: new Map(Object.entries(fields)) };
}

const STRING = { kind: "string" } as const;

export function text(doc: string, options: Options = {}): Field {
  return { type: STRING, doc, ...options };
}

export function flag(doc: string, options: Options = {}): Field {
  return { type: { kind: "boolean" }, doc, ...options };
}

export function int32(doc: string, options: Options = {}): Field {
  return { type: { kind: "int32" }, doc, ...options };
}

export function int64(doc: string, options: Options = {}): Field {
  return { type: { kind: "int64" }, doc, ...options };
}

export function quantity(doc: string, options: Options = {}): Field {
  return { type: { kind: "quantity" }, doc, ...options };
}

export function intOrString(doc: string, options: Options = {}): Field {
  return { type: { kind: "intOrString" }, doc, ...options };
}

export function time(doc: string, options: Options = {}): Field {
  return { type: { kind: "time" }, doc, ...options };
}

export function anything(doc: string, options: Options = {}): Field {
  return { type: { kind: "any" }, doc, ...options };
}

/** A struct behind a pointer: `{}` is kept, absence is absence. */
export function object(doc: string, of: () => Shape, options: Options = {}): Field {
  return { type: { kind: "object", shape: of }, doc, pointer: true, ...options };
}

/** A struct by value: always there. */
export function embedded(doc: string, of: () => Shape, options: Options = {}): Field {
  return { type: { kind: "object", shape: of }, doc, keep: true, ...options };
}

export function texts(doc: string, options: Options = {}): Field {
  return { type: { kind: "list", of: STRING }, doc, ...options };
}

export function list(doc: string, of: () => Shape, options: ListOptions = {}): Field {
  const { mapKeys, ...rest } = options;
  const item = { kind: "object", shape: of } as const;
  return {
    type: mapKeys === undefined ? { kind: "list", of: item } : { kind: "list", of: item, mapKeys },
    doc,
    ...rest,
  };
}

export function strings(doc: string, options: Options = {}): Field {
  return { type: { kind: "map", of: STRING }, doc, ...options };
}

export function quantities(doc: string, options: Options = {}): Field {
  return { type: { kind: "map", of: { kind: "quantity" } }, doc, ...options };
}
