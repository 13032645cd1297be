import { describe, expect, test } from "vitest";
import { parseEnvFile } from "../../src/app/env-file.ts";
import { KserveLocalError } from "../../src/kernel/errors.ts";

const parse = (text: string): Record<string, string> => Object.fromEntries(parseEnvFile(text, "x.env"));

function lineOfRefusal(text: string): number | undefined {
  try {
    parse(text);
  } catch (error) {
    return error instanceof KserveLocalError ? error.at?.line : undefined;
  }
  return undefined;
}

describe("--env-file", () => {
  test.each([
    ["A=1\n\n# note\n  # note\nB=2\n", { A: "1", B: "2" }],
    ["\uFEFFA=1\r\nB=2\r\n", { A: "1", B: "2" }],
    ["PASSWORD=a#b\nC=x # note\nD=#none", { PASSWORD: "a#b", C: "x", D: "" }],
    ["export A = spaced out \nB=", { A: "spaced out", B: "" }],
    [
      `A="two words # kept" # note\nB='$x "y"'\nC="l1\\nl2"\nD='l1\\nl2'`,
      { A: "two words # kept", B: '$x "y"', C: "l1\nl2", D: "l1\\nl2" },
    ],
    [`KEY="-----BEGIN\nmiddle\nEND-----"\nNEXT=1`, { KEY: "-----BEGIN\nmiddle\nEND-----", NEXT: "1" }],
    ["A=b=c\nA=last", { A: "last" }],
  ])("%j", (text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  test.each([
    ["A=1\nC\nD=2", 2],
    ["A=1\n=foo", 2],
    ["9A=1", 1],
    [`A="open\nB=2`, 1],
    [`A="x" y`, 1],
    ["A=1\nPORT=", 2],
    ["K_SERVICE=x", 1],
  ])("%j is refused at line %i", (text, line) => {
    expect(lineOfRefusal(text)).toBe(line);
  });
});
