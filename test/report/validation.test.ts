import { describe, expect, it } from "vitest";
import { createTheme } from "../../src/report/theme.ts";
import { validationJson } from "../../src/report/validation-json.ts";
import { verdict } from "../../src/report/validation-report.ts";
import { validationLines } from "../../src/report/validation-text.ts";
import { DOUBTFUL, GOOD, reportOn, WRONG } from "./validation-rig.ts";

const theme = createTheme(0, {});

function lines(files: Readonly<Record<string, string>>, strict = false): string[] {
  return validationLines(reportOn(files, { strict }), {
    theme,
    cwd: "/work",
    texts: new Map(Object.entries(files)),
  });
}

const last = (all: readonly string[]): string => all.at(-1) ?? "";

describe("the text", () => {
  it("shows the lines, a caret under the place, the fix and the verdict", () => {
    expect(lines({ "a.yaml": WRONG })).toEqual([
      "✘ error  a.yaml:7:21  Unknown field `imag` in spec.template.spec.containers[0].  [unknown-field]",
      "    5 |   template:",
      "    6 |     spec:",
      `  > 7 |       containers: [{imag: "a <b> & 'c'"}]`,
      "      |                     ^",
      "    8 |",
      '  fix  Did you mean "image"?',
      "",
      "✘ 1 file, 1 document: 1 error",
    ]);
  });

  it.each([
    [{ "a.yaml": GOOD }, false, "✔ 1 file, 1 document: valid, 1 notice"],
    [{ "a.yaml": DOUBTFUL }, false, "✔ 1 file, 1 document: valid, 1 warning, 1 notice"],
    [{ "a.yaml": DOUBTFUL }, true, "✘ 1 file, 1 document: 1 error, 1 notice"],
    [
      { "a.yaml": `${WRONG}---\n${DOUBTFUL}`, "b.yaml": GOOD },
      false,
      "✘ 2 files, 3 documents: 1 error, 1 warning, 2 notices",
    ],
    [{ "a.yaml": "" }, false, "✘ 1 file, 1 document: 1 error"],
  ])("sums up %#", (files, strict, expected) => {
    expect(last(lines(files, strict))).toBe(expected);
  });

  it("says what is true of many documents once", () => {
    const all = lines({ "a.yaml": [GOOD, GOOD, GOOD].join("---\n") });
    expect(all.filter((line) => line.includes("notice  "))).toEqual([
      expect.stringContaining("(And 2 times more.)"),
    ]);
  });

  it("takes control sequences out of what the file says", () => {
    const text = WRONG.replace("imag:", '"imag\\e[2J":');
    expect(lines({ "a.yaml": text }).join("\n")).not.toContain(String.fromCharCode(27));
  });

  it("shows a diff of what was fixed", () => {
    const report = {
      ...reportOn({ "a.yaml": GOOD }),
      fixes: [
        {
          file: "a.yaml",
          changes: [{ code: "x", path: "", message: "quoted 1" }],
          diff: "--- a.yaml\n+++ a.yaml\n@@ -1 +1 @@\n-a\n+b\n",
          written: true,
        },
      ],
    };
    const all = validationLines(report, { theme, cwd: "/work", texts: new Map() });
    expect(all.slice(0, 7)).toEqual([
      "✔ fixed a.yaml: quoted 1",
      "--- a.yaml",
      "+++ a.yaml",
      "@@ -1 +1 @@",
      "-a",
      "+b",
      "",
    ]);
  });
});

describe("the JSON", () => {
  it("has exactly the documented fields", () => {
    const parsed = JSON.parse(
      validationJson(reportOn({ "a.yaml": `${GOOD}---\n${WRONG}` }, { showDefaults: true })),
    ) as {
      valid: boolean;
      documents: Array<Record<string, unknown>>;
    };
    expect(Object.keys(parsed)).toEqual(["valid", "documents"]);
    expect(parsed.valid).toBe(false);
    const [good, wrong] = parsed.documents;
    expect(Object.keys(good ?? {})).toEqual([
      "file",
      "index",
      "kind",
      "name",
      "valid",
      "problems",
      "defaulted",
    ]);
    expect(good).toMatchObject({ file: "a.yaml", index: 0, kind: "Service", name: "good", valid: true });
    expect(good?.["defaulted"]).toMatchObject({
      spec: { traffic: [{ latestRevision: true, percent: 100 }] },
    });
    expect(wrong).toEqual({
      file: "a.yaml",
      index: 1,
      kind: "Service",
      name: "wrong",
      valid: false,
      problems: [
        {
          severity: "error",
          code: "unknown-field",
          path: "spec.template.spec.containers[0].imag",
          message: "Unknown field `imag` in spec.template.spec.containers[0].",
          hint: 'Did you mean "image"?',
          line: 12,
          column: 21,
        },
      ],
    });
  });

  it("gives a file that holds no document one that says so", () => {
    const { documents, valid } = reportOn({ "empty.yaml": "", "good.yaml": GOOD });
    expect(valid).toBe(false);
    expect(documents.map(({ file, index, kind, valid: each }) => [file, index, kind, each])).toEqual([
      ["empty.yaml", 0, "", false],
      ["good.yaml", 0, "Service", true],
    ]);
  });

  it("with strict, names warnings errors", () => {
    const report = reportOn({ "a.yaml": DOUBTFUL }, { strict: true });
    expect(report.valid).toBe(false);
    expect(report.documents[0]?.problems.map(({ severity }) => severity)).toEqual(["error", "notice"]);
    expect(verdict(report, report.documents[0]?.problems ?? [])).toBe(
      "1 file, 1 document: 1 error, 1 notice",
    );
  });
});
