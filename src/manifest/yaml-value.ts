/** YAML nodes to plain values: aliases expanded, merge keys applied, scalars resolved as Kubernetes tools do. */
import { isAlias, isMap, isScalar, isSeq, type Node, type Scalar, type YAMLMap } from "yaml";
import { LIMITS } from "./limits.ts";
import type { Raw, RawObject } from "./raw.ts";
import { resolvePlain } from "./yaml-scalars.ts";

export interface DuplicateKey {
  readonly key: string;
  readonly offset: number;
}

/** The value cannot be had; says where and why. */
export class ValueFault extends Error {
  readonly code: string;
  readonly hint: string;
  readonly offset: number;

  constructor(code: string, message: string, hint: string, node: unknown) {
    super(message);
    this.code = code;
    this.hint = hint;
    this.offset = offsetOf(node);
  }
}

export function offsetOf(node: unknown): number {
  return (node as Node | null | undefined)?.range?.[0] ?? 0;
}

interface Conversion {
  readonly anchors: Map<string, Node>;
  readonly expanding: Set<Node>;
  readonly duplicates: DuplicateKey[];
  values: number;
}

export function convertNode(root: Node | null): { value: Raw; duplicates: readonly DuplicateKey[] } {
  const state: Conversion = { anchors: new Map(), expanding: new Set(), duplicates: [], values: 0 };
  return { value: root === null ? null : convert(root, state), duplicates: state.duplicates };
}

function convert(node: unknown, state: Conversion): Raw {
  if (++state.values > LIMITS.values) {
    throw new ValueFault(
      "too-many-values",
      `The document holds more than ${LIMITS.values} values once its aliases are expanded.`,
      "Reduce it, or write fewer aliases inside aliases.",
      node,
    );
  }
  if (isAlias(node)) return convertAlias(node.source, node, state);
  if (!isScalar(node) && !isMap(node) && !isSeq(node)) return null;
  if (node.anchor !== undefined) state.anchors.set(node.anchor, node);
  if (isScalar(node)) return convertScalar(node);
  if (state.expanding.has(node)) {
    throw new ValueFault("alias-loop", "An anchor contains an alias to itself.", "Remove the alias.", node);
  }
  if (state.expanding.size >= LIMITS.depth) {
    throw new ValueFault(
      "too-deep",
      `Mappings and lists are nested more than ${LIMITS.depth} deep once aliases are expanded.`,
      "Write fewer aliases inside aliases.",
      node,
    );
  }
  state.expanding.add(node);
  const value = isMap(node) ? convertMap(node, state) : node.items.map((item) => convert(item, state));
  state.expanding.delete(node);
  return value;
}

function convertAlias(name: string, node: unknown, state: Conversion): Raw {
  const target = state.anchors.get(name);
  if (target === undefined) {
    throw new ValueFault(
      "unknown-anchor",
      `There is no anchor "&${name}" before this alias.`,
      "Write the anchor first, or quote the text if it should begin with an asterisk.",
      node,
    );
  }
  if (state.expanding.has(target)) {
    throw new ValueFault(
      "alias-loop",
      `The anchor "&${name}" contains an alias to itself.`,
      "Remove the alias.",
      node,
    );
  }
  return convert(target, state);
}

function convertMap(map: YAMLMap, state: Conversion): RawObject {
  const own = new Map<string, Raw>();
  const merged: Array<[string, Raw]> = [];
  for (const { key, value } of map.items) {
    if (isMergeKey(key)) {
      for (const entry of mergedEntries(value, state)) merged.push(entry);
      continue;
    }
    const name = keyName(key, state);
    if (own.has(name)) state.duplicates.push({ key: name, offset: offsetOf(key) });
    own.set(name, value === null || value === undefined ? null : convert(value, state));
  }
  for (const [name, value] of merged) if (!own.has(name)) own.set(name, value);
  return own;
}

function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.type === "PLAIN" && key.value === "<<";
}

/** In the order of their precedence: the first mapping named wins. */
function mergedEntries(node: unknown, state: Conversion): Array<[string, Raw]> {
  const value = convert(node, state);
  const maps = Array.isArray(value) ? (value as readonly Raw[]) : [value];
  const entries: Array<[string, Raw]> = [];
  for (const map of maps) {
    if (!(map instanceof Map)) {
      throw new ValueFault(
        "bad-merge",
        "A merge key `<<` takes a mapping, or a list of mappings.",
        "Point it at an anchor of a mapping.",
        node,
      );
    }
    for (const entry of map as RawObject) entries.push(entry);
  }
  return entries;
}

function keyName(key: unknown, state: Conversion): string {
  const value = key === null ? null : convert(key, state);
  if (typeof value === "string") return value;
  // sigs.k8s.io/yaml turns these into strings: `on:` becomes the field "true".
  if (typeof value === "boolean" || typeof value === "bigint" || typeof value === "number")
    return String(value);
  throw new ValueFault(
    "bad-key",
    "The key of a mapping must be a string.",
    "Write `key: value`, and quote the key if it is to be taken literally.",
    key,
  );
}

const CORE = "tag:yaml.org,2002:";

function convertScalar(node: Scalar): Raw {
  // The parser makes bytes and dates of some tags; the text is what counts here.
  const text = node.source ?? (typeof node.value === "string" ? node.value : "");
  const quoted = node.type !== "PLAIN";
  const value =
    node.tag === undefined || node.tag === "!"
      ? untagged(text, quoted || node.tag === "!")
      : tagged(node, text);
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new ValueFault(
      "not-a-number",
      `${text} cannot be written as JSON, which is what the API server takes.`,
      "Quote it if it should be a string.",
      node,
    );
  }
  return value;
}

function untagged(text: string, quoted: boolean): Raw {
  return quoted ? text : resolvePlain(text);
}

function tagged(node: Scalar, text: string): Raw {
  const tag = node.tag ?? "";
  if (!tag.startsWith(CORE)) return text;
  const name = tag.slice(CORE.length);
  if (name === "binary") return Buffer.from(text, "base64").toString("utf8");
  const value = resolvePlain(text);
  if (name === "null" && value === null) return null;
  if (name === "bool" && typeof value === "boolean") return value;
  if (name === "int" && typeof value === "bigint") return value;
  if (name === "float" && (typeof value === "bigint" || typeof value === "number")) return Number(value);
  if (["null", "bool", "int", "float"].includes(name)) {
    throw new ValueFault(
      "bad-tag",
      `"${text}" is not a value of the type !!${name}.`,
      "Remove the tag or mend the value.",
      node,
    );
  }
  return text;
}
