import { array, assert, constantFrom, integer, oneof, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { displayWidth, padTo, truncate, wrap } from "../../src/report/display-width.ts";
import { count, formatBytes, formatDuration } from "../../src/report/figures.ts";
import { ESC, RESET, safeText, SGR } from "../../src/report/safe-text.ts";

const RED = `${ESC}[31m`;

describe("safeText", () => {
  it.each([
    ["plain text stays", "a b\tc é 東京 👍", "a b\tc é 東京 👍"],
    ["cursor movement and clearing go", `a${ESC}[2J${ESC}[10;3Hb${ESC}[?25lc`, "abc"],
    [
      "a title and the clipboard go (OSC, BEL and ST)",
      `a${ESC}]0;title\x07b${ESC}]52;c;Zm9v${ESC}\\c`,
      "abc",
    ],
    ["device strings go", `a${ESC}P1$q m${ESC}\\b${ESC}_x${ESC}\\c`, "abc"],
    ["an unended string takes the rest", `a${ESC}]0;never ended`, "a"],
    ["two-character sequences go", `a${ESC}cb${ESC}(Bc${ESC}7d`, "abcd"],
    ["eight-bit controls go", "a\x9b2Jb\x85c\x9d0;t\x9cd", "abcd"],
    ["bells, backspaces and nulls go", "a\x07b\bc\0d\x7f", "abcd"],
    ["of an overwritten line the last state stays", "10%\r20%\r30%", "30%"],
    ["a carriage return at the end is none", "text\r", "text"],
    ["a sequence cut off at the end goes", `a${ESC}[3`, "a"],
    ["a lone ESC at the end goes", `a${ESC}`, "a"],
  ])("%s", (_name, given, expected) => {
    expect(safeText(given, true)).toBe(expected);
    expect(safeText(given, false)).toBe(expected);
  });

  it("keeps colours only where colours are wanted, and ends them", () => {
    expect(safeText(`${RED}a`, true)).toBe(`${RED}a${RESET}`);
    expect(safeText(`${RED}a`, false)).toBe("a");
    expect(safeText(`a${ESC}[>4;2mb`, true)).toBe("ab");
  });

  it("leaves no control character whatever comes in, colours excepted", () => {
    const controls = constantFrom(
      ESC,
      "\x9b",
      "\x9d",
      "\x90",
      "\x07",
      "\r",
      "\n",
      "[",
      "]",
      "m",
      "2",
      ";",
      "J",
      "\\",
      "x",
    );
    assert(
      property(array(oneof(controls, string()), { maxLength: 30 }), (parts) => {
        const text = parts.join("");
        const controls = (out: string): string[] => out.match(/[^\P{Cc}\t]/gu) ?? [];
        expect(controls(safeText(text, false))).toEqual([]);
        expect(controls(safeText(text, true).replace(SGR, ""))).toEqual([]);
      }),
    );
  });
});

describe("display width", () => {
  it.each([
    ["abc", 3],
    ["", 0],
    ["é", 1],
    ["e\u0301", 1],
    ["東京", 4],
    ["한국", 4],
    ["ｆｕ", 4],
    ["👍🏽", 2],
    ["👨‍👩‍👧", 2],
    ["✔ ▸ │ … ━", 9],
    [`${RED}ab${RESET}`, 2],
    ["\u200b", 0],
  ])("%s: %i", (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  it("cuts to the width, wide characters whole, colours ended", () => {
    expect(truncate("abcdef", 4)).toBe("abc…");
    expect(truncate("abcd", 4)).toBe("abcd");
    expect(truncate("東京都", 4)).toBe("東…");
    expect(truncate(`${RED}abcdef${RESET}`, 4)).toBe(`${RED}abc…${RESET}`);
    expect(truncate("abc", 0)).toBe("");
  });

  it("never makes a text wider than asked", () => {
    assert(
      property(string({ unit: "grapheme" }), integer({ min: 0, max: 20 }), (text, width) => {
        expect(displayWidth(truncate(text, width))).toBeLessThanOrEqual(width);
      }),
    );
  });

  it("pads by cells", () => {
    expect(padTo("東", 4)).toBe("東  ");
    expect(padTo("long", 2)).toBe("long");
  });

  it("breaks between words and leaves long ones whole", () => {
    expect(wrap("one two three", 8)).toEqual(["one two", "three"]);
    expect(wrap("one https://example.com/very/long two", 8)).toEqual([
      "one",
      "https://example.com/very/long",
      "two",
    ]);
    expect(wrap("", 8)).toEqual([""]);
    expect(wrap("a  b", Infinity)).toEqual(["a  b"]);
  });
});

describe("figures", () => {
  it.each([
    [0.2, "<1 ms"],
    [3.4, "3 ms"],
    [412.4, "412 ms"],
    [999.6, "1.0 s"],
    [4300, "4.3 s"],
    [59_960, "1 min"],
    [192_000, "3 min 12 s"],
    [3_600_000, "1 h"],
    [7_500_000, "2 h 5 min"],
  ])("%d ms is %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [34_500_000, "34.5 MB"],
    [120_000_000, "120 MB"],
    [999_900_000, "1.0 GB"],
  ])("%d bytes are %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it("counts", () => {
    expect([0, 1, 2].map((n) => count(n, "request"))).toEqual(["0 requests", "1 request", "2 requests"]);
  });
});
