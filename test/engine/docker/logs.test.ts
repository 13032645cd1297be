import { PassThrough } from "node:stream";
import { array, assert, constantFrom, integer, nat, property, tuple, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";
import { demultiplexer, followLogs, LineSplitter } from "../../../src/engine/docker/logs.ts";
import type { LogLine } from "../../../src/engine/engine.ts";

function frame(type: number, content: Buffer | string): Buffer {
  const payload = Buffer.from(content);
  const header = Buffer.alloc(8);
  header[0] = type;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const marks = [0, ...at.map((mark) => mark % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return marks.slice(1).map((end, index) => bytes.subarray(marks[index], end));
}

function split(chunks: readonly Buffer[], longest?: number): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line), longest);
  for (const chunk of chunks) splitter.write(chunk);
  splitter.end();
  return lines;
}

describe("the demultiplexer", () => {
  it("gives each stream its bytes, however the chunks are cut", () => {
    const frames = array(tuple(constantFrom(1, 2), uint8Array({ maxLength: 40 })), {
      maxLength: 20,
    });
    assert(
      property(frames, array(nat()), (parts, cuts) => {
        const out: Record<number, Buffer[]> = { 1: [], 2: [] };
        const feed = demultiplexer(
          (part) => out[1]?.push(Buffer.from(part)),
          (part) => out[2]?.push(Buffer.from(part)),
        );
        cut(Buffer.concat(parts.map(([type, bytes]) => frame(type, Buffer.from(bytes)))), cuts).forEach(feed);
        for (const type of [1, 2]) {
          const expected = parts.filter(([of]) => of === type).map(([, bytes]) => Buffer.from(bytes));
          expect(Buffer.concat(out[type] ?? [])).toEqual(Buffer.concat(expected));
        }
      }),
    );
  });

  it("takes a hundred thousand short frames in one chunk", () => {
    let bytes = 0;
    const feed = demultiplexer(
      (part) => (bytes += part.length),
      () => undefined,
    );
    feed(Buffer.concat(Array.from({ length: 100_000 }, () => frame(1, "x\n"))));
    expect(bytes).toBe(200_000);
  });
});

describe("lines", () => {
  it("are the same however the chunks are cut", () => {
    const text = array(constantFrom("a", "ü", "日", "🎉", "\n", " "), { maxLength: 200 });
    assert(
      property(text, array(nat()), (characters, cuts) => {
        const whole = characters.join("");
        const expected = whole.split("\n");
        if (expected.at(-1) === "") expected.pop();
        expect(split(cut(Buffer.from(whole), cuts))).toEqual(expected);
      }),
    );
  });

  it("that are too long come in pieces that lose nothing and cut no character", () => {
    assert(
      property(integer({ min: 4, max: 40 }), array(nat()), (longest, cuts) => {
        const long = "a日本🎉é".repeat(20);
        const pieces = split(cut(Buffer.from(`${long}\nend`), cuts), longest);
        expect(pieces.at(-1)).toBe("end");
        expect(pieces.slice(0, -1).join("")).toBe(long);
        for (const piece of pieces) {
          expect(piece).not.toContain("\uFFFD");
          expect(Buffer.byteLength(piece)).toBeLessThanOrEqual(longest);
        }
      }),
    );
  });

  it("of bytes that are no text come all the same", () => {
    const pieces = split([Buffer.alloc(100, 0x80)], 16);
    expect(pieces.join("")).toHaveLength(100);
  });

  it("lose the return before their newline, and only that", () => {
    expect(split([Buffer.from("one\r\ntwo\rtwo\r")])).toEqual(["one", "two\rtwo\r"]);
  });
});

describe("following an attach stream", () => {
  it("ends with the last partial lines of both streams, also when it breaks", async () => {
    const stream = new PassThrough();
    const lines: LogLine[] = [];
    const done = followLogs(stream, "web", (line) => lines.push(line));
    stream.write(Buffer.concat([frame(1, "one\nhal"), frame(2, "uh"), frame(1, "f")]));
    await new Promise((resolve) => setImmediate(resolve));
    stream.destroy(new Error("aborted"));
    await done;
    expect(lines).toEqual([
      { container: "web", stream: "stdout", line: "one" },
      { container: "web", stream: "stdout", line: "half" },
      { container: "web", stream: "stderr", line: "uh" },
    ]);
  });
});
