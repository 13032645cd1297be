import { expect, test } from "vitest";
import { mayBecomeRequest } from "../../../src/proxy/raw/request-head.ts";

test.each([
  ["GET / HTTP/1.1\r\nHost: a\r\n", true],
  ["OPTIONS * HTTP/1.1\r\n", true],
  ["GET http://a/ HTTP/1.1\r\n", true],
  ["CONNECT 10.0.0.1:80 HTTP/1.1\r\n", true],
  ["GET 9 HTTP/1.1\r\nHost: [::1]:80\r\n\r", false],
  ["GET ?a HTTP/1.1\r\n", false],
  ["GE", true],
  ["GEX", false],
])("%j may become a request: %s", (text, may) => {
  expect(mayBecomeRequest(text)).toBe(may);
});
