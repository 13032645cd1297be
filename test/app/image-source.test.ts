import { describe, expect, it } from "vitest";
import { ambiguousDockerfile, buildSource } from "../../src/app/image-source.ts";
import { judge } from "../../src/manifest/judge.ts";
import type { KnativeService } from "../../src/manifest/spec.ts";
import { serviceYaml } from "../support/service-yaml.ts";

function service(text: string): KnativeService {
  return judge([{ file: "service.yaml", text }], { profile: "gke" }).documents[0]?.object as KnativeService;
}

function buildArgs(annotation: string): Readonly<Record<string, string>> {
  const text = serviceYaml().replace(
    "  template:\n",
    `  template:\n    metadata:\n      annotations:\n        kserve-local.dev/build-args: ${JSON.stringify(annotation)}\n`,
  );
  return buildSource(service(text), { context: "/app", dockerfile: "Dockerfile" }, { noBuild: false })
    .buildArgs;
}

describe("the annotation for build arguments", () => {
  it.each([
    ["", {}],
    ["A=1,B=two words, C=a=b,", { A: "1", B: "two words", C: "a=b" }],
    ["A=1\nB=", { A: "1", B: "" }],
    ['{"A": "1,2", "B": 3, "C": true}', { A: "1,2", B: "3", C: "true" }],
  ])("%j", (annotation, expected) => {
    expect(buildArgs(annotation)).toEqual(expected);
  });

  it.each(["A=1,DEBUG", "=1", '{"A": ', '{"A": {"B": 1}}', '{"A": null}'])("refuses %j", (annotation) => {
    expect(() => buildArgs(annotation)).toThrow(expect.objectContaining({ code: "usage" }));
  });
});

describe("a Dockerfile beside several services", () => {
  const beside = (count: number, flags = {}): string | undefined =>
    ambiguousDockerfile(
      { service: service(serviceYaml()), directory: "/app", unnamedInDirectory: count },
      { noBuild: false, ...flags },
      (file) => file === "/app/Dockerfile",
    );

  it("is named, so that it is not passed over in silence", () => {
    expect(beside(2)).toBe("/app/Dockerfile");
  });

  it("is not, where it is built, or nothing is to be built, or something else", () => {
    expect([beside(1), beside(2, { noBuild: true }), beside(2, { build: "/src" })]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
