import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { KserveLocalError } from "../../src/kernel/errors.ts";
import { LABELS } from "../../src/resources/objects.ts";
import { Cluster } from "./cluster.ts";

let cluster = new Cluster();
beforeEach(async () => {
  cluster = new Cluster();
  await cluster.apply();
  await cluster.ready("hello-00001");
});
afterEach(async () => {
  expect(cluster.errors).toEqual([]);
  await cluster.close();
});

describe("traffic", () => {
  it("is split between revisions, tags with hosts of their own", async () => {
    await cluster.apply({
      image: "hello:2",
      traffic: [
        { latestRevision: true, percent: 90 },
        { revisionName: "hello-00001", percent: 10, tag: "old" },
      ],
    });
    await cluster.ready("hello-00002");
    expect(cluster.store.get("Route", "default", "hello")?.status?.traffic).toEqual([
      { latestRevision: true, percent: 90, revisionName: "hello-00002" },
      {
        latestRevision: false,
        percent: 10,
        revisionName: "hello-00001",
        tag: "old",
        url: "http://old-hello.default.localhost:8080",
      },
    ]);
    expect(cluster.routingState("hello-00001")).toBe("active");
    expect(cluster.condition("Service", "Ready")).toBe("True");
  });

  it("stays where it is while a target is not there, and says so", async () => {
    await cluster.apply({
      traffic: [
        { latestRevision: true, percent: 50 },
        { revisionName: "hello-00009", percent: 50 },
      ],
    });
    expect(cluster.traffic()).toEqual(["hello-00001 100"]);
    expect(cluster.condition("Route", "AllTrafficAssigned")).toBe("False RevisionMissing");
    expect(cluster.condition("Service", "Ready")).toBe("False RevisionMissing");
  });

  it("stays where it is while a target is not ready yet, and moves once it is", async () => {
    await cluster.apply({ image: "hello:2", traffic: [{ revisionName: "hello-00002", percent: 100 }] });
    expect(cluster.traffic()).toEqual(["hello-00001 100"]);
    expect(cluster.condition("Route", "AllTrafficAssigned")).toBe("Unknown RevisionMissing");
    await cluster.ready("hello-00002");
    expect(cluster.traffic()).toEqual(["hello-00002 100"]);
    expect(cluster.condition("Route", "Ready")).toBe("True");
  });

  it("stays where it is when a target has failed", async () => {
    await cluster.apply({ image: "hello:2", traffic: [{ revisionName: "hello-00002", percent: 100 }] });
    await cluster.fail("hello-00002", new KserveLocalError("not-ready", { what: "no" }));
    expect(cluster.traffic()).toEqual(["hello-00001 100"]);
    expect(cluster.condition("Route", "AllTrafficAssigned")).toBe("False RevisionMissing");
  });

  it("can go back to a revision in reserve, which is active again", async () => {
    await cluster.apply({ image: "hello:2" });
    await cluster.ready("hello-00002");
    expect(cluster.routingState("hello-00001")).toBe("reserve");
    await cluster.apply({ image: "hello:2", traffic: [{ revisionName: "hello-00001", percent: 100 }] });
    expect(cluster.traffic()).toEqual(["hello-00001 100"]);
    expect([cluster.routingState("hello-00001"), cluster.routingState("hello-00002")]).toEqual([
      "active",
      "reserve",
    ]);
  });

  it("counts a revision that only a tag names as routed", async () => {
    await cluster.apply({
      image: "hello:2",
      traffic: [
        { latestRevision: true, percent: 100 },
        { revisionName: "hello-00001", tag: "old" },
      ],
    });
    await cluster.ready("hello-00002");
    expect(cluster.traffic()).toEqual(["hello-00002 100", "old: hello-00001 0"]);
    expect(cluster.routingState("hello-00001")).toBe("active");
  });
});

it("gives the tags of a cluster-local service internal URLs as well", async () => {
  await cluster.apply({
    labels: { [LABELS.visibility]: "cluster-local" },
    traffic: [{ revisionName: "hello-00001", percent: 100, tag: "stable" }],
  });
  expect(cluster.service().status).toMatchObject({
    url: "http://hello.default.svc.cluster.local",
    traffic: [{ url: "http://stable-hello.default.svc.cluster.local" }],
  });
});

it("is told to the revision's runtime: one in reserve is unreachable", async () => {
  const [runtime] = cluster.runtimes;
  const told: boolean[] = [];
  if (runtime !== undefined) runtime.setReachable = (reachable) => void told.push(reachable);
  await cluster.apply({ image: "hello:2" });
  await cluster.ready("hello-00002");
  expect(told.at(-1)).toBe(false);
  await cluster.apply({ image: "hello:2", traffic: [{ revisionName: "hello-00001", percent: 100 }] });
  expect(told.at(-1)).toBe(true);
});
