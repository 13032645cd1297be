import { expect, it } from "vitest";
import { githubLines, repositoryPath } from "../../src/report/github.ts";
import { GOOD, reportOn, WRONG } from "./validation-rig.ts";

it("writes a command for each problem, and the verdict", () => {
  expect(githubLines(reportOn({ "deploy/a.yaml": WRONG, "b.yaml": GOOD }), "/repo/app", "/repo")).toEqual([
    '::error title=unknown-field,file=app/deploy/a.yaml,line=7,col=21::Unknown field `imag` in spec.template.spec.containers[0].%0ADid you mean "image"?',
    expect.stringMatching(/^::notice title=secure-defaults,file=app\/b\.yaml,line=4,col=\d+::/) as string,
    "2 files, 2 documents: 1 error, 1 notice",
  ]);
});

it("escapes what would end a property or a line", () => {
  const report = reportOn({ "50%, a:b\n.yaml": WRONG.replace("imag:", '"im%ag\\n::error::x":') });
  const [line = "", ...more] = githubLines(report, "/repo", "/repo");
  expect(line).toContain("file=50%25%2C a%3Ab%0A.yaml,");
  expect(line).toContain("im%25ag");
  expect(more).toHaveLength(1);
});

it("names no file for standard input, and none outside the repository as if it were inside", () => {
  expect(githubLines(reportOn({ "<stdin>": WRONG }), "/repo", "/repo")[0]).toMatch(
    /^::error title=unknown-field,line=7/,
  );
  expect(repositoryPath("../elsewhere/a.yaml", "/repo", "/repo")).toBe("/elsewhere/a.yaml");
});
