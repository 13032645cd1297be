/** The JSON Schema against the reference: what Knative accepts passes, and most of what has a wrong shape does not. */
import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { KINDS } from "../../src/manifest/fields/kinds.ts";
import { type Raw, isRawList, isRawObject } from "../../src/manifest/raw.ts";
import { manifestSchema } from "../../src/manifest/schema.ts";
import { readSource } from "../../src/manifest/source-documents.ts";
import { HAS_REFERENCE, readReference, readVerdicts, type Verdict } from "./conformance.ts";
import { service } from "./manifests.ts";

const FILE = new URL("../../schema/service.json", import.meta.url);

/** Strict: a keyword that means nothing is an error. */
function validator(profile: "gke" | "knative") {
  const ajv = new Ajv({ strict: true, allowUnionTypes: true, strictRequired: false });
  return ajv.compile(manifestSchema(profile));
}

const valid = { gke: validator("gke"), knative: validator("knative") };

/** As an editor hands it over. */
function documentsOf(text: string): unknown[] {
  return readSource({ file: "x.yaml", text }).documents.flatMap(({ value }) =>
    value === undefined ? [] : [plain(value)],
  );
}

function plain(raw: Raw): unknown {
  if (isRawList(raw)) return raw.map(plain);
  if (isRawObject(raw)) return Object.fromEntries([...raw].map(([key, value]) => [key, plain(value)]));
  return typeof raw === "bigint" ? Number(raw) : raw;
}

function passes(text: string, profile: "gke" | "knative" = "knative"): boolean {
  const documents = documentsOf(text);
  if (documents.length === 0) throw new Error("no document");
  return documents.every((document) => valid[profile](document));
}

describe("the schema", () => {
  it("is the file of the package; `npx kserve-local schema > schema/service.json` writes it", () => {
    expect(readFileSync(FILE, "utf8")).toBe(`${JSON.stringify(manifestSchema("gke"), undefined, 2)}\n`);
  });

  it.each<[name: string, text: string, expected: boolean]>([
    ["a plain service", service(), true],
    ["a service with everything empty", service({ container: "env:\nports: []\nresources: {}" }), true],
    [
      "an autoscaling annotation",
      service({ template: 'annotations: {autoscaling.knative.dev/target: "10"}' }),
      true,
    ],
    [
      "an annotation that is a number",
      service({ template: "annotations: {autoscaling.knative.dev/target: 10}" }),
      false,
    ],
    ["a slip in a name", service({ spec: "timeoutSecond: 10" }), false],
    ["a slip in metadata", service({ meta: "lables: {}" }), false],
    ["a number as a string", service({ spec: 'timeoutSeconds: "10"' }), false],
    ["a mapping where a list belongs", service({ container: "env: {name: A}" }), false],
    ["an environment variable that is a number", service({ container: "env: [{name: A, value: 1}]" }), false],
    ["a field that Knative does not take", service({ container: "lifecycle: {}" }), false],
    ["a bad unit", service({ container: "resources: {limits: {memory: 512mb}}" }), false],
    ["a port name that means nothing", service({ container: "ports: [{name: grpc}]" }), false],
    ["a field behind a feature flag", service({ spec: "nodeSelector: {disk: ssd}" }), true],
    ["documents of others", "apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\nextra: 1\n", true],
    ["no kind", "apiVersion: v1\n", false],
    [
      "a Secret whose entry is a number",
      "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\nstringData: {A: 1}\n",
      false,
    ],
  ])("%s", (_name, text, expected) => {
    expect(passes(text)).toBe(expected);
  });

  it("has the bounds of the profile", () => {
    const long = service({ spec: "timeoutSeconds: 3600" });
    expect([passes(long, "gke"), passes(long, "knative")]).toEqual([true, false]);
  });

  it("describes every field and every annotation, for hovering", () => {
    const definitions = manifestSchema("gke")["definitions"] as Record<
      string,
      { properties?: Record<string, { description?: string }> }
    >;
    const bare = Object.entries(definitions).flatMap(([name, { properties = {} }]) =>
      Object.entries(properties)
        .filter(([, { description = "" }]) => description === "")
        .map(([field]) => `${name}.${field}`),
    );
    expect(bare).toEqual([]);
    expect(Object.keys(definitions["RevisionMeta"]?.properties?.["annotations"] ?? {})).toContain(
      "properties",
    );
  });
});

const OURS = new Set(KINDS.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`));

/** With the document that each verdict is about. */
function cases(file: string): Array<{ verdict: Verdict; document: unknown }> {
  const seen = new Map<string, number>();
  return readVerdicts(file).flatMap((verdict) => {
    const index = seen.get(verdict.file) ?? 0;
    seen.set(verdict.file, index + 1);
    const document = documentsOf(readReference(`validation/${verdict.file}`))[index];
    const { apiVersion, kind } = (document ?? {}) as { apiVersion?: string; kind?: string };
    return OURS.has(`${apiVersion ?? ""} ${kind ?? ""}`) ? [{ verdict, document }] : [];
  });
}

describe.skipIf(!HAS_REFERENCE)("the reference and the schema", () => {
  it.each([["validation/verdicts.jsonl"], ["validation/verdicts-all-features-enabled.jsonl"]])(
    "everything that is accepted passes: %s",
    (file) => {
      const accepted = cases(file).filter(({ verdict }) => verdict.valid);
      const refused = accepted
        .filter(({ document }) => !valid.knative(document))
        .map(({ verdict, document }) => {
          valid.knative(document);
          const places = valid.knative.errors?.map(
            ({ instancePath, message }) => `${instancePath} ${message ?? ""}`,
          );
          return `${verdict.file}: ${places?.join(", ") ?? ""}`;
        });
      expect(accepted.length).toBeGreaterThan(150);
      expect(refused).toEqual([]);
    },
  );

  it("most of what is refused for its shape does not", () => {
    const shape = cases("validation/verdicts.jsonl").filter(
      ({ verdict: { valid: accepted, stage } }) =>
        !accepted && ["strict-decoding", "mutating-webhook", "apiserver-decode"].includes(stage),
    );
    const passing = shape.filter(({ document }) => valid.knative(document));
    const rate = (shape.length - passing.length) / shape.length;
    console.info(
      `schema: refuses ${shape.length - passing.length} of ${shape.length} documents of a wrong shape`,
    );
    expect(shape.length).toBeGreaterThan(60);
    expect(rate).toBeGreaterThan(0.97);
  });
});
