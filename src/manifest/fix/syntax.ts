/** The syntax of a file for those who edit it: nodes with the places that they take, and the way to each. */
import {
  Composer,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  Parser,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import type { Field, FieldType } from "../fields/field.ts";
import { KINDS, type Kind } from "../fields/kinds.ts";

export type MapPair = Pair<Node, Node | null>;

/** One level of the way from the document to a place. */
export type Level =
  | { readonly in: "map"; readonly map: YAMLMap; readonly pair: MapPair; readonly name: string }
  | { readonly in: "list"; readonly list: YAMLSeq; readonly index: number };

export interface Site {
  /** Of the object (an item of a List is one), outermost first; the last one holds the place. */
  readonly levels: readonly Level[];
  readonly root: YAMLMap;
  readonly kind: Kind | undefined;
  /** Where the place is a key, or a value. */
  readonly on: "key" | "value";
  readonly node: Node;
}

export function readSyntax(text: string): readonly Node[] {
  const composer = new Composer({
    schema: "failsafe",
    uniqueKeys: false,
    strict: false,
    prettyErrors: false,
    logLevel: "silent",
  });
  return [...composer.compose(new Parser().parse(text))].flatMap(({ contents }) =>
    contents === null ? [] : [contents as Node],
  );
}

/** The key or the value that begins at the offset, inside an object; undefined where there is none. */
export function siteAt(documents: readonly Node[], offset: number): Site | undefined {
  const root = documents.find((node) => covers(node, offset));
  if (!isMap(root)) return undefined;
  const levels: Level[] = [];
  let node: Node | null = root;
  while (
    node !== null &&
    !(startOf(node) === offset && (isScalar(node) || levels.length > 0) && !isMap(node))
  ) {
    const level: { level: Level; key: boolean; next: Node | null } | undefined = levelAt(node, offset);
    if (level === undefined) return undefined;
    levels.push(level.level);
    node = level.next;
    if (level.key) return node === null ? undefined : site(root, levels, "key", node);
  }
  return node === null ? undefined : site(root, levels, "value", node);
}

function levelAt(node: Node, offset: number): { level: Level; key: boolean; next: Node | null } | undefined {
  if (isSeq(node)) {
    const index = node.items.findIndex((item) => covers(item as Node, offset));
    return index === -1
      ? undefined
      : { level: { in: "list", list: node, index }, key: false, next: node.items[index] as Node };
  }
  if (!isMap(node)) return undefined;
  for (const pair of node.items as MapPair[]) {
    const name = keyOf(pair);
    if (covers(pair.key, offset))
      return { level: { in: "map", map: node, pair, name }, key: true, next: pair.key };
    if (covers(pair.value, offset))
      return { level: { in: "map", map: node, pair, name }, key: false, next: pair.value };
  }
  return undefined;
}

/** The object that the place is in: the document, or an item of a List. */
function site(root: YAMLMap, levels: readonly Level[], on: Site["on"], node: Node): Site {
  const [items, item] = levels;
  const value =
    items?.in === "map" && items.name === "items" && item?.in === "list" ? item.list.items[item.index] : null;
  const inner = textOf(root, "kind") === "List" && isMap(value) ? value : undefined;
  return inner === undefined
    ? { levels, root, kind: kindOf(root), on, node }
    : { levels: levels.slice(2), root: inner, kind: kindOf(inner), on, node };
}

function kindOf(root: YAMLMap): Kind | undefined {
  const [apiVersion, kind] = [textOf(root, "apiVersion"), textOf(root, "kind")];
  return KINDS.find((known) => known.apiVersion === apiVersion && known.kind === kind);
}

/** What the table says about the value at the place; `field` is absent for entries of maps and lists. */
export function typeAt({ kind, levels }: Site): { type: FieldType; field?: Field } | undefined {
  if (kind === undefined) return undefined;
  let found: { type: FieldType; field?: Field } = { type: { kind: "object", shape: () => kind.shape } };
  for (const level of levels) {
    const { type } = found;
    if (level.in === "list") {
      if (type.kind !== "list") return undefined;
      found = { type: type.of };
    } else if (type.kind === "map") found = { type: type.of };
    else if (type.kind === "object") {
      const field = type.shape().fields.get(level.name);
      if (field === undefined) return undefined;
      found = { type: field.type, field };
    } else return undefined;
  }
  return found;
}

/** Field path, without the quotes that odd keys would need. */
export function pathOf(levels: readonly Level[]): string {
  return levels.reduce(
    (path, level) =>
      level.in === "list" ? `${path}[${level.index}]` : path === "" ? level.name : `${path}.${level.name}`,
    "",
  );
}

export function keyOf(pair: MapPair): string {
  return isScalar(pair.key) && typeof pair.key.value === "string" ? pair.key.value : "";
}

/** The pair of that name; of several, the last, as for kubectl. */
export function pairOf(map: YAMLMap, name: string): MapPair | undefined {
  return (map.items as MapPair[]).findLast((pair) => keyOf(pair) === name);
}

export function textOf(map: YAMLMap, name: string): string {
  const value = pairOf(map, name)?.value;
  return isScalar(value) && typeof value.value === "string" ? value.value : "";
}

export function startOf(node: Node | null): number {
  return node?.range?.[0] ?? -1;
}

/** Where the text of the node ends, without the blanks and comments after it. */
export function endOf(node: Node): number {
  if (isMap(node) && node.flow !== true) {
    const last = node.items.at(-1) as MapPair | undefined;
    if (last !== undefined)
      return last.value === null || startOf(last.value) === -1 ? endOf(last.key) : endOf(last.value);
  }
  if (isSeq(node) && node.flow !== true) {
    const last = node.items.at(-1) as Node | undefined;
    if (last !== undefined) return endOf(last);
  }
  return node.range?.[1] ?? 0;
}

function covers(node: Node | null | undefined, offset: number): boolean {
  const range = node?.range;
  return range != null && range[0] <= offset && offset < Math.max(range[2], range[0] + 1);
}
