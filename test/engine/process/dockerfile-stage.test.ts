import { describe, expect, it } from "vitest";
import { readInstructions } from "../../../src/engine/process/dockerfile-instructions.ts";
import { lastStage, type StageConfig } from "../../../src/engine/process/dockerfile-stage.ts";
import { expandWord } from "../../../src/engine/process/dockerfile-words.ts";
import { dockerfiles } from "./dockerfile-cases.ts";

const read = (text: string): StageConfig | undefined => lastStage({ text, file: "Dockerfile" });

describe("lastStage", () => {
  it.each(dockerfiles)("$title", ({ text, config }) => {
    const stage = read(text) as StageConfig;
    const { entrypoint, cmd, env, workingDir, user, exposedPorts } = stage;
    expect({ entrypoint, cmd, env: Object.fromEntries(env), workingDir, user, exposedPorts }).toEqual({
      entrypoint: [],
      cmd: [],
      env: {},
      workingDir: "/",
      user: "",
      exposedPorts: [],
      ...config,
    });
  });

  it("knows the base image in the end", () => {
    expect(read("ARG TAG=22\nFROM node:${TAG}-slim AS a\nFROM --platform=$BUILDPLATFORM a")?.base).toBe(
      "node:22-slim",
    );
  });

  it("gives nothing without FROM", () => {
    expect(read("# nothing\nCMD x")).toBeUndefined();
  });

  it("takes what the base image would set from the caller, without claiming to set it", () => {
    const stage = lastStage({
      text: "FROM scratch\nENV A=$PATH:/x",
      file: "Dockerfile",
      baseEnv: { PATH: "/bin" },
    });
    expect(stage?.env).toEqual([["A", "/bin:/x"]]);
  });

  it.each([
    ['ENV A="${B:?is needed}"', "B: is needed"],
    ["WORKDIR ${B/x/y}", "${B/x/y}: this form of expansion isn't known here"],
  ])("fails for %s, with the line", (line, why) => {
    let failure: unknown;
    try {
      read(`FROM scratch\n\n${line}`);
    } catch (error) {
      failure = error;
    }
    expect(failure).toMatchObject({ code: "build-failed", why, at: { file: "Dockerfile", line: 3 } });
  });
});

describe("readInstructions", () => {
  it("numbers lines, joins continuations over comments and blank lines, and knows the escape directive", () => {
    const text =
      "# escape=`\r\nfrom scratch\r\n\r\n# note\r\nRUN a `  \r\n  # inside\r\n\r\n  b\r\nCMD c\\\r\n";
    expect(readInstructions(text)).toEqual({
      escape: "`",
      instructions: [
        { name: "FROM", rest: "scratch", line: 2 },
        { name: "RUN", rest: "a   b", line: 5 },
        { name: "CMD", rest: "c\\", line: 9 },
      ],
    });
  });

  it("takes a directive only at the top", () => {
    expect(readInstructions("# a comment\n# escape=`\nFROM x").escape).toBe("\\");
  });

  it("skips the bodies of heredocs", () => {
    const text = [
      "FROM x",
      "RUN <<EOF",
      "CMD not this",
      "EOF",
      "COPY <<-'ONE' <<TWO /dir/",
      "CMD nor this",
      "\tONE",
      "CMD nor that",
      "TWO",
      "RUN echo $((1<<2))",
      "CMD <<EOF",
    ];
    expect(readInstructions(text.join("\n")).instructions.map(({ name, line }) => `${line} ${name}`)).toEqual(
      ["1 FROM", "2 RUN", "5 COPY", "10 RUN", "11 CMD"],
    );
  });
});

describe("expandWord", () => {
  const variables: Record<string, string> = { a: "x.tar.gz", empty: "" };
  it.each([
    ["${a#*.}", "tar.gz"],
    ["${a##*.}", "gz"],
    ["${a%.*}", "x.tar"],
    ["${a%%.*}", "x"],
    ["${a%?z}", "x.tar."],
    ["${a%nothing}", "x.tar.gz"],
    ["${empty-set}", ""],
    ["${empty:-unset}", "unset"],
    ["${none-unset}", "unset"],
    ["${none:-${a:+$a}}", "x.tar.gz"],
    ["$", "$"],
    ["a$", "a$"],
    ["$.", "$."],
    ["'open", "open"],
  ])("%s is %s", (word, expected) => {
    expect(expandWord(word, (name) => variables[name], "\\")).toBe(expected);
  });
});
