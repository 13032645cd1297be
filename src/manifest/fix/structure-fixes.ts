/** Fixes that take something out, or put it elsewhere. */
import { isMap, isScalar, type Node, type YAMLMap } from "yaml";
import type { Problem } from "../problem.ts";
import {
  addPair,
  columnOf,
  type Edit,
  hasAnchor,
  isPresent,
  lineEnd,
  lineEnding,
  lineStart,
  removeItem,
  removePair,
  sourceOf,
} from "./edits.ts";
import type { Fix } from "./fix-text.ts";
import { endOf, keyOf, type MapPair, pairOf, type Site, startOf } from "./syntax.ts";

/** A variable that the platform sets itself. */
export function dropReserved(problem: Problem, { levels }: Site, text: string): Fix | undefined {
  const [holder, list, entry] = levels.slice(-3);
  if (problem.code !== "reserved-variable" || entry?.in !== "map" || list?.in !== "list") return undefined;
  if (holder?.in !== "map" || holder.name !== "env" || !isScalar(entry.pair.value)) return undefined;
  const edit =
    list.list.items.length > 1
      ? removeItem(text, list.list, list.index)
      : (removePair(text, holder.map, holder.pair) ?? emptied(text, holder.pair));
  const name = String(entry.pair.value.value);
  return edit === undefined
    ? undefined
    : { edits: [edit], message: `removed the variable ${name}, which the platform sets` };
}

/** `- env:` can't go without the dash before it; it can be empty. */
function emptied(text: string, { key, value }: MapPair): Edit | undefined {
  if (value === null || hasAnchor(value)) return undefined;
  const colon = text.indexOf(":", endOf(key));
  return colon === -1 || colon > startOf(value)
    ? undefined
    : { start: colon + 1, end: endOf(value), text: " []" };
}

/** A key that is given twice with the same value. */
export function dropDuplicate(problem: Problem, { levels, on, node }: Site, text: string): Fix | undefined {
  const last = levels.at(-1);
  if (problem.code !== "duplicate-key" || on !== "key" || last?.in !== "map") return undefined;
  const same = (last.map.items as MapPair[]).filter((pair) => keyOf(pair) === last.name);
  const values = new Set(same.map(({ value }) => (value === null ? "" : sourceOf(text, value).trim())));
  const own = same.find((pair) => pair.key === node);
  if (values.size !== 1 || own === undefined || own === same[0]) return undefined;
  const edit = removePair(text, last.map, own);
  return edit === undefined ? undefined : { edits: [edit], message: `removed the second ${last.name}` };
}

/** An autoscaling annotation of the Service itself, which acts only on the template. */
export function moveToTemplate(problem: Problem, site: Site, text: string): Fix | undefined {
  const [metadata, holder, entry] = site.levels;
  if (problem.code !== "misplaced-annotation" || site.levels.length !== 3) return undefined;
  if (metadata?.in !== "map" || holder?.in !== "map" || entry?.in !== "map") return undefined;
  const { pair, map } = entry;
  if (holder.name !== "annotations" || !isMap(holder.pair.value) || !isScalar(pair.value)) return undefined;
  const removal =
    map.items.length === 1 ? removePair(text, holder.map, holder.pair) : removePair(text, map, pair);
  const insertion = addToTemplate(site.root, pair, text);
  if (removal === undefined || insertion === undefined) return undefined;
  return { edits: [removal, insertion], message: `moved ${entry.name} to the template` };
}

function addToTemplate(root: YAMLMap, pair: MapPair, text: string): Edit | undefined {
  const template = mapIn(mapIn(root, "spec"), "template");
  if (template === undefined || pair.value === null) return undefined;
  const key = sourceOf(text, pair.key);
  const bare = `${key}: ${sourceOf(text, pair.value)}`;
  const name = (word: string): string => (key.startsWith('"') ? `"${word}"` : word);
  // The comment behind it goes along, where a line has room for one.
  const entry = bare + commentBehind(text, pair.value);
  if (!isPresent(template, "metadata")) {
    return template.flow === true
      ? addPair(text, template, `${name("metadata")}: {${name("annotations")}: {${bare}}}`)
      : addFirst(text, template, ["metadata:", "  annotations:", `    ${entry}`]);
  }
  const metadata = mapIn(template, "metadata");
  if (metadata === undefined) return undefined;
  if (!isPresent(metadata, "annotations")) {
    const inside = metadata.flow === true ? `{${bare}}` : `\n  ${entry}`;
    return addPair(text, metadata, `${name("annotations")}:${metadata.flow === true ? " " : ""}${inside}`);
  }
  const annotations = mapIn(metadata, "annotations");
  return annotations === undefined || isPresent(annotations, keyOf(pair))
    ? undefined
    : addPair(text, annotations, annotations.flow === true ? bare : entry);
}

function commentBehind(text: string, value: Node): string {
  return /^[ \t]+#[^\r\n]*/.exec(text.slice(endOf(value), lineEnd(text, endOf(value))))?.[0] ?? "";
}

/** Metadata stands before the spec. */
function addFirst(text: string, map: YAMLMap, lines: readonly string[]): Edit | undefined {
  const first = (map.items as MapPair[])[0];
  if (first === undefined) return undefined;
  const indent = " ".repeat(columnOf(text, first.key));
  const at = lineStart(text, startOf(first.key));
  if (text.slice(at, startOf(first.key)).trim() !== "") return undefined;
  const eol = lineEnding(text);
  return { start: at, end: at, text: lines.map((line) => indent + line + eol).join("") };
}

function mapIn(map: YAMLMap | undefined, name: string): YAMLMap | undefined {
  const value = map === undefined ? undefined : pairOf(map, name)?.value;
  return isMap(value) ? value : undefined;
}
