/**
 * From a field path to the place in the file.
 *
 * Paths are those of Knative's messages, which are not always exact: `ports.containerPort` leaves the index out,
 * `traffic.tag[0]` misplaces it, `volumes[0].items[1].key` skips a level, and annotation keys contain dots. So the
 * walk takes the longest key that matches, looks one level deeper when a name is missing, and ends at the nearest
 * existing parent otherwise.
 */
import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, type Scalar, type YAMLMap } from "yaml";

import { resolvePlain } from "./yaml-scalars.ts";

type Target = "key" | "value";

interface Entry {
  readonly key: Node;
  readonly value: Node | null;
}

export class Locator {
  readonly #root: Node | null;
  readonly #anchors = new Map<string, Node>();
  readonly #entries = new Map<YAMLMap, Map<string, Entry>>();
  #anchorsRead = false;

  constructor(root: Node | null) {
    this.#root = root;
  }

  /** Offset of the value at the path if it is a scalar, otherwise of its key; `key` asks for the key always. */
  offset(path: string, target: Target = "value"): number {
    let node = this.#root;
    let place = start(node);
    let rest = path;
    for (let hops = 0; rest !== "" && hops < 64; hops++) {
      const step = this.#step(this.#resolve(node), rest);
      if (step === undefined) break;
      node = step.node;
      rest = step.rest;
      const scalar = isScalar(node) && (node as Node).range != null;
      place =
        step.key !== undefined && (!scalar || (target === "key" && rest === ""))
          ? start(step.key)
          : start(node ?? step.key ?? null);
    }
    return place;
  }

  #step(node: Node | null, rest: string): { node: Node | null; key?: Node; rest: string } | undefined {
    if (isMap(node)) return this.#stepMap(node, rest);
    if (!isSeq(node)) return undefined;
    const index = /^\[(\d+)\]\.?/.exec(rest);
    if (index !== null) return this.#item(node.items, Number(index[1]), rest.slice(index[0].length));
    const misplaced = /^([A-Za-z]+)\[(\d+)\]/.exec(rest);
    if (misplaced !== null) {
      return this.#item(
        node.items,
        Number(misplaced[2]),
        `${misplaced[1]}${rest.slice(misplaced[0].length)}`,
      );
    }
    const name = /^[A-Za-z]+/.exec(rest)?.[0];
    if (name === undefined) return undefined;
    const holder = node.items.slice(0, 100).find((item) => {
      const resolved = this.#resolve(item as Node);
      return isMap(resolved) && this.#index(resolved).has(name);
    });
    const chosen = (holder ?? node.items[0]) as Node | undefined;
    return chosen === undefined ? undefined : { node: chosen, rest };
  }

  #item(
    items: readonly unknown[],
    index: number,
    rest: string,
  ): { node: Node | null; rest: string } | undefined {
    return index < items.length ? { node: (items[index] ?? null) as Node | null, rest } : undefined;
  }

  #stepMap(map: YAMLMap, rest: string): { node: Node | null; key?: Node; rest: string } | undefined {
    const index = this.#index(map);
    const found = longestKey(index, rest);
    if (found !== undefined) return { node: found.entry.value, key: found.entry.key, rest: found.rest };
    // `projected[0]` is projected.sources[0]; `[0]` on a mapping goes to its only list.
    if (rest.startsWith("[")) return this.#onlyList(index, rest);
    for (const entry of [...index.values()].slice(0, 100)) {
      const child = this.#resolve(entry.value);
      if (isMap(child) && longestKey(this.#index(child), rest) !== undefined)
        return { node: child, key: entry.key, rest };
    }
    return undefined;
  }

  #onlyList(
    index: Map<string, Entry>,
    rest: string,
  ): { node: Node | null; key?: Node; rest: string } | undefined {
    const lists = [...index.values()].slice(0, 100).filter((entry) => isSeq(this.#resolve(entry.value)));
    const only = lists[0];
    return lists.length === 1 && only !== undefined ? { node: only.value, key: only.key, rest } : undefined;
  }

  #resolve(node: Node | null): Node | null {
    let current = node;
    for (let hops = 0; isAlias(current) && hops < 16; hops++) current = this.#anchor(current.source);
    return current;
  }

  #anchor(name: string): Node | null {
    if (!this.#anchorsRead) {
      this.#anchorsRead = true;
      this.#readAnchors();
    }
    return this.#anchors.get(name) ?? null;
  }

  #readAnchors(): void {
    const stack: Array<Node | null> = [this.#root];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      if (node === null || isAlias(node)) continue;
      const anchor = (node as { anchor?: string }).anchor;
      if (anchor !== undefined) this.#anchors.set(anchor, node);
      if (isSeq(node)) for (const item of node.items as Node[]) stack.push(item);
      if (isMap(node))
        for (const pair of node.items as Array<Pair<Node, Node | null>>) stack.push(pair.value);
    }
  }

  /** Keys of a mapping, its own and merged ones. The last of two equal keys counts, as for kubectl. */
  #index(map: YAMLMap): Map<string, Entry> {
    const known = this.#entries.get(map);
    if (known !== undefined) return known;
    const index = new Map<string, Entry>();
    this.#entries.set(map, index);
    for (const pair of map.items as Array<Pair<Node, Node | null>>) {
      if (isScalar(pair.key)) index.set(keyText(pair.key), { key: pair.key, value: pair.value ?? null });
    }
    const merge = index.get("<<");
    if (merge === undefined) return index;
    const merged = this.#resolve(merge.value);
    for (const source of isSeq(merged) ? (merged.items as Node[]) : [merged]) {
      const from = this.#resolve(source);
      if (isMap(from))
        for (const [name, entry] of this.#index(from)) if (!index.has(name)) index.set(name, entry);
    }
    return index;
  }
}

/** Tries every end of a segment, longest first, so that keys with dots in them are found. */
function longestKey(index: Map<string, Entry>, rest: string): { entry: Entry; rest: string } | undefined {
  const bracketed = /^\[([^\]]*)\]\.?/.exec(rest);
  const plain = bracketed?.[1];
  const quoted = plain === undefined ? undefined : index.get(plain);
  if (bracketed !== null && quoted !== undefined)
    return { entry: quoted, rest: rest.slice(bracketed[0].length) };
  for (let end = rest.length, tries = 0; end > 0 && tries < 64; end = lastBoundary(rest, end - 1), tries++) {
    const entry = index.get(rest.slice(0, end));
    if (entry !== undefined) return { entry, rest: rest.slice(end).replace(/^\./, "") };
  }
  return undefined;
}

function lastBoundary(text: string, from: number): number {
  for (let at = from; at > 0; at--) if (text[at] === "." || text[at] === "[") return at;
  return 0;
}

/** The name that the field has: `on:` is the field "true". */
function keyText(key: Scalar): string {
  const text = typeof key.value === "string" ? key.value : "";
  const value = key.type === "PLAIN" && text !== "<<" ? resolvePlain(text) : text;
  return typeof value === "object" ? "" : String(value);
}

function start(node: Node | null): number {
  return node?.range?.[0] ?? 0;
}
