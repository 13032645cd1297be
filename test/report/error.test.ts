import { describe, expect, it } from "vitest";
import { KserveLocalError } from "../../src/kernel/errors.ts";
import { errorLines, problemOfError, problemOfManifest } from "../../src/report/error.ts";
import { createTheme } from "../../src/report/theme.ts";
import { ESC } from "../../src/report/safe-text.ts";

const ERROR = new KserveLocalError("build-failed", {
  what: "the build of hello failed at `RUN npm test`",
  why: "expected 2 to be 3\n    at test.js:4:1",
  fix: "mend the code",
  at: { file: "/app/Dockerfile", line: 7, column: 1 },
});
const FRAME = ["  6 | COPY . .", "> 7 | RUN npm test", "    | ^^^"];

describe("an error", () => {
  it("is printed with what, where, the lines, why and fix", () => {
    expect(errorLines(ERROR, createTheme(0, {}), "/app", FRAME)).toEqual([
      "✘ error  Dockerfile:7:1  the build of hello failed at `RUN npm test`  [build-failed]",
      "    6 | COPY . .",
      "  > 7 | RUN npm test",
      "      | ^^^",
      "  why  expected 2 to be 3",
      "           at test.js:4:1",
      "  fix  mend the code",
    ]);
  });

  it("has the same words in colour", () => {
    const lines = errorLines(ERROR, createTheme(2, {}), "/elsewhere", FRAME);
    const bare = lines.map((line) => line.replaceAll(new RegExp(`${ESC}\\[[0-9;]*m`, "g"), ""));
    expect(lines[0]).toContain(`${ESC}[31m`);
    expect(bare[0]).toContain("/app/Dockerfile:7:1");
    expect(bare.slice(1)).toEqual(errorLines(ERROR, createTheme(0, {}), "/app", FRAME).slice(1));
  });

  it("is an event of type problem", () => {
    expect(problemOfError(ERROR, FRAME)).toEqual({
      type: "problem",
      severity: "error",
      code: "build-failed",
      message: ERROR.message,
      why: ERROR.why,
      hint: "mend the code",
      file: "/app/Dockerfile",
      line: 7,
      column: 1,
      frame: FRAME,
    });
    expect(problemOfError(new KserveLocalError("usage", { what: "no" }))).toEqual({
      type: "problem",
      severity: "error",
      code: "usage",
      message: "no",
    });
  });

  it("of the manifest keeps its place and gets its lines", () => {
    const found = {
      severity: "warning",
      code: "unknown-field",
      file: "/app/service.yaml",
      document: 1,
      path: "spec.x",
      message: "unknown",
      line: 3,
      column: 5,
    } as const;
    const { document: _document, ...rest } = found;
    expect(problemOfManifest(found, FRAME)).toEqual({ type: "problem", ...rest, frame: FRAME });
    expect(problemOfManifest(found)).not.toHaveProperty("frame");
  });

  it("that is not ours is a bug, with its stack", () => {
    const bug = problemOfError(new TypeError("x is undefined"));
    expect(bug).toMatchObject({ code: "internal", message: "x is undefined" });
    expect(bug.why).toContain("error.test.ts");
    expect(problemOfError("thrown text")).toMatchObject({ code: "internal", message: "thrown text" });
  });

  it("cannot move the cursor with what it cites", () => {
    const lines = errorLines(
      new KserveLocalError("usage", { what: `a${ESC}[2Jb`, why: `c${ESC}]0;t\x07d` }),
      createTheme(0, {}),
      "/",
    );
    expect(lines).toEqual(["✘ error  ab  [usage]", "  why  cd"]);
  });
});
