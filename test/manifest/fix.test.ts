/** Safe fixes: what is mended, what is left alone, and that everything beside the mended place stays as it is. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FixedSource, fixSources } from "../../src/manifest/fix/fix-text.ts";
import { judge } from "../../src/manifest/judge.ts";
import { HAS_REFERENCE, readReference, readVerdicts } from "./conformance.ts";
import { KNATIVE, service } from "./manifests.ts";

function fix(text: string | Uint8Array): FixedSource {
  const [fixed] = fixSources([{ file: "service.yaml", text }], KNATIVE);
  if (fixed === undefined) throw new Error("no text");
  return fixed;
}

/** Lines that went and lines that came. */
function changed({ before, after }: FixedSource): { out: string[]; in: string[] } {
  const [old, now] = [before.split("\n"), after.split("\n")];
  return { out: old.filter((line) => !now.includes(line)), in: now.filter((line) => !old.includes(line)) };
}

function isValid(text: string): boolean {
  return judge([{ file: "service.yaml", text }], KNATIVE).valid;
}

describe("values", () => {
  it.each([
    ["a number of an annotation", service({ template: "annotations: {a: 1}" }), `{a: "1"}`],
    ["a boolean of a label", service({ meta: "labels:\n  on: yes" }), `on: "yes"`],
    [
      "a variable, its comment kept",
      service({ container: "env:\n- name: A\n  value: 8080 # port" }),
      `value: "8080" # port`,
    ],
    ["octal digits, as they are written", service({ container: "args: [0755]" }), `args: ["0755"]`],
    ["an item of a list", service({ container: "args:\n- --port\n- 80" }), `- "80"`],
    ["a number in quotes", service({ spec: 'timeoutSeconds: "30"' }), "timeoutSeconds: 30"],
    ["a boolean in quotes", service({ spec: "enableServiceLinks: 'false'" }), "enableServiceLinks: false"],
    [
      "a word in the wrong case",
      service({ container: "ports: [{containerPort: 80, protocol: tcp}]" }),
      "protocol: TCP",
    ],
    [
      "a duration without a unit",
      service({ template: `annotations: {autoscaling.knative.dev/window: '60'}` }),
      "'60s'",
    ],
    [
      "a version of the same shape",
      service().replace("dev/v1", "dev/v1beta1"),
      "apiVersion: serving.knative.dev/v1\n",
    ],
  ])("%s", (_name, text, expected) => {
    expect(isValid(text)).toBe(false);
    const fixed = fix(text);
    expect(fixed.after).toContain(expected);
    expect(isValid(fixed.after)).toBe(true);
    expect(changed(fixed).out).toHaveLength(1);
    expect(fixed.changes).toHaveLength(1);
  });
});

describe("names", () => {
  it.each([
    ["containerconcurrency: 1", "containerConcurrency: 1"],
    ["timeoutSecond: 5", "timeoutSeconds: 5"],
    ['"timeoutsecods": 5', '"timeoutSeconds": 5'],
  ])("%s becomes %s", (written, meant) => {
    expect(changed(fix(service({ spec: written })))).toEqual({
      out: [`      ${written}`],
      in: [`      ${meant}`],
    });
  });

  it.each([
    ["nothing is near", service({ spec: "replicas: 3" })],
    ["it is there already", service({ spec: "timeoutSecond: 5\ntimeoutSeconds: 6" })],
    ["the value is of another sort", service({ container: "imag: [a]" })],
    [
      "two are near",
      service({ container: "env: [{name: A, valu: x, valueFro: {}}]" }).replace("valu: x, ", "valuFrm: {}, "),
    ],
    ["Kubernetes has it and Knative does not take it", service({ container: "lifecycle: {}" })],
  ])("is left alone where %s", (_name, text) => {
    expect(isValid(text)).toBe(false);
    const { before, after } = fix(text);
    expect(after.includes("timeoutSecond: 5") || !before.includes("timeoutSecond: 5")).toBe(true);
    expect(isValid(after)).toBe(false);
  });
});

