import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { KserveLocalError } from "../../src/kernel/errors.ts";
import { LABELS } from "../../src/resources/objects.ts";
import { Cluster } from "./cluster.ts";

let cluster = new Cluster();
beforeEach(() => {
  cluster = new Cluster();
});
afterEach(async () => {
  expect(cluster.errors).toEqual([]);
  await cluster.close();
});

const BROKEN = new KserveLocalError("build-failed", { what: "step 3 of 5 failed" });

describe("a revision", () => {
  it("carries its labels, its owner and the template's own metadata", async () => {
    await cluster.apply({ template: { labels: { tier: "front" }, annotations: { a: "b" } } });
    expect(cluster.store.get("Revision", "default", "hello-00001")?.metadata).toMatchObject({
      labels: {
        tier: "front",
        [LABELS.service]: "hello",
        [LABELS.configuration]: "hello",
        [LABELS.configurationGeneration]: "1",
        [LABELS.routingState]: "pending",
      },
      annotations: { a: "b" },
      ownerReferences: [{ kind: "Configuration", name: "hello" }],
    });
  });

  it("pins its image, and tells how far it is", async () => {
    await cluster.apply();
    expect(cluster.condition("Revision", "Ready", "hello-00001")).toBe("Unknown ResolvingDigests");
    await cluster.ready("hello-00001");
    const revision = cluster.store.get("Revision", "default", "hello-00001");
    expect(revision?.status?.containerStatuses).toEqual([
      { name: "user-container", imageDigest: "registry/hello@sha256:hello-00001" },
    ]);
    expect(cluster.condition("Revision", "Ready", "hello-00001")).toBe("True");
    expect(cluster.events.map((event) => event.type)).toEqual(["revision.created", "revision.ready"]);
    expect(cluster.events[0]).toMatchObject({
      image: "hello:1",
      service: "hello",
      reason: "generation 1 of its template",
    });
  });

  it("takes the name it brings, which uses up a number all the same", async () => {
    await cluster.apply({ template: { name: "hello-blue" } });
    await cluster.ready("hello-blue");
    await cluster.apply({ image: "hello:2" });
    expect(cluster.names).toEqual(["hello-blue", "hello-00002"]);
    expect(cluster.service().status?.latestReadyRevisionName).toBe("hello-blue");
  });

  it("never changes an older one whose own name looks generated", async () => {
    await cluster.apply({ template: { name: "hello-00002" } });
    await cluster.ready("hello-00002");
    await cluster.apply({ image: "hello:2" });
    expect(cluster.names).toEqual(["hello-00002", "hello-00003"]);
    expect(cluster.store.get("Revision", "default", "hello-00002")?.spec.containers[0]?.image).toBe(
      "hello:1",
    );
  });

  it("that a newer one overtook before it was ready is not kept by its min-scale", async () => {
    await cluster.apply();
    await cluster.apply({ image: "hello:2" });
    await cluster.ready("hello-00002");
    await cluster.ready("hello-00001");
    const labels = cluster.store.get("Revision", "default", "hello-00001")?.metadata.labels;
    expect(labels?.[LABELS.routingState]).toBe("reserve");
    expect(cluster.service().status?.traffic?.[0]?.revisionName).toBe("hello-00002");
  });

  it("gets a generated name where a rebuild finds its own taken", async () => {
    await cluster.apply({
      template: { name: "hello-blue", annotations: { "kserve-local.dev/image-id": "1" } },
    });
    await cluster.apply({
      template: { name: "hello-blue", annotations: { "kserve-local.dev/image-id": "2" } },
    });
    expect(cluster.names).toEqual(["hello-blue", "hello-00002"]);
    expect(cluster.store.get("Revision", "default", "hello-blue")?.metadata.annotations).toEqual({
      "kserve-local.dev/image-id": "1",
    });
  });
});

describe("a revision that fails", () => {
  it.each([
    ["build-failed", "ResourcesAvailable", "ContainerMissing"],
    ["image-missing", "ResourcesAvailable", "ContainerMissing"],
    ["not-ready", "ResourcesAvailable", "ProgressDeadlineExceeded"],
    ["start-failed", "ContainerHealthy", "ContainerUnhealthy"],
  ] as const)("with %s turns %s False: %s", async (code, type, reason) => {
    await cluster.apply();
    await cluster.fail("hello-00001", new KserveLocalError(code, { what: "so it went" }));
    expect(cluster.condition("Revision", type, "hello-00001")).toBe(`False ${reason}`);
    expect(cluster.condition("Revision", "Ready", "hello-00001")).toBe(`False ${reason}`);
    expect(cluster.condition("Configuration", "Ready")).toBe("False RevisionFailed");
    expect(cluster.condition("Service", "Ready")).toBe("False RevisionFailed");
    expect(cluster.events.at(-1)).toMatchObject({ type: "revision.failed", reason, message: "so it went" });
    expect(cluster.failed).toEqual(["hello-00001"]);
  });

  it("says so on the service, in Knative's words", async () => {
    await cluster.apply();
    await cluster.fail("hello-00001", BROKEN);
    const ready = cluster.service().status?.conditions?.find((condition) => condition.type === "Ready");
    expect(ready?.message).toBe('Revision "hello-00001" failed with message: step 3 of 5 failed');
    expect(cluster.condition("Route", "AllTrafficAssigned")).toBe("False RevisionMissing");
  });

  it("leaves the traffic on the one before, and the next one that is ready takes it", async () => {
    await cluster.apply();
    await cluster.ready("hello-00001");
    await cluster.apply({ image: "hello:2" });
    await cluster.fail("hello-00002", BROKEN);
    expect(cluster.traffic()).toEqual(["hello-00001 100"]);
    expect(cluster.routingState("hello-00001")).toBe("active");
    expect(cluster.service().status).toMatchObject({
      latestCreatedRevisionName: "hello-00002",
      latestReadyRevisionName: "hello-00001",
    });
    await cluster.apply({ image: "hello:3" });
    await cluster.ready("hello-00003");
    expect(cluster.traffic()).toEqual(["hello-00003 100"]);
    expect(cluster.condition("Service", "Ready")).toBe("True");
  });

  it("that was overtaken does not take the traffic when it gets ready late", async () => {
    await cluster.apply();
    await cluster.apply({ image: "hello:2" });
    await cluster.ready("hello-00002");
    await cluster.ready("hello-00001");
    expect(cluster.traffic()).toEqual(["hello-00002 100"]);
    expect(cluster.service().status?.latestReadyRevisionName).toBe("hello-00002");
  });
});
