import { describe, expect, it } from "vitest";
import type { TrafficTarget } from "../../src/manifest/spec.ts";
import type { OwnerReference } from "../../src/resources/objects.ts";
import { Store, type StoreChange } from "../../src/resources/store.ts";
import { FakeClock } from "../support/fake-clock.ts";

interface WantedRoute {
  readonly traffic?: readonly TrafficTarget[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly namespace?: string;
  readonly owner?: OwnerReference;
}

function storeWith() {
  const clock = new FakeClock(Date.UTC(2026, 10, 22));
  const store = new Store(clock);
  const changes: string[] = [];
  store.watch(({ type, object }) => changes.push(`${type} ${object.kind} ${object.metadata.name}`));
  const route = (name: string, { traffic = [], labels, namespace = "default", owner }: WantedRoute = {}) => {
    const wanted = {
      apiVersion: "serving.knative.dev/v1",
      kind: "Route" as const,
      metadata: {
        name,
        namespace,
        ...(labels === undefined ? {} : { labels }),
        ...(owner === undefined ? {} : { ownerReferences: [owner] }),
      },
      spec: { traffic },
    };
    return store.apply(wanted);
  };
  return { clock, store, changes, route };
}

const half = [{ revisionName: "a", percent: 50 }];

describe("apply", () => {
  it("creates with generation 1, a uid and the time", () => {
    const { store, route, changes } = storeWith();
    const made = route("hello");
    expect(made.metadata).toMatchObject({ generation: 1, creationTimestamp: "2026-11-22T00:00:00.000Z" });
    expect(made.metadata.uid).not.toBe(route("other").metadata.uid);
    expect(store.get("Route", "default", "hello")).toBe(made);
    expect(changes).toEqual(["added Route hello", "added Route other"]);
  });

  it("changes nothing and wakes nobody where nothing differs", () => {
    const { route, changes } = storeWith();
    const first = route("hello", { traffic: half, labels: { a: "1" } });
    expect(route("hello", { traffic: structuredClone(half), labels: { a: "1" } })).toBe(first);
    expect(changes).toHaveLength(1);
  });

  it("moves the generation with the spec and not with the metadata; the version with both", () => {
    const { clock, route } = storeWith();
    const first = route("hello");
    const labelled = route("hello", { labels: { a: "1" } });
    expect(labelled.metadata.generation).toBe(1);
    expect(labelled.metadata.resourceVersion).not.toBe(first.metadata.resourceVersion);
    clock.advance(1_000).catch(() => undefined);
    const changed = route("hello", { traffic: half });
    expect(changed.metadata).toMatchObject({
      generation: 2,
      uid: first.metadata.uid,
      creationTimestamp: first.metadata.creationTimestamp,
    });
    expect(changed.metadata.labels).toBeUndefined();
  });

  it("keeps the status, and tells it from absent", () => {
    const { store, route } = storeWith();
    route("hello");
    store.updateStatus("Route", "default", "hello", () => ({ url: "http://x" }));
    expect(route("hello", { traffic: half }).status).toEqual({ url: "http://x" });
    expect(route("other")).not.toHaveProperty("status");
  });

  it("gives out frozen copies: nobody changes what is stored", () => {
    const { store, route } = storeWith();
    const traffic = [{ revisionName: "a", percent: 50 }];
    const made = route("hello", { traffic });
    (traffic[0] as { percent: number }).percent = 99;
    expect(store.get("Route", "default", "hello")?.spec.traffic[0]?.percent).toBe(50);
    expect(() => {
      (made.spec.traffic[0] as { percent: number }).percent = 1;
    }).toThrow(TypeError);
  });
});

describe("updateStatus and label", () => {
  it("merge, wake the watchers once, and leave the generation", () => {
    const { store, route, changes } = storeWith();
    route("hello", { labels: { a: "1" } });
    store.updateStatus("Route", "default", "hello", () => ({ url: "u" }));
    store.updateStatus("Route", "default", "hello", (status) => ({ address: { url: `${status.url}!` } }));
    store.updateStatus("Route", "default", "hello", () => ({ url: "u" }));
    store.label("Route", "default", "hello", { b: "2" });
    store.label("Route", "default", "hello", { b: "2" });
    expect(changes.slice(1)).toEqual(Array.from({ length: 3 }, () => "modified Route hello"));
    expect(store.get("Route", "default", "hello")).toMatchObject({
      metadata: { generation: 1, labels: { a: "1", b: "2" } },
      status: { url: "u", address: { url: "u!" } },
    });
  });

  it("do nothing for what is gone", () => {
    const { store, changes } = storeWith();
    store.updateStatus("Route", "default", "no", () => ({ url: "u" }));
    store.label("Route", "default", "no", { a: "1" });
    expect(changes).toEqual([]);
  });
});

describe("list and get", () => {
  it("keep namespaces and kinds apart, in order of creation", () => {
    const { store, route } = storeWith();
    route("b");
    route("a");
    route("a", { namespace: "prod" });
    route("b", { labels: { touched: "late" } });
    expect(store.list("Route", "default").map((object) => object.metadata.name)).toEqual(["b", "a"]);
    expect(store.list("Route")).toHaveLength(3);
    expect(store.list("Service")).toEqual([]);
    expect(store.get("Configuration", "default", "a")).toBeUndefined();
  });
});

describe("delete", () => {
  it("takes along what the object owns, children of children too, and nothing else", () => {
    const { store, route, changes } = storeWith();
    route("top");
    route("child", { owner: { kind: "Route", name: "top" } });
    route("grandchild", { owner: { kind: "Route", name: "child" } });
    route("elsewhere", { owner: { kind: "Route", name: "top" }, namespace: "prod" });
    route("same-name-other-kind", { owner: { kind: "Service", name: "top" } });
    changes.length = 0;
    store.delete("Route", "default", "top");
    expect(changes).toEqual(["deleted Route top", "deleted Route child", "deleted Route grandchild"]);
    expect(store.list("Route").map((object) => object.metadata.name)).toEqual([
      "elsewhere",
      "same-name-other-kind",
    ]);
    store.delete("Route", "default", "top");
    expect(changes).toHaveLength(3);
  });
});

it("delivers changes after they can be read, until the watch ends", () => {
  const { store, route } = storeWith();
  const seen: Array<[StoreChange["type"], boolean]> = [];
  const unwatch = store.watch(({ type, object }) =>
    seen.push([type, store.get("Route", "default", object.metadata.name) === object]),
  );
  route("hello");
  route("hello", { traffic: half });
  store.delete("Route", "default", "hello");
  unwatch();
  route("hello");
  expect(seen).toEqual([
    ["added", true],
    ["modified", true],
    ["deleted", false],
  ]);
});
