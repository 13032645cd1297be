/** The scanners of the raw engine: how bytes are cut into pieces on the way changes nothing, and nothing throws. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ChunkedReader, LengthReader, OpenReader, type Piece } from "../../../src/proxy/raw/body-reader.ts";
import { ChunkScanner } from "../../../src/proxy/raw/chunk-scanner.ts";
import { HeadCollector } from "../../../src/proxy/raw/head-collector.ts";
import { readRequestHead } from "../../../src/proxy/raw/request-head.ts";
import { readResponseHead } from "../../../src/proxy/raw/response-head.ts";

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
const textOf = (pieces: readonly Piece[]): string =>
  pieces.map((piece) => (typeof piece === "string" ? piece : piece.toString("latin1"))).join("");

/** Cuts `all` at these places. */
function cut(all: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (all.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...at]
    .map((start, i) => all.subarray(start, at[i] ?? all.length))
    .filter((piece) => piece.length > 0);
}

/** What a reader makes of pieces: the text passed on, how many bytes were the body's, or that it is malformed. */
function readAll(
  reader: ChunkedReader | LengthReader,
  pieces: readonly Buffer[],
): { out: string; used: number } | "malformed" {
  const out: Piece[] = [];
  let used = 0;
  for (const piece of pieces) {
    if (reader.done) break;
    const end = reader.read(piece, 0, out);
    if (end < 0) return "malformed";
    used += end;
  }
  return { out: textOf(out), used };
}

const chunk = fc.record({
  data: fc.string({ unit: fc.constantFrom("a", "\r", "\n", "0", "\0"), minLength: 1, maxLength: 40 }),
  zeros: fc.constantFrom("", "", "0", "000"),
  extension: fc.constantFrom("", "", ";a", ";a=b", ';a="b\\";\r"'.replace("\r", " "), ";a;b=c"),
});
const chunked = fc.record({
  chunks: fc.array(chunk, { maxLength: 6 }),
  trailers: fc.constantFrom("", "", "X-T: 1\r\n"),
});
type Chunked = typeof chunked extends fc.Arbitrary<infer T> ? T : never;

function encoded({ chunks, trailers }: Chunked): Buffer {
  const all = chunks.map(
    ({ data, zeros, extension }) => `${zeros}${data.length.toString(16)}${extension}\r\n${data}\r\n`,
  );
  return bytes(`${all.join("")}0\r\n${trailers}\r\n`);
}

const places = fc.array(fc.nat(), { maxLength: 8 });
const reader = (asChunks: boolean): ChunkedReader =>
  new ChunkedReader({ chunked: asChunks, trailerLimit: 1000 });

describe("chunked bodies", () => {
  test("cut anywhere: the same data, the end in the same place, and every piece passed on ends with a chunk", () => {
    fc.assert(
      fc.property(chunked, places, (body, at) => {
        const message = encoded(body);
        const data = body.chunks.map((one) => one.data).join("");
        const pieces = cut(Buffer.concat([message, bytes("GET /next")]), at);
        expect(readAll(reader(false), pieces)).toEqual({ out: data, used: message.length });
        const again = readAll(reader(true), pieces);
        if (again === "malformed") throw new Error("refused");
        const plain = readAll(reader(false), [bytes(again.out)]);
        expect(plain).toEqual({ out: data, used: again.out.length });
        expect(again.out).not.toContain(";a");
        expect(again.out.endsWith(body.trailers === "" ? "0\r\n\r\n" : "0\r\nX-T: 1\r\n\r\n")).toBe(true);
      }),
    );
  });

  test("what has been passed on after each piece is whole chunks", () => {
    fc.assert(
      fc.property(chunked, places, (body, at) => {
        const one = reader(true);
        const out: Piece[] = [];
        for (const piece of cut(encoded(body), at)) {
          one.read(piece, 0, out);
          if (one.done) break;
          const check = new ChunkScanner(1000);
          const so = bytes(textOf(out));
          expect(check.scan(so, 0)).toBe(so.length);
          expect(so.length === 0 || check.plain).toBe(true);
        }
      }),
    );
  });

  test("plain chunks are passed on as the very bytes that came", () => {
    const message = bytes("5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n");
    const out: Piece[] = [];
    reader(true).read(message, 0, out);
    expect(out).toEqual([message]);
    expect(out[0]).toBe(message);
  });

  test.each([
    ["a size of 2^53", "20000000000000\r\n"],
    ["33 digits", `${"0".repeat(33)}1\r\n`],
    ["no digit", "\r\n"],
    ["a space behind the size", "1 \r\na\r\n"],
    ["a space in an extension", "1; a\r\na\r\n"],
    ["an extension without a name", "1;\r\na\r\n"],
    ["a second extension without a name", "1;a;=b\r\na\r\n"],
    ["a byte behind a quoted extension", '1;a="b"c\r\na\r\n'],
    ["a control character in a quoted extension", '1;a="\x01"\r\na\r\n'],
    ["17 KiB of extensions", `1;${"a".repeat(17 * 1024)}\r\na\r\n`],
    ["a bare CR behind data", "1\r\na\rb"],
    ["trailers beyond the limit", `0\r\nX: ${"x".repeat(2000)}\r\n\r\n`],
    ["a folded trailer", "0\r\nX: 1\r\n 2\r\n\r\n"],
    ["a length in the trailers", "0\r\nContent-Length: 1\r\n\r\n"],
    ["a coding in the trailers", "0\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ])("%s is malformed, whole and byte by byte", (_name, text) => {
    expect(readAll(reader(true), [bytes(text)])).toBe("malformed");
    expect(
      readAll(
        reader(true),
        text.split("").map((character) => bytes(character)),
      ),
    ).toBe("malformed");
  });

  test("any bytes at all, cut anywhere: no throw, and the same verdict", () => {
    const noise = fc.string({
      unit: fc.constantFrom("0", "1", "f", "\r", "\n", ";", '"', "=", "a", ":", " ", "\0", "\xff"),
      maxLength: 60,
    });
    fc.assert(
      fc.property(noise, places, (text, at) => {
        const whole = readAll(
          reader(false),
          [bytes(text)].filter((piece) => piece.length > 0),
        );
        expect(readAll(reader(false), cut(bytes(text), at))).toEqual(whole);
      }),
      { numRuns: 500 },
    );
  });
});

test("a body of known length ends where it says", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 60 }), fc.nat(20), places, (data, more, at) => {
      const all = Buffer.concat([data, Buffer.alloc(more, "n")]);
      expect(readAll(new LengthReader(data.length), cut(all, at))).toEqual({
        out: Buffer.from(data).toString("latin1"),
        used: data.length,
      });
    }),
  );
});

