/**
 * From a document as written to a typed object, the way Go's encoding/json fills Kubernetes' structs and writes
 * them again: wrong types are refused, empty values vanish, numbers become quantities.
 */
import type { Field, FieldType, Shape } from "./fields/field.ts";
import { found, join, type Finding } from "./finding.ts";
import { decodeScalar } from "./decode-scalar.ts";
import { isRawList, isRawObject, nameOfRaw, type Raw, type RawObject } from "./raw.ts";

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** How nulls and unknown names are treated, which depends on whether a schema has seen this part before Go does. */
export interface Zone {
  /** The schema has removed nulls and filled in its defaults. */
  readonly schema: boolean;
  /** Names are matched without regard to case, as Go does; unknown ones are dropped with a warning. */
  readonly dropsUnknown: boolean;
}

export interface Decoded {
  readonly value: Json | undefined;
  readonly findings: readonly Finding[];
}

const SCHEMA: Zone = { schema: true, dropsUnknown: false };
export const BY_GO: Zone = { schema: false, dropsUnknown: false };

export function decodeObject(shape: Shape, raw: RawObject, zone: Zone = SCHEMA): Decoded {
  const findings: Finding[] = [];
  return { value: decodeShape(shape, raw, "", zone, findings), findings };
}

/** A part of an object, such as its metadata; undefined and null give the empty object. */
export function decodeField(field: Field, raw: Raw | undefined, path: string, zone: Zone): Decoded {
  const findings: Finding[] = [];
  return { value: decodeMember(field, raw, path, zone, findings), findings };
}

function decodeShape(shape: Shape, raw: RawObject, path: string, zone: Zone, findings: Finding[]): Json {
  const values = zone.dropsUnknown ? matchNames(shape, raw, path, findings) : raw;
  const entries: Array<[string, Json]> = [];
  for (const [name, field] of shape.fields) {
    const value = decodeMember(field, values.get(name), join(path, name), zone, findings);
    if (value !== undefined) entries.push([name, value]);
  }
  return Object.fromEntries(entries);
}

function decodeMember(
  field: Field,
  raw: Raw | undefined,
  path: string,
  zone: Zone,
  findings: Finding[],
): Json | undefined {
  const value =
    raw === undefined || raw === null
      ? absent(field, path, zone, findings)
      : present(field, raw, path, zone, findings);
  return value === undefined && zone.schema ? field.schemaDefault : value;
}

function absent(field: Field, path: string, zone: Zone, findings: Finding[]): Json | undefined {
  if (field.keep !== true) return undefined;
  const { type } = field;
  if (type.kind === "object")
    return decodeShape(type.shape(), new Map(), path, inside(field, zone), findings);
  // A nil list is written as null, which the schema then removes.
  return type.kind === "list" || type.kind === "map" || type.kind === "any" ? undefined : zeroOf(type);
}

function present(field: Field, raw: Raw, path: string, zone: Zone, findings: Finding[]): Json | undefined {
  const value = decodeType(field.type, raw, path, inside(field, zone), findings);
  if (value === undefined || field.keep === true || field.pointer === true) return value;
  return isZero(value) ? undefined : value;
}

function inside(field: Field, zone: Zone): Zone {
  if (field.open === true) return { schema: false, dropsUnknown: true };
  return field.lenient === true ? { schema: true, dropsUnknown: true } : zone;
}

function decodeType(
  type: FieldType,
  raw: Raw,
  path: string,
  zone: Zone,
  findings: Finding[],
): Json | undefined {
  switch (type.kind) {
    case "object":
      if (isRawObject(raw)) return decodeShape(type.shape(), raw, path, zone, findings);
      return refuse(
        findings,
        path,
        `\`${lastName(path)}\` must be a mapping, not ${nameOfRaw(raw)}.`,
        mappingHint(type.shape(), raw),
      );
    case "list":
      if (isRawList(raw))
        return raw.map(
          (item, index) => decodeItem(type.of, item, `${path}[${index}]`, zone, findings) ?? null,
        );
      return refuse(
        findings,
        path,
        `\`${lastName(path)}\` must be a list, not ${nameOfRaw(raw)}.`,
        listHint(raw),
      );
    case "map":
      if (isRawObject(raw)) return decodeMap(type.of, raw, path, zone, findings);
      return refuse(
        findings,
        path,
        `\`${lastName(path)}\` must be a mapping, not ${nameOfRaw(raw)}.`,
        "Write `name: value` pairs, without dashes.",
      );
    case "any":
      return toJson(raw);
    default:
      return decodeScalar(type.kind, raw, path, findings);
  }
}

function decodeItem(
  type: FieldType,
  raw: Raw,
  path: string,
  zone: Zone,
  findings: Finding[],
): Json | undefined {
  if (raw !== null) return decodeType(type, raw, path, zone, findings);
  return type.kind === "object" ? decodeShape(type.shape(), new Map(), path, zone, findings) : zeroOf(type);
}

function decodeMap(of: FieldType, raw: RawObject, path: string, zone: Zone, findings: Finding[]): Json {
  const entries: Array<[string, Json]> = [];
  for (const [key, item] of raw) {
    if (item === null && zone.schema) continue;
    const value = item === null ? zeroOf(of) : decodeType(of, item, `${path}.${key}`, zone, findings);
    if (value !== undefined) entries.push([key, value]);
  }
  return Object.fromEntries(entries);
}

/** Names matched as encoding/json does, exactly or else without regard to case. */
function matchNames(shape: Shape, raw: RawObject, path: string, findings: Finding[]): RawObject {
  const lower = new Map([...shape.fields.keys()].map((name) => [name.toLowerCase(), name]));
  const matched = new Map<string, Raw>();
  for (const [key, value] of raw) {
    const name = shape.fields.has(key) ? key : lower.get(key.toLowerCase());
    if (name !== undefined) matched.set(name, value);
    else if (shape.fields.size > 0) {
      const message = `Unknown field \`${key}\` in ${shape.name}; the platform drops it without a word.`;
      findings.push({
        ...found("unknown-field-dropped", join(path, key), message, "Remove it."),
        severity: "warning",
        atKey: true,
      });
    }
  }
  return matched;
}

function zeroOf(type: FieldType): Json {
  switch (type.kind) {
    case "boolean":
      return false;
    case "int32":
    case "int64":
    case "intOrString":
      return 0;
    case "quantity":
      return "0";
    case "list":
      return [];
    case "object":
    case "map":
      return {};
    case "string":
    case "time":
      return "";
    case "any":
      return null;
  }
}

function isZero(value: Json): boolean {
  if (value === "" || value === 0 || value === false || value === null) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

export function toJson(raw: Raw): Json {
  if (isRawList(raw)) return raw.map(toJson);
  if (isRawObject(raw)) return Object.fromEntries([...raw].map(([key, value]) => [key, toJson(value)]));
  return typeof raw === "bigint" ? Number(raw) : raw;
}

function refuse(findings: Finding[], path: string, message: string, hint: string): undefined {
  findings.push(found("wrong-type", path, message, hint));
  return undefined;
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}

function listHint(raw: Raw): string {
  if (isRawObject(raw)) return "Begin every entry with a dash.";
  const shown = typeof raw === "string" && raw.length < 60 ? JSON.stringify(raw) : "...";
  return `Write a list: \`[${shown}]\`, or a line beginning with a dash for every entry.`;
}

function mappingHint(shape: Shape, raw: Raw): string {
  if (isRawList(raw)) return "Remove the dash.";
  const first = shape.fields.keys().next().value ?? "name";
  return `Write \`${first}: ...\` and further fields, indented, on lines of their own.`;
}
