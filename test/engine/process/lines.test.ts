import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LineSplitter, LONGEST_LINE_BYTES } from "../../../src/engine/process/lines.ts";

function split(chunks: readonly Buffer[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end();
  return lines;
}

describe("LineSplitter", () => {
  it.each<[string, string[], string[]]>([
    ["nothing", [], []],
    ["one line in pieces", ["a", "b\n"], ["ab"]],
    ["empty lines", ["\n\na\n"], ["", "", "a"]],
    ["a last line without newline", ["a\nb"], ["a", "b"]],
    ["CRLF, also when cut between", ["a\r", "\nb\r\n"], ["a", "b"]],
    ["a carriage return inside", ["a\rb\n"], ["a\rb"]],
  ])("%s", (_title, chunks, expected) => {
    expect(split(chunks.map((chunk) => Buffer.from(chunk)))).toEqual(expected);
  });

  it("gives the same lines however the bytes are cut", () => {
    const text = fc.array(fc.constantFrom("a", "é", "語", "🎉", "\n", "\r\n"), { maxLength: 60 });
    fc.assert(
      fc.property(text, fc.infiniteStream(fc.integer({ min: 1, max: 7 })), (parts, sizes) => {
        const bytes = Buffer.from(parts.join(""));
        const chunks: Buffer[] = [];
        for (let at = 0; at < bytes.length;) {
          const size = sizes.next().value ?? 1;
          chunks.push(bytes.subarray(at, at + size));
          at += size;
        }
        expect(split(chunks)).toEqual(split([bytes]));
        const expected = parts.join("").split(/\r?\n/);
        if (expected.at(-1) === "") expected.pop();
        expect(split([bytes])).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it("cuts long lines in pieces of at most 16 KiB, characters whole, and keeps none of it back", () => {
    const long = `x${"🎉".repeat(20_000)}`;
    const lines = split([Buffer.from(`${long}\nend\n`)]);
    expect(lines.at(-1)).toBe("end");
    const pieces = lines.slice(0, -1);
    expect(pieces.join("")).toBe(long);
    const sizes = pieces.map((piece) => Buffer.byteLength(piece));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(LONGEST_LINE_BYTES);
    expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThan(LONGEST_LINE_BYTES - 4);
  });

  it("doesn't stumble over bytes that are no text", () => {
    const junk = Buffer.alloc(40_000, 0x80);
    expect(split([junk]).join("")).toBe("\uFFFD".repeat(40_000));
  });

  it("a line of exactly the limit stays whole", () => {
    const line = "x".repeat(LONGEST_LINE_BYTES);
    expect(split([Buffer.from(`${line}\n`)])).toEqual([line]);
  });
});
