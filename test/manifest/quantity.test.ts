import { describe, expect, it } from "vitest";
import { cpuMillis, parseQuantity, quantityBytes } from "../../src/manifest/quantity.ts";

describe("parseQuantity", () => {
  it.each([
    ["0", "0"],
    ["1", "1"],
    ["500m", "500m"],
    ["0.5", "500m"],
    ["1000m", "1"],
    ["1500m", "1500m"],
    ["2.5", "2500m"],
    ["1e3", "1e3"],
    ["1E3", "1E3"],
    ["1e9", "1e9"],
    ["12e4", "120e3"],
    ["512Mi", "512Mi"],
    [".5Gi", "512Mi"],
    ["0.5Ki", "512"],
    ["+1Gi", "+1Gi"],
    ["-1", "-1"],
    ["1024Mi", "1Gi"],
    ["1000", "1k"],
    ["1000000", "1M"],
    ["64k", "64k"],
    ["1.5Gi", "1536Mi"],
    ["100n", "100n"],
    ["0.1n", "1n"],
    ["1e-3", "1e-3"],
    ["007", "007"],
    [" 1 ", "1"],
    ["m", "0"],
    [".", "0"],
    ["0Mi", "0"],
    ["9223372036854775807", "9223372036854775807"],
    ["16Ei", "9223372036854775807"],
  ])("reads %j and writes %j", (text, canonical) => {
    expect(parseQuantity(text)).toMatchObject({ canonical });
  });

  it.each([
    ["", "format"],
    ["one", "format"],
    ["512 Mi", "format"],
    ["1.2.3", "format"],
    ["1,5", "format"],
    ["512mi", "suffix"],
    ["64K", "suffix"],
    ["1e", "suffix"],
    ["1i", "suffix"],
    ["1e5000", "suffix"],
    ["9".repeat(200), "format"],
  ])("refuses %j for its %s", (text, fault) => {
    expect(parseQuantity(text)).toBe(fault);
  });
});

describe("cpuMillis and quantityBytes", () => {
  it("round up and take numbers as YAML gives them", () => {
    expect([cpuMillis("500m"), cpuMillis(2), cpuMillis("0.0001"), cpuMillis("x")]).toEqual([
      500,
      2000,
      1,
      undefined,
    ]);
    expect([quantityBytes("512Mi"), quantityBytes("1.5"), quantityBytes("1e3"), quantityBytes("")]).toEqual([
      536_870_912,
      2,
      1000,
      undefined,
    ]);
  });
});
