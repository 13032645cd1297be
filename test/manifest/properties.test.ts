/** Whatever the input, the judge answers, soon, with places that exist. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judge } from "../../src/manifest/judge.ts";
import { parseGoDuration } from "../../src/manifest/go-duration.ts";
import { imageFault } from "../../src/manifest/image-reference.ts";
import { parseQuantity } from "../../src/manifest/quantity.ts";
import { HAS_REFERENCE, readReference, readVerdicts } from "./conformance.ts";
import { service } from "./manifests.ts";

const RUNS = { numRuns: 150 };
const SAMPLES = HAS_REFERENCE
  ? readVerdicts("validation/verdicts.jsonl")
      .map(({ file }) => readReference(`validation/${file}`))
      .filter((text) => text.length < 5000)
  : [service(), service({ container: "env: [{name: A, value: x}]", after: "traffic: [{percent: 100}]" })];

function answers(text: string | Uint8Array): void {
  for (const profile of ["knative", "gke"] as const) {
    const manifest = judge([{ file: "f", text }], { profile });
    const lines = typeof text === "string" ? text.split("\n").length + 1 : Infinity;
    for (const problem of manifest.problems) {
      expect(problem.line).toBeGreaterThanOrEqual(1);
      expect(problem.line).toBeLessThanOrEqual(lines);
      expect(problem.column).toBeGreaterThanOrEqual(1);
      expect(problem.message).not.toBe("");
    }
    expect(manifest.valid).toBe(manifest.problems.every(({ severity }) => severity !== "error"));
    for (const document of manifest.documents)
      expect(document.object === undefined || document.valid).toBe(true);
  }
}

describe("the judge", () => {
  it("answers any text", () => {
    fc.assert(fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), answers), RUNS);
  });

  it("answers any bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), answers), RUNS);
  });

  it("answers any text of YAML's own characters", () => {
    const unit = fc.constantFrom(..."{}[],:-?&*!|>'\"%@`#~\n\t a1<.".split(""));
    fc.assert(fc.property(fc.string({ unit, maxLength: 80 }), answers), { numRuns: 400 });
  });

  it("answers any JSON value as any part of a Service", () => {
    const places = ["metadata", "spec", "status", "kind"] as const;
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.json(), (place, value) => {
        const base = {
          apiVersion: '"serving.knative.dev/v1"',
          kind: '"Service"',
          metadata: '{"name":"a"}',
          spec: "{}",
          [place]: value,
        };
        answers(
          `{${Object.entries(base)
            .map(([name, text]) => `"${name}":${text}`)
            .join(",")}}`,
        );
      }),
      RUNS,
    );
  });

  it("answers mutations of real manifests", () => {
    const mutation = fc.record({
      sample: fc.nat(SAMPLES.length - 1),
      edits: fc.array(
        fc.record({
          at: fc.nat(3000),
          remove: fc.nat(30),
          insert: fc.oneof(
            fc.constantFrom(
              "\n",
              "- ",
              ": ",
              "[]",
              "{}",
              "null",
              "*a",
              "&a ",
              "<<: ",
              "  ",
              "\t",
              "1e9",
              "yes",
              "---\n",
            ),
            fc.string({ maxLength: 5 }),
          ),
        }),
        { minLength: 1, maxLength: 4 },
      ),
    });
    fc.assert(
      fc.property(mutation, ({ sample, edits }) => {
        let text = SAMPLES[sample] ?? "";
        for (const { at, remove, insert } of edits) {
          const place = at % (text.length + 1);
          text = text.slice(0, place) + insert + text.slice(place + remove);
        }
        answers(text);
      }),
      { numRuns: 400 },
    );
  });

  // Twice the size must not cost four times as much; with this factor in hand, machines that are busy do not matter.
  it.each<[string, (size: number) => string]>([
    ["keys", (size) => service({ container: Array.from({ length: size }, (_, i) => `k${i}: 1`).join("\n") })],
    [
      "variables",
      (size) =>
        service({ container: `env:\n${Array.from({ length: size }, (_, i) => `- name: V${i}`).join("\n")}` }),
    ],
    [
      "volumes",
      (size) =>
        service({ spec: `volumes:\n${Array.from({ length: size }, (_, i) => `- name: v${i}`).join("\n")}` }),
    ],
    [
      "tags",
      (size) =>
        service({ after: `traffic:\n${Array.from({ length: size }, (_, i) => `- tag: t${i}`).join("\n")}` }),
    ],
    [
      "containers of one name",
      (size) => service({ spec: "- {image: app, name: a, env: [{name: PORT}]}\n".repeat(size) }),
    ],
    [
      "sources",
      (size) => service({ container: `envFrom:\n${"- {}\n- {secretRef: {name: a}}\n".repeat(size / 2)}` }),
    ],
    ["brackets", (size) => "[".repeat(size * 10)],
    ["aliases", (size) => `a: &a x\nb:\n${"- *a\n".repeat(size)}`],
  ])("takes time in proportion to the number of %s", (_, make) => {
    const time = (text: string) => {
      const begin = process.cpuUsage();
      judge([{ file: "f", text }], { profile: "knative" });
      const { user, system } = process.cpuUsage(begin);
      return (user + system) / 1000;
    };
    time(make(250));
    const [small, large] = [time(make(500)), time(make(4000))];
    expect(large).toBeLessThan(8 * 4 * Math.max(small, 10));
  });
});

describe("parsers", () => {
  it("never throw", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        parseQuantity(text);
        parseGoDuration(text);
        imageFault(text);
      }),
      { numRuns: 500 },
    );
  });

  it("read back what they write", () => {
    const written = fc
      .tuple(
        fc.integer({ min: -1e6, max: 1e6 }),
        fc.nat(3),
        fc.constantFrom("", "m", "k", "M", "Ki", "Mi", "e3", "u"),
      )
      .map(([whole, decimals, suffix]) => `${(whole / 10 ** decimals).toFixed(decimals)}${suffix}`);
    fc.assert(
      fc.property(written, (text) => {
        const quantity = parseQuantity(text);
        if (typeof quantity === "string") throw new Error(`${text}: ${quantity}`);
        expect(parseQuantity(quantity.canonical)).toMatchObject({ nanos: quantity.nanos });
      }),
      { numRuns: 500 },
    );
  });
});
