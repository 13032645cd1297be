import { describe, expect, it } from "vitest";
import {
  buildRouteTable,
  chooseRevision,
  type Destination,
  findDestination,
  type RouteEntry,
} from "../../src/ingress/route-table.ts";

const route = (parts: Partial<RouteEntry> = {}): RouteEntry => ({
  name: "hello",
  namespace: "default",
  traffic: [{ revisionName: "hello-00002", percent: 100 }],
  clusterLocal: false,
  ...parts,
});

/** `service: revision percent, ...` or nothing. */
function at(routes: readonly RouteEntry[], host: string): string | undefined {
  const found = findDestination(buildRouteTable(routes), host);
  return found === undefined
    ? undefined
    : `${found.service}: ${found.targets.map(({ revision, percent }) => `${revision} ${percent}`).join(", ")}`;
}

const HERE = "hello: hello-00002 100";

describe("hosts", () => {
  const two = [
    route(),
    route({ name: "shop", namespace: "prod", traffic: [{ revisionName: "shop-00001", percent: 100 }] }),
  ];

  it.each([
    ["hello.default.localhost", HERE],
    ["hello.default.127.0.0.1.sslip.io", HERE],
    ["hello.default", HERE],
    ["hello.default.svc", HERE],
    ["hello.default.svc.cluster.local", HERE],
    ["hello.default.localhost.", HERE],
    ["hello.default.svc.cluster.local.", HERE],
    ["shop.prod.localhost", "shop: shop-00001 100"],
    ["hello.prod.localhost", undefined],
    ["hello.localhost", undefined],
    ["hello", undefined],
    ["x.hello.default.localhost", undefined],
    ["hello.default.localhost.evil.example", undefined],
    ["localhost", undefined],
    ["127.0.0.1", undefined],
    ["", undefined],
  ])("%j of two services leads to %s", (host, expected) => {
    expect(at(two, host)).toBe(expected);
  });

  it.each(["localhost", "localhost.", "127.0.0.1", "127.1.2.3", "[::1]", "0.0.0.0", ""])(
    "%j reaches the only service there is",
    (host) => {
      expect(at([route()], host)).toBe(HERE);
      expect(at([], host)).toBeUndefined();
    },
  );

  it.each(["10.0.0.7", "example.com", "128.0.0.1", "localhost.example.com", "other.default.localhost"])(
    "%j does not, since it names somebody else",
    (host) => {
      expect(at([route()], host)).toBeUndefined();
    },
  );

  it("of a cluster-local service are the internal ones alone, and they are not advertised", () => {
    const routes = [route({ clusterLocal: true }), route({ name: "shop" })];
    expect(at(routes, "hello.default.svc.cluster.local")).toBe(HERE);
    expect(at(routes, "hello.default.localhost")).toBeUndefined();
    expect(buildRouteTable(routes).hosts).toEqual(["shop.default.localhost"]);
  });
});

describe("tags", () => {
  const traffic = [
    { revisionName: "hello-00002", percent: 90 },
    { revisionName: "hello-00001", percent: 10, tag: "old" },
    { revisionName: "hello-00003", tag: "next" },
    { tag: "pending" },
  ];

  it.each([
    ["hello.default.localhost", "hello: hello-00002 90, hello-00001 10, hello-00003 0"],
    ["old-hello.default.localhost", "hello: hello-00001 100"],
    ["next-hello.default.svc.cluster.local", "hello: hello-00003 100"],
    ["next-hello.default.127.0.0.1.sslip.io", "hello: hello-00003 100"],
    ["pending-hello.default.localhost", undefined],
    ["hello-old.default.localhost", undefined],
  ])("%s leads to %s", (host, expected) => {
    expect(at([route({ traffic })], host)).toBe(expected);
  });

  it("never take the host of another service", () => {
    const named = route({ name: "old-hello", traffic: [{ revisionName: "old-hello-00001", percent: 100 }] });
    for (const routes of [
      [route({ traffic }), named],
      [named, route({ traffic })],
    ])
      expect(at(routes, "old-hello.default.localhost")).toBe("old-hello: old-hello-00001 100");
  });
});

describe("chooseRevision", () => {
  const split = (...percents: number[]): Destination => ({
    service: "hello",
    namespace: "default",
    targets: percents.map((percent, index) => ({ revision: `r${index}`, percent })),
  });

  it.each([
    [[100], 0, "r0"],
    [[100], 0.999_999, "r0"],
    [[90, 10], 0.899, "r0"],
    [[90, 10], 0.9, "r1"],
    [[0, 100], 0, "r1"],
    [[100, 0], 0.999_999, "r0"],
    [[50, 0, 50], 0.5, "r2"],
    [[1, 1], 0.5, "r1"],
  ])("of %j at %d takes %s", (percents, random, revision) => {
    expect(chooseRevision(split(...percents), random)).toBe(revision);
  });

  it("has nothing to choose where nothing has a share", () => {
    expect(chooseRevision(split(), 0.5)).toBeUndefined();
    expect(chooseRevision(split(0, 0), 0.5)).toBeUndefined();
  });

  it("keeps the shares over many requests", () => {
    let seed = 1;
    const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    const counts = new Map<string | undefined, number>();
    for (let n = 0; n < 10_000; n += 1) {
      const revision = chooseRevision(split(70, 25, 5), random());
      counts.set(revision, (counts.get(revision) ?? 0) + 1);
    }
    for (const [revision, share] of [
      ["r0", 7000],
      ["r1", 2500],
      ["r2", 500],
    ] as const)
      expect(Math.abs((counts.get(revision) ?? 0) - share)).toBeLessThan(150);
  });
});
