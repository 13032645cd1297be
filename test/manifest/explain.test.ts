/** `explain` says what the tables of the validator say, and finds what people mean. */
import { describe, expect, it } from "vitest";
import { ANNOTATIONS, knownAnnotation } from "../../src/manifest/explain-annotations.ts";
import { itemOf, placesOf } from "../../src/manifest/explain-path.ts";
import { type Explanation, explain } from "../../src/manifest/explain.ts";
import { KINDS, SERVICE } from "../../src/manifest/fields/kinds.ts";
import { KNOWN_AUTOSCALING_KEYS } from "../../src/manifest/rules/autoscaling-keys.ts";
import { judgeText, service } from "./manifests.ts";

function explained(query: string, profile: "gke" | "knative" = "knative"): Explanation {
  const result = explain(query, profile);
  if (result.subject === "unknown") throw new Error(result.message);
  return result;
}

function suggested(query: string): readonly string[] {
  const result = explain(query, "knative");
  if (result.subject !== "unknown") throw new Error(`${query} is known`);
  return result.suggestions;
}

describe("a field", () => {
  it("has its type, default, bounds and emulation", () => {
    expect(explained("spec.template.spec.timeoutSeconds")).toEqual({
      subject: "field",
      kind: "Service",
      apiVersion: "serving.knative.dev/v1",
      path: "spec.template.spec.timeoutSeconds",
      type: "integer",
      description: expect.stringContaining("504") as string,
      default: "300",
      bounds: "0 to 600",
      emulation: { level: "emulated" },
      fields: [],
    });
    expect(explained("spec.template.spec.timeoutSeconds", "gke").bounds).toBe("0 to 86400");
  });

  it("has the bounds that the validator keeps", () => {
    for (const profile of ["gke", "knative"] as const) {
      const max = Number(explained("spec.template.spec.timeoutSeconds", profile).bounds?.split(" ").at(-1));
      const valid = (seconds: number): boolean =>
        judgeText(service({ spec: `timeoutSeconds: ${seconds}` }), { profile }).valid;
      expect([valid(max), valid(max + 1)]).toEqual([true, false]);
    }
  });

  it.each([
    ["spec.template.spec.containers[0].env[2].value", "spec.template.spec.containers.env.value", "string"],
    ["spec.template.spec.containers.env[].value", "spec.template.spec.containers.env.value", "string"],
    [".spec.traffic", "spec.traffic", "[]TrafficTarget"],
    ["service.spec.traffic", "spec.traffic", "[]TrafficTarget"],
    ["ksvc.spec.traffic[0].percent", "spec.traffic.percent", "integer"],
    [
      "spec.template.spec.containers.resources.limits",
      "spec.template.spec.containers.resources.limits",
      "map of quantity",
    ],
    [
      "spec.template.spec.containers.resources.limits.cpu",
      "spec.template.spec.containers.resources.limits.cpu",
      "quantity",
    ],
    ["revision.spec.containers.image", "spec.containers.image", "string"],
    ["ConfigMap.data", "data", "map of string"],
  ])("%s is %s <%s>", (query, path, type) => {
    expect(explained(query)).toMatchObject({ path, type });
  });

  it("lists the fields inside, without those that Knative does not take", () => {
    const names = explained("spec.template.spec.containers").fields.map(({ name }) => name);
    expect(names).toContain("image");
    expect(names).not.toContain("lifecycle");
    expect(explained("spec.template.spec.containers.lifecycle").emulation.level).toBe("refused");
  });

  it("names the feature flag, the values, and what does not act, also further down", () => {
    expect(explained("spec.template.spec.nodeSelector").needs).toContain("kubernetes.podspec-nodeselector");
    expect(explained("spec.template.spec.containers.imagePullPolicy").values).toEqual([
      "Always",
      "IfNotPresent",
      "Never",
    ]);
    expect(explained("spec.template.spec.affinity").emulation).toEqual({
      level: "accepted",
      note: expect.any(String) as string,
    });
    expect(explained("spec.template.spec.affinity.nodeAffinity").emulation).toEqual({
      level: "accepted",
      note: expect.stringMatching(/^of affinity: /) as string,
    });
  });
});

