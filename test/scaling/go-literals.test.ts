import { describe, expect, it } from "vitest";
import { parseBool, parseDurationMs, parseFloat64, parseInt32 } from "../../src/scaling/go-literals.ts";

describe("durations as Go reads them", () => {
  it.each([
    ["60s", 60_000],
    ["1m30s", 90_000],
    ["1.5h", 5_400_000],
    [".5s", 500],
    ["300ms", 300],
    ["-2s", -2000],
    ["0", 0],
    ["60", undefined],
    ["", undefined],
    ["1 s", undefined],
    ["s", undefined],
    ["1d", undefined],
    ["1s2", undefined],
  ])("%j is %j ms", (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms);
  });
});

describe("numbers and truths as Go reads them", () => {
  it("takes whole numbers of 32 bits", () => {
    expect(["7", "+7", "-7", "2147483647"].map(parseInt32)).toEqual([7, 7, -7, 2147483647]);
    expect(["", "1.0", "1e3", " 1", "2147483648"].map(parseInt32)).toEqual(Array(5).fill(undefined));
  });

  it("takes finite decimals", () => {
    expect(["7", ".5", "1e3", "-1.25"].map(parseFloat64)).toEqual([7, 0.5, 1000, -1.25]);
    expect(["", "NaN", "Inf", "1e999", "0x1p3", "1,5"].map(parseFloat64)).toEqual(Array(6).fill(undefined));
  });

  it("takes the spellings of true and false that Go has", () => {
    expect(["1", "t", "True", "0", "F", "false"].map(parseBool)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(["yes", "tRUE", ""].map(parseBool)).toEqual([undefined, undefined, undefined]);
  });
});
