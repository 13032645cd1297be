/** Generated messages, in order and damaged, and their way onto a socket in pieces. */
import type { Socket } from "node:net";
import * as fc from "fast-check";

export type Pieces = readonly Buffer[];

const name = fc.constantFrom(
  "X-A",
  "x-a",
  "Accept",
  "Cookie",
  "User-Agent",
  "Trailer",
  "X-Forwarded-For",
  "X-Forwarded-Proto",
  "X-Forwarded-Host",
  "Forwarded",
  "Keep-Alive",
  "Proxy-Connection",
  "TE",
  "K-Original-Host",
  "K-Proxy-Request",
  "Knative-Serving-Revision",
  "Proxy-Authorization",
);
const value = fc.oneof(
  fc.constantFrom("", "1", "a b", "trailers", "timeout=5", "x, y", "X-A", "10.0.0.1", "b.example"),
  fc.string({ unit: fc.constantFrom("a", " ", "\t", ",", ";", '"', "="), maxLength: 12 }),
);
const field = fc.tuple(name, value).map(([one, other]) => `${one}: ${other}\r\n`);
const fields = fc.array(field, { maxLength: 5 }).map((all) => all.join(""));
const connection = fc.constantFrom(
  "",
  "",
  "",
  "Connection: keep-alive\r\n",
  "Connection: X-A\r\n",
  "Connection: keep-alive, x-a\r\n",
);
const data = fc.string({
  unit: fc.constantFrom("a", "b", "\r\n", "0", "\0", "\xff", "G"),
  minLength: 1,
  maxLength: 30,
});

const chunks = fc.tuple(
  fc.array(fc.tuple(data, fc.constantFrom("", "", ";x", ';x="y"', ";x=y")), { maxLength: 4 }),
  fc.constantFrom("", "", "X-T: 1\r\n", "X-T: 1\r\nHost: evil\r\n"),
);
const chunkedBody = chunks.map(
  ([all, trailers]) =>
    `${all.map(([one, extension]) => `${one.length.toString(16)}${extension}\r\n${one}\r\n`).join("")}0\r\n${trailers}\r\n`,
);

const framed = fc.oneof(
  fc.constant({ fields: "", body: "" }),
  fc.constant({ fields: "Content-Length: 0\r\n", body: "" }),
  data.map((body) => ({ fields: `Content-Length: ${body.length}\r\n`, body })),
  chunkedBody.map((body) => ({ fields: "Transfer-Encoding: chunked\r\n", body })),
);

const line = fc
  .tuple(
    fc.constantFrom("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"),
    fc.constantFrom("/", "/a?b=c", "/%00;x[]", "http://c.example/d", "http://c.example:81?e"),
  )
  .map(([method, target]) => `${method} ${target} HTTP/1.1\r\n`);
const host = fc.constantFrom("Host: a.example\r\n", "host: A.example:81\r\n", "Host: [::1]:80\r\n");

/** A well-formed request that keeps its connection. */
export const request = fc
  .tuple(line, host, fields, connection, framed, fc.boolean())
  .map(([first, names, others, options, body, early]) =>
    early
      ? `${first}${body.fields}${names}${options}${others}\r\n${body.body}`
      : `${first}${names}${others}${options}${body.fields}\r\n${body.body}`,
  );

const status = fc
  .constantFrom(
    "HTTP/1.1 200 OK",
    "HTTP/1.1 200 Very Fine",
    "HTTP/1.1 404 ",
    "HTTP/1.1 503",
    "HTTP/1.1 204 No Content",
    "HTTP/1.1 304 Not Modified",
    "HTTP/1.0 200 OK",
    "HTTP/1.1 426 Other",
    "HTTP/1.1 599 Odd",
  )
  .map((text) => `${text}\r\n`);
const type = fc.constantFrom("Content-Type: text/plain\r\n", "Content-Encoding: gzip\r\n");
const informational = fc.constantFrom(
  "",
  "",
  "",
  "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
  "HTTP/1.1 100 Continue\r\n\r\n",
);
const openBody = data.map((body) => ({ fields: "", body }));
const hops = fc.constantFrom(
  "",
  "",
  "Connection: close\r\n",
  "Connection: X-A\r\n",
  "Keep-Alive: timeout=5\r\n",
  "Upgrade: y\r\n",
);

/** A well-formed response; one of open length ends with its connection. */
export const responseParts = fc
  .tuple(informational, status, type, fields, hops, fc.oneof(framed, openBody))
  .map(([before, first, kind, others, options, body]) => ({
    head: `${before}${first}${kind}${others}${options}${body.fields}\r\n`,
    body: /^HTTP\/1\.1 (204|304)/.test(first) ? "" : body.body,
  }));
export const response = responseParts.map(({ head, body }) => head + body);

/** One or two bytes of a message changed, doubled, taken out or put in. */
export function damaged(message: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const damage = fc.record({
    place: fc.nat(),
    kind: fc.constantFrom("change", "insert", "remove", "double"),
    by: fc.constantFrom(
      "\r",
      "\n",
      "\0",
      " ",
      "\t",
      ":",
      ";",
      ",",
      "x",
      "0",
      "9",
      "\x7f",
      "\x80",
      "\xff",
      "\x0b",
      "\r\n",
      "\r\n ",
      "Content-Length: 3\r\n",
      "Transfer-Encoding: chunked\r\n",
      "Transfer-Encoding: x\r\n",
      "Host: b\r\n",
    ),
  });
  return fc
    .tuple(message, fc.array(damage, { minLength: 1, maxLength: 2 }))
    .map(([text, damages]) => damages.reduce(damageOne, text));
}

function damageOne(text: string, damage: { place: number; kind: string; by: string }): string {
  const at = damage.place % (text.length + 1);
  // A field put in stands at the start of a line, where it does most harm.
  const from = damage.by.length > 3 ? Math.max(0, text.lastIndexOf("\r\n", at)) + 2 : at;
  switch (damage.kind) {
    case "change":
      return text.slice(0, from) + damage.by + text.slice(from + damage.by.length);
    case "remove":
      return text.slice(0, at) + text.slice(at + 1);
    case "double":
      return text.slice(0, at) + text.slice(Math.max(0, at - 3), at) + text.slice(at);
    default:
      return text.slice(0, from) + damage.by + text.slice(from);
  }
}

/** Cuts text into pieces; most often it stays whole, as most messages do. */
export const pieces: fc.Arbitrary<(text: string) => Pieces> = fc
  .oneof(fc.constant([]), fc.array(fc.nat(), { minLength: 1, maxLength: 5 }))
  .map((places) => (text: string) => {
    const at = [...new Set(places.map((place) => place % (text.length + 1)))].toSorted((a, b) => a - b);
    return [0, ...at].map((start, i) => Buffer.from(text.slice(start, at[i] ?? text.length), "latin1"));
  });

/** Each piece in a turn of its own, so that it is read alone. */
export async function sendInPieces(socket: Socket, parts: Pieces): Promise<void> {
  for (const part of parts) {
    if (!socket.writable) return;
    if (part.length > 0) socket.write(part);
    if (parts.length > 1)
      for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}