describe("an annotation", () => {
  it("has its default, bounds, other spelling and place", () => {
    expect(explained("autoscaling.knative.dev/minScale")).toMatchObject({
      path: "autoscaling.knative.dev/min-scale",
      aliases: ["autoscaling.knative.dev/minScale"],
      goesOn: "spec.template.metadata.annotations",
      default: "0",
    });
    expect(explained("autoscaling.knative.dev/target-burst-capacity").bounds).toBe("0 or more, or -1");
    expect(explained("autoscaling.knative.dev/window").bounds).toBe("6s to 3600s, whole seconds");
  });

  it.each([
    ["spec.template.metadata.annotations.autoscaling.knative.dev/target"],
    ['spec.template.metadata.annotations["autoscaling.knative.dev/target"]'],
    ["spec.template.metadata.annotations[autoscaling.knative.dev/target]"],
  ])("is found as %s", (query) => {
    expect(explained(query).path).toBe("autoscaling.knative.dev/target");
  });

  it("is listed where it belongs", () => {
    const on = (path: string): string[] => explained(path).fields.map(({ name }) => name);
    expect(on("spec.template.metadata.annotations")).toContain("autoscaling.knative.dev/target");
    expect(on("metadata.annotations")).not.toContain("autoscaling.knative.dev/target");
    expect(on("metadata.annotations")).toContain("serving.knative.dev/rollout-duration");
  });

  it("is explained if the validator knows it", () => {
    const unexplained = [...KNOWN_AUTOSCALING_KEYS].filter((key) => knownAnnotation(key) === undefined);
    expect(unexplained).toEqual([]);
    // The validator tells what it knows of networking.knative.dev where it meets something else.
    const text = service({ template: 'annotations: {networking.knative.dev/zzzzzzzz: "1"}' });
    const hint = judgeText(text).problems.find(({ code }) => code === "unknown-annotation")?.hint ?? "";
    const known = hint.match(/networking\.knative\.dev\/[A-Za-z.-]+/g) ?? [];
    expect(known.length).toBeGreaterThan(8);
    expect(known.filter((key) => knownAnnotation(key.replace(/\.$/, "")) === undefined)).toEqual([]);
  });

  it("is accepted by the validator where explain says that it goes", () => {
    const refused = ANNOTATIONS.filter(({ onRevision, keys }) => {
      if (!onRevision) return false;
      const text = service({ template: `annotations: {${keys[0]}: ""}` });
      return judgeText(text).problems.some(
        ({ code }) => code === "misplaced-annotation" || code === "unknown-annotation",
      );
    });
    expect(refused.map(({ keys }) => keys[0])).toEqual([]);
  });
});

describe("what is not there", () => {
  it.each([
    ["spec.template.spec.timeotSeconds", "spec.template.spec.timeoutSeconds"],
    ["timeoutSeconds", "spec.template.spec.timeoutSeconds"],
    ["spec.containers", "spec.template.spec.containers"],
    ["minScale", "autoscaling.knative.dev/min-scale"],
    ["target", "autoscaling.knative.dev/target"],
    ["autoscaling.knative.dev/max-scal", "autoscaling.knative.dev/max-scale"],
    ["revision.spec.container", "revision.spec.containers"],
    ["spec.template.spec.containers.image.name", "spec.template.spec.containers.image"],
  ])("%s: did you mean %s", (query, meant) => {
    expect(suggested(query)[0]).toBe(meant);
  });

  it("has no suggestion for nonsense, and never throws", () => {
    expect(suggested("zzzzqqqq")).toEqual([]);
    for (const query of [
      "[",
      "..",
      "spec[",
      "spec.template.metadata.annotations[",
      "/",
      "\u0000",
      "a".repeat(10_000),
      "__proto__",
      "spec.constructor",
    ])
      expect(() => explain(query, "gke")).not.toThrow();
  });

  it("suggests only what can be explained", () => {
    for (const query of [
      "timeoutSeconds",
      "name",
      "port",
      "spec.template.spec.contaners",
      "dm.spec.re",
      "autoscaling.knative.dev/x",
    ])
      for (const suggestion of suggested(query))
        expect(explain(suggestion, "gke").subject, suggestion).not.toBe("unknown");
  });
});

describe("the tables", () => {
  it("can be explained from end to end, each field with a sentence", () => {
    let fields = 0;
    for (const kind of KINDS) {
      for (const path of placesOf(kind, () => true)) {
        const { description, type } = explained(`${kind.kind}.${path}`);
        expect(description.length, path).toBeGreaterThan(3);
        expect(type).not.toBe("");
        fields++;
      }
    }
    expect(fields).toBeGreaterThan(500);
  });

  it("list the kinds and the fields of a kind", () => {
    expect(explained("").fields.map(({ name }) => name)).toEqual(KINDS.map(({ kind }) => kind));
    expect(explained("Service").fields.map(({ name }) => name)).toEqual([...SERVICE.shape.fields.keys()]);
    expect(itemOf({ kind: "list", of: { kind: "string" } })).toEqual({ kind: "string" });
  });
});