test("a body of open length is framed for whom it goes to", () => {
  const out: Piece[] = [];
  new OpenReader({ chunked: true }).read(bytes("xhello"), 1, out);
  new OpenReader({ chunked: false }).read(bytes("hello"), 0, out);
  expect(textOf(out)).toBe("5\r\nhello\r\nhello");
});

describe("heads", () => {
  const head = fc
    .array(
      fc.tuple(
        fc.constantFrom("A", "X-Long-Name"),
        fc.string({ unit: fc.constantFrom("a", " ", ":", "\t", "\xe9"), maxLength: 3000 }),
      ),
      { maxLength: 4 },
    )
    .map(
      (fields) =>
        `GET /x HTTP/1.1\r\nHost: a\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join("")}`,
    );

  test("cut anywhere: the same head, and the same bytes behind it", () => {
    fc.assert(
      fc.property(head, places, (text, at) => {
        const collector = new HeadCollector(64 * 1024);
        const pieces = cut(bytes(`${text}\r\nREST OF IT`), at);
        let behind = "";
        let whole = false;
        for (const piece of pieces) {
          if (whole) behind += piece.toString("latin1");
          else if (collector.take(piece) === "whole") {
            whole = true;
            behind = collector.rest?.toString("latin1") ?? "";
          }
        }
        expect([whole, collector.text, behind]).toEqual([true, text, "REST OF IT"]);
      }),
    );
  });

  test("the limit holds, whole and in pieces, and what is under it passes", () => {
    for (const [size, expected] of [
      [990, "whole"],
      [1100, "too-large"],
    ] as const) {
      const text = bytes(`GET / HTTP/1.1\r\nX: ${"x".repeat(size - 19)}\r\n\r\n`);
      expect(new HeadCollector(1000).take(text)).toBe(expected);
      const collector = new HeadCollector(1000);
      let last: string = "more";
      for (let i = 0; i < text.length && last === "more"; i += 1)
        last = collector.take(text.subarray(i, i + 1));
      expect(last).toBe(expected);
    }
  });

  test("any text at all: no throw; what is read holds no control character", () => {
    const noise = fc.string({
      unit: fc.constantFrom(
        "GET ",
        "/",
        " HTTP/1.1",
        "HTTP/1.1 200 OK",
        "\r\n",
        "\r",
        "\n",
        ":",
        " ",
        "Host: a\r\n",
        "\0",
        "x",
        "\xff",
      ),
      maxLength: 20,
    });
    fc.assert(
      fc.property(noise, (text) => {
        for (const parsed of [readRequestHead(text), readResponseHead(text)]) {
          for (const part of parsed?.rawHeaders ?? []) expect(part).toMatch(/^[\t\x20-\x7e\x80-\xff]*$/);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
