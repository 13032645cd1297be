import { describe, expect, test } from "vitest";
import { matchesExpected, readmeCommands } from "./readme.ts";

describe("readmeCommands", () => {
  test("takes commands and their output from sh blocks only", () => {
    const markdown = [
      "# x",
      "```sh",
      "$ one",
      "$ two",
      "a",
      "",
      "b",
      "```",
      "```yaml",
      "$ three",
      "```",
      "$ four",
    ].join("\n");
    expect(readmeCommands(markdown)).toEqual([
      { command: "one", expected: [], line: 3 },
      { command: "two", expected: ["a", "", "b"], line: 4 },
    ]);
  });

  test("refuses a sh block without a command", () => {
    expect(() => readmeCommands("```sh\nkserve-local up\n```\n")).toThrow("line 2");
  });
});

describe("matchesExpected", () => {
  test.each([
    ["Hello\n", ["Hello"], true],
    ["Hello", ["Hello"], true],
    ["Hello\nagain\n", ["Hello"], false],
    ["", ["Hello"], false],
    ["took 12 ms\n", ["took … ms"], true],
    ["took 12 s\n", ["took … ms"], false],
    ["a.b\n", ["a.b"], true],
    ["axb\n", ["a.b"], false],
  ])("%j against %j: %s", (output, expected, verdict) => {
    expect(matchesExpected(output, expected)).toBe(verdict);
  });
});
