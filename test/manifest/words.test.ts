/** Names, suggestions, code frames. */
import { describe, expect, it } from "vitest";
import { codeFrame } from "../../src/manifest/code-frame.ts";
import {
  asDnsLabel,
  dns1035Label,
  dns1123Label,
  dns1123Subdomain,
  labelValue,
  qualifiedName,
} from "../../src/manifest/names.ts";
import { didYouMean, nearest } from "../../src/manifest/suggest.ts";

describe("names", () => {
  it.each([
    [dns1035Label, "hello-1", true],
    [dns1035Label, "1hello", false],
    [dns1035Label, "hello-", false],
    [dns1035Label, "a".repeat(64), false],
    [dns1123Label, "1hello", true],
    [dns1123Label, "a.b", false],
    [dns1123Subdomain, "a.b-c.d", true],
    [dns1123Subdomain, "a..b", false],
    [qualifiedName, "example.com/My.Name_1", true],
    [qualifiedName, "a/b/c", false],
    [qualifiedName, "/a", false],
    [qualifiedName, "a b", false],
    [qualifiedName, `example.com/${"n".repeat(64)}`, false],
    [labelValue, "", true],
    [labelValue, "-x", false],
  ])("%o takes %j: %s", (check, name, valid) => {
    expect(check(name) === undefined).toBe(valid);
  });

  it("suggests a label", () => {
    expect([asDnsLabel("My_App"), asDnsLabel("1-2"), asDnsLabel("a".repeat(70)).length]).toEqual([
      "my-app",
      "",
      63,
    ]);
  });
});

describe("did you mean", () => {
  it.each([
    ["trafic", ["template", "traffic"], "traffic"],
    ["containerconcurrency", ["containerConcurrency"], "containerConcurrency"],
    ["port", ["name", "ports"], "ports"],
    ["timeout", ["timeoutSeconds", "idleTimeoutSeconds"], "timeoutSeconds"],
    ["name", ["secretName", "items"], "secretName"],
    ["imgae", ["image"], "image"],
    ["replicas", ["template", "traffic"], undefined],
    ["", ["a"], undefined],
    ["x".repeat(100), ["x"], undefined],
  ])("for %j of %j: %j", (written, candidates, wanted) => {
    expect(nearest(written, candidates)).toBe(wanted);
  });

  it("is a sentence", () => {
    expect(didYouMean("cpuu", ["cpu"])).toBe('Did you mean "cpu"?');
  });
});

describe("codeFrame", () => {
  it("marks the line and the column", () => {
    expect(codeFrame("a: 1\nb:\n  c: x\nd: 2\ne: 3\nf: 4", { line: 3, column: 6 })).toEqual([
      "  1 | a: 1",
      "  2 | b:",
      "> 3 |   c: x",
      "    |      ^",
      "  4 | d: 2",
      "  5 | e: 3",
    ]);
  });

  it("keeps the caret in sight on long lines, takes tabs and CRLF, and is empty beyond the text", () => {
    const [line = "", caret = ""] = codeFrame(`k: ${"x".repeat(500)}!`, { line: 1, column: 504 });
    expect(line[caret.indexOf("^")]).toBe("!");
    expect(codeFrame("\ta\r\nb", { line: 1, column: 2 })).toEqual(["> 1 |  a", "    |  ^", "  2 | b"]);
    expect(codeFrame("a", { line: 9, column: 1 })).toEqual([]);
  });
});
