/**
 * Messages whose end two hops could see in different places. Each is refused with the connection closed, or reaches the
 * app as exactly one request with one meaning; a second request hidden in it never does. A plain node server says what
 * is refused at the least.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RawClient } from "../support/raw-http.ts";
import { engines, type Rig, rigWith } from "./rig.ts";

describe.each(engines)("$kind engine", (engine) => {
  const Rig = rigWith(engine);

  const HIDDEN = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
  const post = (fields: string, body: string): string => `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n${body}`;

  /** Status lines of what comes back until the connection ends; a last request makes a kept-alive one end. */
  async function statuses(port: number, bytes: string): Promise<number[]> {
    await using client = await RawClient.open(port);
    client.send(`${bytes}GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    const text = await client.ended();
    return [...text.matchAll(/HTTP\/1\.1 (\d{3}) [^\r]*\r\n/g)].map((match) => Number(match[1]));
  }

  interface Seen {
    readonly path: string | undefined;
    readonly body: string;
    readonly length: string | undefined;
    readonly coding: string | undefined;
  }

  let seen: Seen[] = [];
  let rig: Rig;
  const plain = createServer((request, response) => {
    request.resume();
    request.on("end", () => response.end());
  });

  beforeAll(async () => {
    rig = await Rig.start({
      app: (server) => {
        // Or node drops the fields past the 2,000th before this app sees them.
        server.maxHeadersCount = 0;
        server.on("request", (request: IncomingMessage, response: ServerResponse) => {
          let body = "";
          request.on("data", (chunk: Buffer) => {
            body += chunk.toString("latin1");
          });
          request.on("end", () => {
            const { "content-length": length, "transfer-encoding": coding } = request.headers;
            seen.push({ path: request.url, body, length, coding });
            response.end();
          });
        });
      },
    });
    await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
  });

  afterAll(async () => {
    await rig[Symbol.asyncDispose]();
    await new Promise((resolve) => plain.close(resolve));
  });

  const CHUNKED = "Transfer-Encoding: chunked\r\n";

  test.each<[string, string, number]>([
    [
      "Content-Length and Transfer-Encoding",
      post(`Content-Length: 6\r\n${CHUNKED}`, `0\r\n\r\n${HIDDEN}`),
      400,
    ],
    [
      "Transfer-Encoding and Content-Length",
      post(`${CHUNKED}Content-Length: 6\r\n`, `0\r\n\r\n${HIDDEN}`),
      400,
    ],
    ["two different lengths", post("Content-Length: 0\r\nContent-Length: 44\r\n", HIDDEN), 400],
    ["two equal lengths", post("Content-Length: 2\r\nContent-Length: 2\r\n", "hi"), 400],
    ["a list of lengths", post("Content-Length: 0, 44\r\n", HIDDEN), 400],
    ["a negative length", post("Content-Length: -1\r\n", HIDDEN), 400],
    ["a length with a sign", post("Content-Length: +5\r\n", `hello${HIDDEN}`), 400],
    ["a hexadecimal length", post("Content-Length: 0x5\r\n", `hello${HIDDEN}`), 400],
    ["an empty length", post("Content-Length:\r\n", HIDDEN), 400],
    ["a length over 64 bits", post("Content-Length: 18446744073709551617\r\n", `h${HIDDEN}`), 400],
    ["an unknown coding", post("Transfer-Encoding: xchunked\r\n", `0\r\n\r\n${HIDDEN}`), 501],
    ["a coding before chunked", post("Transfer-Encoding: gzip, chunked\r\n", `0\r\n\r\n${HIDDEN}`), 501],
    ["chunked not last", post("Transfer-Encoding: chunked, identity\r\n", `0\r\n\r\n${HIDDEN}`), 400],
    ["identity", post("Transfer-Encoding: identity\r\n", HIDDEN), 501],
    ["chunked twice in a list", post("Transfer-Encoding: chunked, chunked\r\n", `0\r\n\r\n${HIDDEN}`), 400],
    ["chunked twice in two fields", post(CHUNKED + CHUNKED, `0\r\n\r\n${HIDDEN}`), 400],
    ["chunked in quotes", post('Transfer-Encoding: "chunked"\r\n', `0\r\n\r\n${HIDDEN}`), 501],
    ["a vertical tab before chunked", post("Transfer-Encoding: \x0bchunked\r\n", `0\r\n\r\n${HIDDEN}`), 400],
    ["a coding on a folded line", post("Transfer-Encoding:\r\n chunked\r\n", `0\r\n\r\n${HIDDEN}`), 400],
    ["obs-fold", post("X-A: 1\r\n folded\r\n", ""), 400],
    ["a space before the colon", post("Transfer-Encoding : chunked\r\n", `0\r\n\r\n${HIDDEN}`), 400],
    ["a space before the first field's name", `GET / HTTP/1.1\r\n Host: a\r\n\r\n`, 400],
    ["a field without a colon", post("X-A\r\n", ""), 400],
    ["an empty field name", post(": x\r\n", ""), 400],
    ["a bare LF after a field", `POST / HTTP/1.1\r\nHost: a\nContent-Length: 0\r\n\r\n${HIDDEN}`, 400],
    ["bare LFs only", `GET / HTTP/1.1\nHost: a\n\n${HIDDEN}`, 400],
    ["a bare CR in a value", post("X-A: 1\rTransfer-Encoding: chunked\r\n", ""), 400],
    ["NUL in a value", post("X-A: a\0b\r\n", ""), 400],
    ["NUL in a name", post("X\0A: b\r\n", ""), 400],
    ["a chunk size over 64 bits", post(CHUNKED, `10000000000000001\r\nh\r\n0\r\n\r\n${HIDDEN}`), 400],
    ["a negative chunk size", post(CHUNKED, `-1\r\nh\r\n0\r\n\r\n`), 400],
    ["a chunk size with 0x", post(CHUNKED, `0x1\r\nh\r\n0\r\n\r\n`), 400],
    ["an empty chunk size", post(CHUNKED, `\r\nh\r\n0\r\n\r\n`), 400],
    ["a chunk longer than its size", post(CHUNKED, `1\r\nhello\r\n0\r\n\r\n${HIDDEN}`), 400],
    ["a bare LF after a chunk size", post(CHUNKED, `1\nh\r\n0\r\n\r\n${HIDDEN}`), 400],
    ["a bare LF after chunk data", post(CHUNKED, `1\r\nh\n0\r\n\r\n${HIDDEN}`), 400],
    ["a bare CR in a chunk extension", post(CHUNKED, `1;a\rb\r\nh\r\n0\r\n\r\n`), 400],
    ["Content-Length in the trailers", post(CHUNKED, `0\r\nContent-Length: 44\r\n\r\n${HIDDEN}`), 400],
    ["two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400],
    ["no Host", "GET / HTTP/1.1\r\nX: y\r\n\r\n", 400],
    ["a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400],
    ["a list in Host", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400],
    ["a target of another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    ["user information in the target", "GET http://b@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    ["a target with a space", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    ["a coding in HTTP/1.0", `POST / HTTP/1.0\r\nHost: a\r\n${CHUNKED}\r\n0\r\n\r\n${HIDDEN}`, 400],
    ["a version of its own", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 400],
    ["a method of its own", "FOO / HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    ["not HTTP at all", "hello\r\n\r\n", 400],
    ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400],
  ])("%s is refused", async (_name, bytes, status) => {
    seen = [];
    const got = await statuses(rig.port, bytes);
    expect(got).toEqual([status]);
    expect(seen).toEqual([]);
  });

  test.each<[string, string, Partial<Seen>]>([
    ["a length with zeros before it", post("Content-Length: 005\r\n", "hello"), { body: "hello" }],
    [
      "a length with spaces around it",
      post("Content-Length:   5 \r\n", "hello"),
      { body: "hello", length: "5" },
    ],
    [
      "CHUNKED in capitals",
      post("Transfer-Encoding: CHUNKED\r\n", "5\r\nhello\r\n0\r\n\r\n"),
      { body: "hello", coding: "chunked" },
    ],
    [
      "chunk extensions",
      post(CHUNKED, '5;a="b"\r\nhello\r\n0;c\r\n\r\n'),
      { body: "hello", coding: "chunked" },
    ],
    ["zeros before a chunk size", post(CHUNKED, "0005\r\nhello\r\n0\r\n\r\n"), { body: "hello" }],
    [
      "a length named in Connection",
      post("Connection: Content-Length\r\nContent-Length: 5\r\n", "hello"),
      { body: "hello", length: "5" },
    ],
    ["Host named in Connection", "GET /x HTTP/1.1\r\nConnection: Host\r\nHost: a\r\n\r\n", { path: "/x" }],
    [
      "a body on GET",
      `GET / HTTP/1.1\r\nHost: a\r\nContent-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`,
      { body: HIDDEN },
    ],
    ["empty lines before the request", `\r\n\r\n${post("Content-Length: 2\r\n", "hi")}`, { body: "hi" }],
    [
      "2,500 fields with the framing last",
      post(`${"X: y\r\n".repeat(2500)}${CHUNKED}`, "2\r\nhi\r\n0\r\n\r\n"),
      { body: "hi", coding: "chunked" },
    ],
  ])("%s reaches the app as one request", async (_name, bytes, expected) => {
    seen = [];
    expect(await statuses(rig.port, bytes)).toEqual([200, 200]);
    expect(seen.length).toBe(2);
    expect(seen[0]).toMatchObject(expected);
    expect(seen[1]).toMatchObject({ path: "/last", body: "" });
  });

  test("whatever a plain node server refuses is refused here", async () => {
    const { port } = plain.address() as AddressInfo;
    const cases = [
      post(`Content-Length: 6\r\n${CHUNKED}`, "0\r\n\r\n"),
      post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"),
      post("X-A: a\0b\r\n", ""),
      post(CHUNKED, "-1\r\nh\r\n0\r\n\r\n"),
      "GET / HTTP/1.1\nHost: a\n\n",
      "GET / HTTP/1.1\r\n\r\n",
    ];
    for (const bytes of cases) {
      expect([bytes, await statuses(port, bytes)]).toEqual([bytes, [400]]);
      expect([bytes, await statuses(rig.port, bytes)]).toEqual([bytes, [400]]);
    }
  });

  test("HTTP/0.9 is refused", async () => {
    await using client = await rig.client();
    client.send("GET /\r\n\r\n");
    expect(await client.ended()).toMatch(/^HTTP\/1\.1 505 /);
  });

  test("a head of 2 MiB gets 431 in Go's words, though most of it was never read (conformance huge-header)", async () => {
    await using client = await rig.client();
    client.send(`GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(2 << 20)}\r\n\r\n`);
    const text = await client.ended();
    expect(text).toBe(
      "HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n431 Request Header Fields Too Large",
    );
  });

  test("what isn't HTTP gets 400 in Go's words (conformance bad-request)", async () => {
    await using client = await rig.client();
    client.send("hello\r\n\r\n");
    expect(await client.ended()).toBe(
      "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request",
    );
  });
});
