import { expect, it } from "vitest";
import { sarifLog } from "../../src/report/sarif.ts";
import { DOUBTFUL, reportOn, WRONG } from "./validation-rig.ts";

interface Log {
  readonly version: string;
  readonly runs: ReadonlyArray<{
    readonly tool: {
      readonly driver: { readonly version: string; readonly rules: ReadonlyArray<{ readonly id: string }> };
    };
    readonly results: ReadonlyArray<{
      readonly ruleId: string;
      readonly ruleIndex: number;
      readonly level: string;
      readonly message: { readonly text: string };
      readonly locations: ReadonlyArray<{
        readonly physicalLocation: {
          readonly artifactLocation: Readonly<Record<string, string>>;
          readonly region: unknown;
        };
        readonly logicalLocations?: unknown;
      }>;
    }>;
  }>;
}

function log(files: Readonly<Record<string, string>>): Log["runs"][number] {
  const parsed = JSON.parse(
    sarifLog(reportOn(files), { version: "1.2.3", cwd: "/repo/app", root: "/repo" }),
  ) as Log;
  expect(parsed.version).toBe("2.1.0");
  const [run] = parsed.runs;
  if (run === undefined || parsed.runs.length !== 1) throw new Error("one run");
  return run;
}

it("has a result for each problem, with its rule, level, place and field", () => {
  const { results, tool } = log({ "my file.yaml": `${WRONG}---\n${DOUBTFUL}` });
  expect(tool.driver).toMatchObject({ name: "kserve-local", version: "1.2.3" });
  expect(results.map(({ ruleId, level }) => [ruleId, level])).toEqual([
    ["unknown-field", "error"],
    ["duplicate-key", "warning"],
    ["secure-defaults", "note"],
  ]);
  for (const { ruleId, ruleIndex } of results) expect(tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
  expect(results[0]?.message.text).toContain('Did you mean "image"?');
  expect(results[0]?.locations).toEqual([
    {
      physicalLocation: {
        artifactLocation: { uri: "app/my%20file.yaml", uriBaseId: "%SRCROOT%" },
        region: { startLine: 7, startColumn: 21 },
      },
      logicalLocations: [{ fullyQualifiedName: "spec.template.spec.containers[0].imag" }],
    },
  ]);
});

it("names files outside the root, and standard input", () => {
  const uri = (file: string): unknown =>
    log({ [file]: WRONG }).results[0]?.locations[0]?.physicalLocation.artifactLocation;
  expect(uri("/tmp/a#b.yaml")).toEqual({ uri: "file:///tmp/a%23b.yaml" });
  expect(uri("<stdin>")).toEqual({ uri: "stdin" });
});
