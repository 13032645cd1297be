import { expect, test } from "vitest";
import { admit, hostOf, plainAddress } from "../../src/proxy/request-line.ts";

const head = (target: string, rawHeaders: string[] = ["Host", "a"], httpVersion = "1.1") => ({
  target,
  rawHeaders,
  httpVersion,
});

test.each([
  ["/a?b=c", ["Host", "A.Example:80"], { path: "/a?b=c", authority: undefined, host: "a.example" }],
  ["*", ["Host", "a"], { path: "*", authority: undefined, host: "a" }],
  ["http://B.example:81/x?y", ["Host", "a"], { path: "/x?y", authority: "B.example:81", host: "b.example" }],
  ["HTTPS://b?q", ["Host", "a"], { path: "/?q", authority: "b", host: "b" }],
  ["http://[::1]:80", ["Host", "a"], { path: "/", authority: "[::1]:80", host: "[::1]" }],
  ["/", ["HOST", "[::1]:8080"], { path: "/", authority: undefined, host: "[::1]" }],
  ["/", ["Host", ""], { path: "/", authority: undefined, host: "" }],
])("%s with %j is let in", (target, rawHeaders, expected) => {
  expect(admit(head(target, rawHeaders))).toEqual({ ok: true, ...expected });
});

test.each([
  ["two Hosts", head("/", ["Host", "a", "host", "a"]), 400],
  ["a path in Host", head("/", ["Host", "a/b"]), 400],
  ["a space in Host", head("/", ["Host", "a b"]), 400],
  ["user information", head("http://u@a/"), 400],
  ["no authority", head("http:///x"), 400],
  ["another scheme", head("ftp://a/"), 400],
  ["a coding that we don't know", head("/", ["Host", "a", "Transfer-Encoding", "gzip, chunked"]), 501],
  [
    "chunked twice",
    head("/", ["Host", "a", "Transfer-Encoding", "chunked", "transfer-encoding", "chunked"]),
    501,
  ],
  ["a coding in HTTP/1.0", head("/", ["Transfer-Encoding", "chunked"], "1.0"), 400],
  ["HTTP/0.9", head("/", [], "0.9"), 505],
])("%s is refused", (_name, request, status) => {
  expect(admit(request)).toMatchObject({ ok: false, status });
});

test("a host is shown lower-case without its port", () => {
  expect(["A:80", "a", "[::1]", "[FE80::1]:1", "a:"].map(hostOf)).toEqual([
    "a",
    "a",
    "[::1]",
    "[fe80::1]",
    "a",
  ]);
});

test("an IPv4 address in IPv6 clothes is shown as IPv4", () => {
  expect(["::ffff:1.2.3.4", "::1", "1.2.3.4", undefined].map(plainAddress)).toEqual([
    "1.2.3.4",
    "::1",
    "1.2.3.4",
    "",
  ]);
});
