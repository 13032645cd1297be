/**
 * The cluster's memory: versioned objects with watch and owner references, all in this process. It decides nothing;
 * controllers do. Changes are delivered synchronously, in order, after they are visible to `get`.
 */
import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../kernel/clock.ts";
import type { ObjectMeta } from "../manifest/spec.ts";
import type { Kind, ObjectsByKind, OwnerReference, StoredMeta, StoredObject } from "./objects.ts";

export interface StoreChange {
  readonly type: "added" | "modified" | "deleted";
  readonly object: StoredObject;
}

/** An object as somebody wants it; the store adds the rest of the metadata. */
export interface Wanted<K extends Kind> {
  readonly kind: K;
  readonly apiVersion: string;
  readonly metadata: ObjectMeta & { readonly ownerReferences?: readonly OwnerReference[] };
}

type StatusOf<K extends Kind> = ObjectsByKind[K] extends { readonly status?: infer S }
  ? NonNullable<S>
  : never;

export class Store {
  readonly #objects = new Map<string, StoredObject>();
  readonly #watchers = new Set<(change: StoreChange) => void>();
  readonly #clock: Clock;
  #version = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get<K extends Kind>(kind: K, namespace: string, name: string): ObjectsByKind[K] | undefined {
    return this.#objects.get(keyOf(kind, namespace, name)) as ObjectsByKind[K] | undefined;
  }

  /** In order of creation. */
  list<K extends Kind>(kind: K, namespace?: string): ReadonlyArray<ObjectsByKind[K]> {
    return [...this.#objects.values()].filter(
      (object) =>
        object.kind === kind && (namespace === undefined || object.metadata.namespace === namespace),
    ) as unknown as ReadonlyArray<ObjectsByKind[K]>;
  }

  /**
   * Creates the object or brings it to the wanted state, keeping its status. The generation moves only when something
   * other than metadata and status differs; an equal object changes nothing and wakes nobody.
   */
  apply<K extends Kind>(wanted: Wanted<K>): ObjectsByKind[K] {
    const { kind } = wanted;
    const { namespace, name } = wanted.metadata;
    const before = this.get(kind, namespace, name) as StoredObject | undefined;
    if (before === undefined) {
      const metadata: StoredMeta = {
        ...wanted.metadata,
        uid: randomUUID(),
        generation: 1,
        resourceVersion: this.#nextVersion(),
        creationTimestamp: new Date(this.#clock.now()).toISOString(),
      };
      return this.#put("added", { ...wanted, metadata } as unknown as ObjectsByKind[K]);
    }
    const specChanged = !isDeepStrictEqual(contentOf(before), contentOf(wanted));
    const { uid, generation, creationTimestamp, resourceVersion } = before.metadata;
    const stored = { uid, generation, creationTimestamp, resourceVersion };
    if (!specChanged && isDeepStrictEqual({ ...wanted.metadata, ...stored }, { ...before.metadata }))
      return before as unknown as ObjectsByKind[K];
    const status = "status" in before && before.status !== undefined ? { status: before.status } : {};
    const metadata: StoredMeta = {
      ...wanted.metadata,
      ...stored,
      generation: specChanged ? generation + 1 : generation,
      resourceVersion: this.#nextVersion(),
    };
    return this.#put("modified", { ...wanted, metadata, ...status } as unknown as ObjectsByKind[K]);
  }

  /** Merges `update` into the status; equal status changes nothing. Unknown objects are ignored (they were deleted). */
  updateStatus<K extends Kind>(
    kind: K,
    namespace: string,
    name: string,
    update: (status: Partial<StatusOf<K>>) => Partial<StatusOf<K>>,
  ): void {
    const object = this.get(kind, namespace, name) as
      | (StoredObject & { readonly status?: Partial<StatusOf<K>> })
      | undefined;
    if (object === undefined) return;
    const before = object.status ?? {};
    const status = { ...before, ...update(before) };
    if (isDeepStrictEqual(before, status)) return;
    const metadata = { ...object.metadata, resourceVersion: this.#nextVersion() };
    this.#put("modified", { ...object, metadata, status } as unknown as ObjectsByKind[K]);
  }

  /** Sets labels (undefined removes one) without touching anything else. */
  label(kind: Kind, namespace: string, name: string, labels: Readonly<Record<string, string>>): void {
    const object = this.get(kind, namespace, name);
    if (object === undefined) return;
    const merged = { ...object.metadata.labels, ...labels };
    if (isDeepStrictEqual(merged, { ...object.metadata.labels })) return;
    const metadata = { ...object.metadata, labels: merged, resourceVersion: this.#nextVersion() };
    this.#put("modified", { ...object, metadata });
  }

  /** Deletes the object and then, as Kubernetes' garbage collector does, everything it owns. */
  delete(kind: Kind, namespace: string, name: string): void {
    const object = this.get(kind, namespace, name);
    if (object === undefined) return;
    this.#objects.delete(keyOf(kind, namespace, name));
    this.#notify({ type: "deleted", object });
    for (const owned of this.#objects.values()) {
      const isOwned = owned.metadata.ownerReferences?.some(
        (owner) => owner.kind === kind && owner.name === name,
      );
      if (isOwned === true && owned.metadata.namespace === namespace)
        this.delete(owned.kind, namespace, owned.metadata.name);
    }
  }

  /** Returns the function that ends the watch. */
  watch(listener: (change: StoreChange) => void): () => void {
    this.#watchers.add(listener);
    return () => this.#watchers.delete(listener);
  }

  #put<O extends StoredObject>(type: "added" | "modified", object: O): O {
    const frozen = deepFreeze(structuredClone(object));
    const { kind, metadata } = frozen;
    this.#objects.set(keyOf(kind, metadata.namespace, metadata.name), frozen);
    this.#notify({ type, object: frozen });
    return frozen;
  }

  #notify(change: StoreChange): void {
    for (const watcher of this.#watchers) watcher(change);
  }

  #nextVersion(): string {
    this.#version += 1;
    return String(this.#version);
  }
}

function keyOf(kind: Kind, namespace: string, name: string): string {
  return `${kind}/${namespace}/${name}`;
}

function contentOf(object: object): object {
  const {
    metadata: _metadata,
    status: _status,
    ...content
  } = object as { metadata?: unknown; status?: unknown };
  return content;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