describe("reserved variables", () => {
  it("go, and nothing else does", () => {
    const text = service({
      container:
        "env:\n# before\n- name: A\n  value: x\n- name: PORT # mine\n  value: '1'\n# after\n- {name: B, value: w}",
    });
    const fixed = fix(text);
    expect(changed(fixed).out).toEqual(["        - name: PORT # mine", "          value: '1'"]);
    expect(changed(fixed).in).toEqual([]);
    expect(isValid(fixed.after)).toBe(true);
  });

  it.each([
    ["the only one takes env along", "env:\n- name: PORT\n  value: '1'\nargs: [a]", "        args: [a]"],
    [
      "in a flow list, the first",
      "env: [{name: PORT, value: a}, {name: B, value: b}]",
      "env: [{name: B, value: b}]",
    ],
    [
      "in a flow list, the last",
      "env: [{name: B, value: b}, {name: K_SERVICE}]",
      "env: [{name: B, value: b}]",
    ],
    [
      "several",
      "env:\n- name: K_SERVICE\n- name: K_REVISION\n- name: C\n- name: PORT\n",
      "        env:\n        - name: C\n",
    ],
  ])("%s", (_name, container, expected) => {
    const { after } = fix(service({ container }));
    expect(after).toContain(expected);
    expect(after).not.toMatch(/PORT|K_/);
    expect(isValid(after)).toBe(true);
  });

  it("before the image, where env begins the entry, it leaves an empty list", () => {
    const text = service().replace(
      "- image: registry.local/app",
      "- env:\n        - name: PORT\n        image: registry.local/app",
    );
    expect(fix(text).after).toContain("- env: []\n        image: registry.local/app");
  });

  it("with an anchor that others may use, it stays", () => {
    const text = service({ container: "env:\n- &port\n  name: PORT\n  value: x" });
    expect(fix(text).after).toBe(text);
  });
});

describe("autoscaling annotations of the Service", () => {
  const misplaced =
    'annotations:\n  autoscaling.knative.dev/min-scale: "1" # warm\n  team: blue\n  autoscaling.knative.dev/max-scale: 3';
  it.each([
    [
      "no metadata",
      {},
      '    metadata:\n      annotations:\n        autoscaling.knative.dev/min-scale: "1" # warm\n',
    ],
    [
      "labels only",
      { template: "labels:\n  a: b" },
      '        a: b\n      annotations:\n        autoscaling.knative.dev/min-scale: "1" # warm\n',
    ],
    [
      "annotations",
      { template: "annotations:\n  x: w" },
      '        x: w\n        autoscaling.knative.dev/min-scale: "1" # warm\n',
    ],
    [
      "annotations in braces",
      { template: "annotations: {x: w}" },
      '{x: w, autoscaling.knative.dev/min-scale: "1"',
    ],
    ["empty annotations", { template: "annotations: {}" }, '{autoscaling.knative.dev/min-scale: "1"'],
  ])("go to a template with %s", (_name, parts, expected) => {
    const { after } = fix(service({ meta: misplaced, ...parts }));
    expect(after).toContain(expected);
    expect(after).toContain("  annotations:\n    team: blue\nspec:");
    expect(isValid(after)).toBe(true);
    expect(judge([{ file: "s", text: after }], KNATIVE).documents[0]?.object).toMatchObject({
      spec: {
        template: {
          metadata: {
            annotations: {
              "autoscaling.knative.dev/min-scale": "1",
              "autoscaling.knative.dev/max-scale": "3",
            },
          },
        },
      },
    });
  });

  it("stay where the template says something else", () => {
    const text = service({
      meta: 'annotations: {autoscaling.knative.dev/min-scale: "1"}',
      template: 'annotations: {autoscaling.knative.dev/min-scale: "2"}',
    });
    expect(fix(text).after).toBe(text);
  });
});

