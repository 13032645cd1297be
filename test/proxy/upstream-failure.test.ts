import { expect, test } from "vitest";
import { goQuote } from "../../src/proxy/go-quote.ts";
import { type FailureContext, upstreamFailure } from "../../src/proxy/upstream-failure.ts";

test.each<[Uint8Array, string]>([
  [Buffer.from("plain"), '"plain"'],
  [Buffer.from('a"b\\c\t\r\n\x07\x7f\0'), String.raw`"a\"b\\c\t\r\n\a\x7f\x00"`],
  [Buffer.from("é 日 😀"), '"é 日 😀"'],
  [Buffer.from("\u00a0\u200b\u{e0001}"), String.raw`"\u00a0\u200b\U000e0001"`],
  [
    Buffer.from([0xff, 0xc3, 0x28, 0xe2, 0x82, 0xed, 0xa0, 0x80]),
    String.raw`"\xff\xc3(\xe2\x82\xed\xa0\x80"`,
  ],
  [Buffer.alloc(0), '""'],
])("%j is quoted as Go's %%q: %s", (bytes, expected) => {
  expect(goQuote(bytes)).toBe(expected);
});

const CONTEXT: FailureContext = {
  remote: "127.0.0.1:8080",
  local: "127.0.0.1:5000",
  received: 0,
  responded: false,
};

function failed(code: string, syscall?: string): Error {
  return Object.assign(new Error(code), { code, ...(syscall === undefined ? {} : { syscall }) });
}

test.each<[Error, Partial<FailureContext>, string, string, boolean]>([
  [
    failed("ECONNREFUSED", "connect"),
    {},
    "dial tcp 127.0.0.1:8080: connect: connection refused",
    "refused",
    false,
  ],
  [
    failed("EHOSTUNREACH", "connect"),
    {},
    "dial tcp 127.0.0.1:8080: connect: no route to host",
    "unreachable",
    false,
  ],
  [
    failed("ETIMEDOUT", "connect"),
    {},
    "dial tcp 127.0.0.1:8080: connect: connection timed out",
    "unreachable",
    false,
  ],
  [
    failed("ENOTFOUND", "getaddrinfo"),
    { remote: "app:80" },
    "dial tcp: lookup app: no such host",
    "unreachable",
    false,
  ],
  [
    new AggregateError([failed("ECONNREFUSED", "connect")]),
    {},
    "dial tcp 127.0.0.1:8080: connect: connection refused",
    "refused",
    false,
  ],
  [
    failed("ECONNRESET", "read"),
    {},
    "read tcp 127.0.0.1:5000->127.0.0.1:8080: read: connection reset by peer",
    "reset",
    true,
  ],
  [
    failed("EPIPE", "write"),
    {},
    "write tcp 127.0.0.1:5000->127.0.0.1:8080: write: broken pipe",
    "reset",
    true,
  ],
  [failed("ECONNRESET"), {}, "EOF", "eof", true],
  [
    failed("ECONNRESET"),
    { received: 9 },
    "net/http: HTTP/1.x transport connection broken: unexpected EOF",
    "eof",
    true,
  ],
  [failed("ECONNRESET"), { received: 99, responded: true }, "unexpected EOF", "truncated", true],
  [new Error("odd"), {}, "odd", "other", true],
])("%s in %j reads %s", (error, context, goMessage, diagnosis, mayHaveReachedApp) => {
  expect(upstreamFailure(error, { ...CONTEXT, ...context })).toEqual({
    error,
    goMessage,
    diagnosis,
    mayHaveReachedApp,
  });
});
