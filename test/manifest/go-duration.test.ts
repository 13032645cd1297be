import { expect, it } from "vitest";
import { goDurationMs, parseGoDuration } from "../../src/manifest/go-duration.ts";

it.each([
  ["0", 0],
  ["60s", 60_000],
  ["1m30s", 90_000],
  ["1h", 3_600_000],
  ["1.5h", 5_400_000],
  ["-2s", -2000],
  ["+2s", 2000],
  ["100ms", 100],
  [".5s", 500],
  ["1.s", 1000],
  ["3\u00b5s", 0.003],
  ["1h1m1s1ms", 3_661_001],
])("reads %j as %d ms", (text, ms) => {
  expect(goDurationMs(text)).toBe(ms);
});

it.each(["", "-", "60", "s", ".s", "1 s", "1d", "1S", "x", "1s2", "9999999h", "1s ".repeat(200)])(
  "refuses %j",
  (text) => {
    expect(parseGoDuration(text)).toBeUndefined();
  },
);
