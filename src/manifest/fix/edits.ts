/** Changes of a text by places, so that everything beside them stays as it is. */
import { isMap, isSeq, type Node, type YAMLMap, type YAMLSeq } from "yaml";
import { endOf, keyOf, type MapPair, startOf } from "./syntax.ts";

export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Those that touch one before them are left out. `kept` are the others. */
export function applyEdits(
  text: string,
  groups: ReadonlyArray<readonly Edit[]>,
): { readonly text: string; readonly applied: readonly boolean[] } {
  const taken: Edit[] = [];
  const applied = groups.map((edits) => {
    if (edits.some((edit) => taken.some((other) => overlap(edit, other)))) return false;
    taken.push(...edits);
    return true;
  });
  const sorted = taken.toSorted((a, b) => a.start - b.start || a.end - b.end);
  let out = "";
  let at = 0;
  for (const edit of sorted) {
    out += text.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return { text: out + text.slice(at), applied };
}

function overlap(a: Edit, b: Edit): boolean {
  return a.start <= b.end && b.start <= a.end;
}

export function replace(node: Node, text: string): Edit {
  return { start: startOf(node), end: node.range?.[1] ?? startOf(node), text };
}

export function sourceOf(text: string, node: Node): string {
  return text.slice(startOf(node), node.range?.[1] ?? startOf(node));
}

export function lineEnding(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

/** Column of the node in its line, from 0, if only blanks stand before it; a list's dash counts as a blank. */
export function columnOf(text: string, node: Node): number {
  const start = startOf(node);
  return start - lineStart(text, start);
}

export function lineStart(text: string, offset: number): number {
  return text.lastIndexOf("\n", offset - 1) + 1;
}

/** Behind the newline of the line, or the end of the text. */
export function lineEnd(text: string, offset: number): number {
  if (text[offset - 1] === "\n") return offset;
  const newline = text.indexOf("\n", offset);
  return newline === -1 ? text.length : newline + 1;
}

/** Undefined where it can't be cut out cleanly. */
export function removePair(text: string, map: YAMLMap, pair: MapPair): Edit | undefined {
  const end = pair.value === null || startOf(pair.value) === -1 ? endOf(pair.key) : endOf(pair.value);
  if (hasAnchor(pair.key) || hasAnchor(pair.value)) return undefined;
  if (map.flow === true) {
    const pairs = map.items as MapPair[];
    const places = pairs.map(({ key, value }) => ({
      start: startOf(key),
      end: value === null || startOf(value) === -1 ? endOf(key) : endOf(value),
    }));
    return removeFlow(text, places, pairs.indexOf(pair));
  }
  const from = lineStart(text, startOf(pair.key));
  return isBlank(text.slice(from, startOf(pair.key)))
    ? { start: from, end: lineEnd(text, end), text: "" }
    : undefined;
}

/** Undefined where it can't be cut out cleanly. */
export function removeItem(text: string, list: YAMLSeq, index: number): Edit | undefined {
  const item = list.items[index] as Node;
  if (hasAnchor(item)) return undefined;
  if (list.flow === true) {
    const places = (list.items as Node[]).map((node) => ({ start: startOf(node), end: endOf(node) }));
    return removeFlow(text, places, index);
  }
  const before = text.slice(0, startOf(item)).trimEnd();
  if (!before.endsWith("-")) return undefined;
  const from = lineStart(text, before.length - 1);
  if (!isBlank(text.slice(from, before.length - 1))) return undefined;
  return { start: from, end: lineEnd(text, endOf(item)), text: "" };
}

function removeFlow(
  text: string,
  places: ReadonlyArray<{ readonly start: number; readonly end: number }>,
  index: number,
): Edit | undefined {
  const [before, own, after] = [places[index - 1], places[index], places[index + 1]];
  if (own === undefined) return undefined;
  const edit =
    after !== undefined
      ? { start: own.start, end: after.start, text: "" }
      : { start: before?.end ?? own.start, end: own.end, text: "" };
  // A comment between the entries would go, too.
  return text.slice(edit.start, edit.end).includes("#") ? undefined : edit;
}

/** `entry` is `key: value` on one line. Undefined where there is no clean place for it. */
export function addPair(text: string, map: YAMLMap, entry: string): Edit | undefined {
  const pairs = map.items as MapPair[];
  const last = pairs.at(-1);
  if (map.flow === true) {
    const close = (map.range?.[1] ?? 0) - 1;
    if (last === undefined) return { start: close, end: close, text: entry };
    const end = last.value === null || startOf(last.value) === -1 ? endOf(last.key) : endOf(last.value);
    return { start: end, end, text: `, ${entry}` };
  }
  const first = pairs[0];
  if (first === undefined || last === undefined) return undefined;
  const indent = " ".repeat(columnOf(text, first.key));
  const eol = lineEnding(text);
  const at = lineEnd(text, endOf(map));
  const newline = at > 0 && text[at - 1] !== "\n" ? eol : "";
  const body = entry
    .split("\n")
    .map((line) => indent + line)
    .join(eol);
  return { start: at, end: at, text: newline + body + (newline === "" ? eol : "") };
}

export function isPresent(map: YAMLMap, name: string): boolean {
  return (map.items as MapPair[]).some((pair) => keyOf(pair) === name);
}

/** Others may refer to it. */
export function hasAnchor(node: Node | null): boolean {
  if (node === null) return false;
  if ((node as { anchor?: string }).anchor !== undefined) return true;
  if (isMap(node))
    return (node.items as MapPair[]).some(({ key, value }) => hasAnchor(key) || hasAnchor(value));
  return isSeq(node) && (node.items as Node[]).some(hasAnchor);
}

function isBlank(text: string): boolean {
  return /^[ \t]*$/.test(text);
}
