import { describe, expect, it } from "vitest";
import { isFault, parseLoadShape } from "../../src/scaling/load-shape.ts";

function segments(text: string): string[] {
  const shape = parseLoadShape(text);
  if (isFault(shape)) throw new Error(`${shape.offset}: ${shape.message}`);
  return shape.segments.map(({ from, to, concurrency, toConcurrency, rps, toRps }) => {
    const [first, last] = shape.unit === "rps" ? [rps, toRps] : [concurrency, toConcurrency];
    return `${from}-${to} ${first}${last === undefined ? "" : `..${last}`}${shape.unit === "rps" ? "rps" : ""}`;
  });
}

describe("a load", () => {
  it.each([
    ["60s:5", ["0-60 5"]],
    ["60:5", ["0-60 5"]],
    ["0-60s:5, 60-75s:200, 10m:0", ["0-60 5", "60-75 200", "75-675 0"]],
    [" 0 - 60s : 5 ,10m: 0,", ["0-60 5", "60-660 0"]],
    ["1-2m:3", ["60-120 3"]],
    ["30s-2m:3", ["30-120 3"]],
    ["1h30m:1", ["0-5400 1"]],
    ["1.5m:0.5", ["0-90 0.5"]],
    ["10s:5..200", ["0-10 5..200"]],
    ["10s:5..5", ["0-10 5"]],
    ["10s:30rps", ["0-10 30rps"]],
    ["10s:rps:30", ["0-10 30rps"]],
    ["10s: rps: 10..30", ["0-10 10..30rps"]],
    ["10s:10..30rps,1m:0", ["0-10 10..30rps", "10-70 0rps"]],
    ["10s:0,10s:1rps", ["0-10 0rps", "10-20 1rps"]],
    // What lies between the segments has no load.
    ["10s:1, 30-40s:2", ["0-10 1", "30-40 2"]],
  ])("%j", (text, expected) => {
    expect(segments(text)).toEqual(expected);
  });

  it("ends where its last segment ends", () => {
    expect(parseLoadShape("30-40s:2, 1m:0")).toMatchObject({ end: 100, unit: "concurrency" });
  });
});

describe("what is no load is refused at its place", () => {
  it.each([
    ["", 0, "a segment is missing"],
    ["60s:5,,60s:1", 6, "a segment is missing"],
    ["60s:5, 60s", 7, '"60s" has no value'],
    ["60s:5, 60x:1", 7, '"60x" is no time'],
    ["60s:5, 70-60s:1", 10, "60s is not after 70"],
    ["0-60s:5, 30-75s:1", 9, "30 is before the end"],
    ["0s:5", 0, "at least a second"],
    ["1.5s:5", 0, "not a whole number of seconds"],
    ["60s:", 4, "is no load"],
    ["60s:five", 4, "is no load"],
    ["60s:-5", 4, "is no load"],
    ["60s:5..x", 7, "is no load"],
    ["60s:5..", 7, "is no load"],
    ["60s:1..2..3", 4, "is no load"],
    ["60s:5000000", 4, "more than 1000000"],
    ["60s:1e3", 4, "is no load"],
    ["60s:rps", 4, "is no load"],
    ["60s:5, 60s:5rps", 11, "use one of them"],
    ["800h:1", 0, "31 days"],
    ["1h:1, 0-9999h:1", 6, "before the end"],
    [":5", 0, "is no time"],
  ])("%j at %i: %s", (text, offset, message) => {
    expect(parseLoadShape(text)).toEqual({ offset, message: expect.stringContaining(message) });
  });
});
