import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LABELS } from "../../src/resources/objects.ts";
import { settle } from "../support/fake-clock.ts";
import { Cluster, LATEST } from "./cluster.ts";

let cluster = new Cluster();
beforeEach(() => {
  cluster = new Cluster();
});
afterEach(async () => {
  expect(cluster.errors).toEqual([]);
  await cluster.close();
});

describe("a new service", () => {
  it("becomes a Configuration, a Route and a first Revision, and waits for that", async () => {
    await cluster.apply({ labels: { team: "web" }, annotations: { note: "x" } });
    const { store } = cluster;
    const owner = [{ kind: "Service", name: "hello" }];
    const metadata = {
      labels: { team: "web", [LABELS.service]: "hello" },
      annotations: { note: "x" },
      ownerReferences: owner,
    };
    expect(store.get("Configuration", "default", "hello")).toMatchObject({ metadata });
    expect(store.get("Route", "default", "hello")).toMatchObject({ metadata });
    expect(cluster.names).toEqual(["hello-00001"]);
    expect(cluster.condition("Service", "Ready")).toMatch(/^Unknown/);
    expect(cluster.condition("Route", "AllTrafficAssigned")).toBe("Unknown RevisionMissing");
    expect(cluster.traffic()).toEqual([]);
  });

  it("is ready with its first revision, and its status says where it is", async () => {
    await cluster.apply();
    await cluster.ready("hello-00001");
    expect(cluster.service().status).toMatchObject({
      observedGeneration: 1,
      url: "http://hello.default.localhost:8080",
      address: { url: "http://hello.default.svc.cluster.local" },
      latestCreatedRevisionName: "hello-00001",
      latestReadyRevisionName: "hello-00001",
      traffic: [{ latestRevision: true, percent: 100, revisionName: "hello-00001" }],
    });
    const conditions = cluster.service().status?.conditions ?? [];
    expect(conditions.map(({ type, status }) => `${type} ${status}`)).toEqual([
      "ConfigurationsReady True",
      "Ready True",
      "RoutesReady True",
    ]);
  });

  it("passes kubectl's last-applied on to nobody, and rollout-duration to the Route alone", async () => {
    const rollout = { "serving.knative.dev/rollout-duration": "60s" };
    await cluster.apply({
      annotations: { ...rollout, "kubectl.kubernetes.io/last-applied-configuration": "{}", note: "x" },
    });
    const { store } = cluster;
    expect(store.get("Configuration", "default", "hello")?.metadata.annotations).toEqual({ note: "x" });
    expect(store.get("Route", "default", "hello")?.metadata.annotations).toEqual({ note: "x", ...rollout });
  });

  it("has its cluster-local URL where its label says so", async () => {
    await cluster.apply({ labels: { [LABELS.visibility]: "cluster-local" } });
    expect(cluster.service().status?.url).toBe("http://hello.default.svc.cluster.local");
  });
});

describe("a change", () => {
  it("of the template makes -00002, which takes over once it is ready; the old one goes into reserve", async () => {
    await cluster.apply();
    await cluster.ready("hello-00001");
    expect(cluster.routingState("hello-00001")).toBe("active");
    await cluster.apply({ image: "hello:2" });
    expect(cluster.names).toEqual(["hello-00001", "hello-00002"]);
    expect(cluster.traffic()).toEqual(["hello-00001 100"]);
    expect(cluster.condition("Service", "Ready")).toMatch(/^Unknown/);
    expect(cluster.routingState("hello-00002")).toBe("pending");
    await cluster.ready("hello-00002");
    expect(cluster.traffic()).toEqual(["hello-00002 100"]);
    expect(cluster.condition("Service", "Ready")).toBe("True");
    expect(cluster.routingState("hello-00001")).toBe("reserve");
    expect(cluster.routingState("hello-00002")).toBe("active");
  });

  it.each([
    ["the traffic", { traffic: [{ revisionName: "hello-00001", percent: 100, tag: "stable" }] }],
    ["the service's labels", { labels: { team: "other" } }],
    ["the service's annotations", { annotations: { note: "y" } }],
    ["nothing", {}],
  ])("of %s makes no revision", async (_what, change) => {
    await cluster.apply();
    await cluster.ready("hello-00001");
    await cluster.apply(change);
    expect(cluster.names).toEqual(["hello-00001"]);
    expect(cluster.condition("Service", "Ready")).toBe("True");
  });

  it("of an annotation on the template does: a rebuilt image is one", async () => {
    await cluster.apply({ template: { annotations: { "kserve-local.dev/image-id": "sha256:1" } } });
    await cluster.ready("hello-00001");
    await cluster.apply({ template: { annotations: { "kserve-local.dev/image-id": "sha256:2" } } });
    expect(cluster.names).toEqual(["hello-00001", "hello-00002"]);
  });

  it("leaves two services to themselves", async () => {
    await cluster.apply();
    await cluster.apply({ name: "shop" });
    await cluster.ready("hello-00001");
    expect(cluster.condition("Service", "Ready", "hello")).toBe("True");
    expect(cluster.condition("Service", "Ready", "shop")).toMatch(/^Unknown/);
    expect(cluster.traffic("shop")).toEqual([]);
  });
});

describe("deleting", () => {
  it("takes everything along and ends what runs and what is being prepared", async () => {
    await cluster.apply();
    await cluster.ready("hello-00001");
    await cluster.apply({ image: "hello:2" });
    const { signal } = cluster.preparation("hello-00002");
    await cluster.remove();
    for (const kind of ["Configuration", "Route", "Revision"] as const)
      expect(cluster.store.list(kind)).toEqual([]);
    expect(signal.aborted).toBe(true);
    expect(cluster.revisions.runtime("default", "hello-00001")).toBeUndefined();
    cluster.preparation("hello-00002").reject(new Error("aborted"));
    await settle();
    expect(cluster.failed).toEqual([]);
    expect(cluster.revisions.runtimes).toEqual([]);
  });

  it("and coming back under the same name starts afresh", async () => {
    await cluster.apply();
    await cluster.ready("hello-00001");
    await cluster.remove();
    await cluster.apply();
    await cluster.ready("hello-00001");
    expect(cluster.condition("Service", "Ready")).toBe("True");
    expect(cluster.runtimes).toHaveLength(2);
    expect(cluster.revisions.runtime("default", "hello-00001")).toBe(cluster.runtimes[1]);
  });

  it("twice aborts the second preparation too, though the first was slow to end", async () => {
    await cluster.apply();
    const first = cluster.preparation("hello-00001");
    await cluster.remove();
    await cluster.apply();
    const second = cluster.preparation("hello-00001");
    expect(second).not.toBe(first);
    first.reject(new Error("aborted"));
    await settle();
    await cluster.remove();
    expect(second.signal.aborted).toBe(true);
    await cluster.ready("hello-00001");
    expect(cluster.runtimes).toEqual([]);
  });
});

it("settles: once all is done, a reconcile changes nothing", async () => {
  await cluster.apply();
  await cluster.ready("hello-00001");
  let changes = 0;
  cluster.store.watch(() => (changes += 1));
  await cluster.apply({ traffic: LATEST });
  expect(changes).toBe(0);
});
