/** Our verdicts against those of Knative's own admission code. */
import { describe, expect, it } from "vitest";
import { judge, judgeUpdate } from "../../src/manifest/judge.ts";
import {
  ALL_FEATURES,
  compare,
  HAS_REFERENCE,
  readReference,
  readVerdicts,
  type Comparison,
} from "./conformance.ts";

if (!HAS_REFERENCE) console.info("skipped: the reference ../shared/conformance is not here");

function rates(name: string, result: Comparison): string {
  const share = (part: number, whole: number) =>
    whole === 0 ? "none" : `${((100 * part) / whole).toFixed(1)} % (${part}/${whole})`;
  return `${name}: verdicts ${share(result.sameVerdict, result.verdicts)}, fields ${share(result.sameFields, result.named)}, defaulted ${share(result.sameDefaulted, result.defaulted)}`;
}

describe.skipIf(!HAS_REFERENCE)("the reference", () => {
  it.each([
    ["shipped settings", "validation/verdicts.jsonl", {}],
    ["all features enabled", "validation/verdicts-all-features-enabled.jsonl", ALL_FEATURES],
  ])("agrees with %s", (name, file, features) => {
    const result = compare(readVerdicts(file), features);
    console.info(rates(name, result));
    expect(result.differences).toEqual([]);
  });

  it("agrees on updates", () => {
    const verdicts = readVerdicts("validation-update/verdicts.jsonl");
    const differences = verdicts.flatMap((verdict) => {
      const [stored, next] = ["old.yaml", "new.yaml"].map((file) => {
        const text = readReference(`validation-update/${verdict.file}/${file}`);
        return judge([{ file, text }], { profile: "knative" }).documents[0];
      });
      if (stored === undefined || next === undefined) return [`${verdict.file}: no document`];
      const problems = [...next.problems, ...judgeUpdate(stored, next, { profile: "knative" })].filter(
        (problem) => problem.severity === "error",
      );
      const paths = problems.map((problem) => problem.path);
      const same =
        (problems.length === 0) === verdict.valid && JSON.stringify(paths) === JSON.stringify(verdict.fields);
      return same
        ? []
        : [`${verdict.file}: ${JSON.stringify(paths)}, reference ${JSON.stringify(verdict.fields)}`];
    });
    console.info(`updates: ${verdicts.length - differences.length}/${verdicts.length}`);
    expect(differences).toEqual([]);
  });
});