describe("a file", () => {
  it("keeps its byte order mark, its line ends, and the end without a newline", () => {
    const text = `\ufeff${service({ container: "env:\n- name: A\n  value: 1" })}`
      .trimEnd()
      .replaceAll("\n", "\r\n");
    const { before, after } = fix(new TextEncoder().encode(text));
    expect(before).toBe(text);
    expect(after).toBe(text.replace("value: 1", 'value: "1"'));
  });

  it("is mended in every document and in the items of a List", () => {
    const one = service({ spec: 'timeoutSeconds: "30"' });
    expect(fix(`${one}---\n# second\n${one}`).after).toBe(
      `${one}---\n# second\n${one}`.replaceAll('"30"', "30"),
    );
    const items = one
      .split("\n")
      .map((line) => `  ${line}`)
      .join("\n")
      .replace("  apiVersion", "- apiVersion");
    const list = `apiVersion: v1\nkind: List\nitems:\n${items}`;
    const [fixed] = fixSources([{ file: "l", text: list }], { profile: "gke" });
    expect(fixed?.after).toBe(list.replace('"30"', "30"));
  });

  it("that is JSON stays JSON", () => {
    const text = JSON.stringify({
      apiVersion: "serving.knative.dev/v1",
      kind: "Service",
      metadata: { name: "a", annotations: { "autoscaling.knative.dev/min-scale": "1" } },
      spec: {
        template: {
          spec: { containers: [{ image: "a/b", env: [{ name: "PORT" }, { name: "A", value: 1 }] }] },
        },
      },
    });
    const { after } = fix(text);
    expect(JSON.parse(after)).toMatchObject({
      metadata: { name: "a" },
      spec: {
        template: {
          metadata: { annotations: { "autoscaling.knative.dev/min-scale": "1" } },
          spec: { containers: [{ env: [{ name: "A", value: "1" }] }] },
        },
      },
    });
    expect(isValid(after)).toBe(true);
  });

  it.each([
    ["no YAML", "a: [1\nb"],
    ["no text", new Uint8Array([0xff, 0xfe, 0])],
    ["nothing", ""],
  ])("that is %s is left alone", (_name, text) => {
    for (const { before, after } of fixSources([{ file: "x", text }], KNATIVE)) expect(after).toBe(before);
  });

  it("never changes what is valid, never breaks what is not, and comes to rest", () => {
    const word = fc.constantFrom(
      "a",
      "1",
      "yes",
      '"2"',
      "PORT",
      "[",
      "{x: 1}",
      "*a",
      "&a b",
      "# c",
      "'",
      "~",
      "tcp",
      "60",
    );
    const line = fc.record({
      indent: fc.constantFrom(0, 2, 4, 6, 8),
      dash: fc.boolean(),
      key: fc.constantFrom(
        "env",
        "name",
        "value",
        "image",
        "timeoutSecond",
        "annotations",
        "spec",
        "labels",
        "args",
      ),
      value: fc.option(word, { nil: "" }),
    });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        const extra = lines.map(
          ({ indent, dash, key, value }) => `${" ".repeat(indent)}${dash ? "- " : ""}${key}: ${value ?? ""}`,
        );
        const text = service({ container: extra.join("\n") });
        const { after, changes } = fix(text);
        if (isValid(text))
          expect(
            changes.filter(({ code }) => code !== "duplicate-key" && code !== "unknown-annotation"),
          ).toEqual([]);
        expect(fix(after).after).toBe(after);
        const syntax = (source: string) =>
          judge([{ file: "s", text: source }], KNATIVE).problems.filter(({ code }) => code.startsWith("yaml"))
            .length;
        expect(syntax(after)).toBeLessThanOrEqual(syntax(text));
      }),
      { numRuns: 300 },
    );
  });
});

describe.skipIf(!HAS_REFERENCE)("the documents of the reference", () => {
  it("are mended without an exception; what was accepted stays accepted", () => {
    const verdicts = readVerdicts("validation/verdicts.jsonl");
    let mended = 0;
    for (const file of new Set(verdicts.map((verdict) => verdict.file))) {
      const text = readReference(`validation/${file}`);
      const [fixed] = fixSources([{ file, text }], KNATIVE);
      if (fixed === undefined || fixed.after === fixed.before) continue;
      if (isValid(text)) expect(isValid(fixed.after), file).toBe(true);
      else if (isValid(fixed.after)) mended++;
    }
    console.info(`fix: makes ${mended} of the reference's files valid`);
    expect(mended).toBeGreaterThan(30);
  });
});
