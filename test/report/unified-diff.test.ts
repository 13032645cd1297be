import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { unifiedDiff } from "../../src/report/unified-diff.ts";

const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}`);
const text = (...lines: string[]): string => lines.map((line) => `${line}\n`).join("");

/** What `patch` does, strictly: every context line must be there. */
function patch(before: string, diff: string): string {
  const old = before.split("\n");
  const out: string[] = [];
  let at = 0;
  for (const line of diff.split("\n").slice(2, -1)) {
    const hunk = /^@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@$/.exec(line);
    if (hunk !== null) {
      const start = Number(hunk[1]) - (hunk[2] === "0" ? 0 : 1);
      out.push(...old.slice(at, start));
      at = start;
    } else if (line.startsWith("+")) out.push(line.slice(1));
    else if (!line.startsWith("\\")) {
      expect(line.slice(1)).toBe(old[at]);
      if (line.startsWith(" ")) out.push(old[at] ?? "");
      at++;
    }
  }
  return [...out, ...old.slice(at)].join("\n");
}

describe("unifiedDiff", () => {
  it("is empty for equal texts", () => {
    expect(unifiedDiff("a\n", "a\n", "x")).toBe("");
  });

  it("shows three lines around a change", () => {
    const before = numbered(1, 9);
    expect(unifiedDiff(text(...before), text(...before.with(4, "five")), "f")).toBe(
      text(
        "--- f",
        "+++ f",
        "@@ -2,7 +2,7 @@",
        " line 2",
        " line 3",
        " line 4",
        "-line 5",
        "+five",
        " line 6",
        " line 7",
        " line 8",
      ),
    );
  });

  it("puts distant changes into hunks of their own, and near ones into one", () => {
    const before = numbered(1, 40);
    const hunks = (diff: string): string[] => diff.split("\n").filter((line) => line.startsWith("@@"));
    expect(hunks(unifiedDiff(text(...before), text(...before.with(4, "x").with(30, "y")), "f"))).toEqual([
      "@@ -2,7 +2,7 @@",
      "@@ -28,7 +28,7 @@",
    ]);
    expect(hunks(unifiedDiff(text(...before), text(...before.with(4, "x").with(10, "y")), "f"))).toHaveLength(
      1,
    );
  });

  it("says where there is no newline at the end", () => {
    expect(unifiedDiff("a\nb", "a\nc\n", "f")).toBe(
      text("--- f", "+++ f", "@@ -1,2 +1,2 @@", " a", "-b", "\\ No newline at end of file", "+c"),
    );
  });

  it("gives back the new text when applied to the old one", () => {
    const lines = fc.array(fc.constantFrom("a", "b", "c", ""), { maxLength: 30 }).map((all) => text(...all));
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        fc.pre(before !== after);
        expect(patch(before, unifiedDiff(before, after, "f"))).toBe(after);
      }),
    );
  });

  it("does not take long over texts that have nothing in common", () => {
    const before = numbered(1, 20_000);
    const diff = unifiedDiff(text(...before), text(...before.map((line) => `${line}!`)), "f");
    expect(diff.split("\n").length).toBe(40_004);
  });
});
