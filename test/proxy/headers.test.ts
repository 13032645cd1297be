import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  firstValue,
  type HeaderPlan,
  type IncomingFields,
  passableTrailers,
  requestFieldsForApp,
  responseFieldsForClient,
} from "../../src/proxy/headers.ts";

/** `Name: value` lines as the flat list that node gives, and back. */
const flat = (...lines: string[]): string[] =>
  lines.flatMap((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]);
const lines = (list: readonly string[]): string[] =>
  list.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${list[i + 1]}`] : []));

function incoming(fields: readonly string[], over: Partial<IncomingFields> = {}): IncomingFields {
  return {
    method: "GET",
    rawHeaders: flat(...fields),
    authority: undefined,
    fallbackHost: "127.0.0.1:8080",
    remoteAddress: "127.0.0.1",
    scheme: "http",
    upgrade: false,
    ...over,
  };
}

function forApp(
  fields: readonly string[],
  over: Partial<IncomingFields> = {},
  plan: HeaderPlan = {},
): string[] {
  return lines(requestFieldsForApp(incoming(fields, over), plan).headers);
}

/** What is added to every plain request that brings nothing of it. */
const ADDED = [
  "X-Forwarded-For: 127.0.0.1",
  "X-Forwarded-Proto: http",
  "Forwarded: for=127.0.0.1;proto=http",
  "K-Proxy-Request: activator",
  "Connection: keep-alive",
];

describe("request", () => {
  test.each<[string, string[], string[]]>([
    ["a plain one gets what the platform adds", ["Host: a"], ["Host: a", ...ADDED]],
    [
      "case, order and duplicates survive",
      ["X-b: 1", "HOST: A.example:81", "x-B: 2", "Cookie: c=1", "Cookie: d=2"],
      ["X-b: 1", "HOST: A.example:81", "x-B: 2", "Cookie: c=1", "Cookie: d=2", ...ADDED],
    ],
    [
      "hop-by-hop fields go, those named in Connection too (conformance hop-by-hop)",
      [
        "Host: a",
        "Connection: close, X-Secret ,  x-other",
        "Keep-Alive: timeout=5",
        "Proxy-Connection: keep-alive",
        "Proxy-Authorization: Basic eA==",
        "Proxy-Authenticate: Basic",
        "Upgrade: websocket",
        "x-secret: 1",
        "X-Other: 2",
        "X-Custom: kept",
      ],
      ["Host: a", "X-Custom: kept", ...ADDED],
    ],
    [
      "Connection can't take routing or framing away",
      ["Host: a", "Connection: Host, Content-Length", "Content-Length: 3"],
      ["Host: a", "Content-Length: 3", ...ADDED],
    ],
    [
      "TE is passed for trailers only, and named in Connection",
      ["Host: a", "TE: gzip, trailers;q=0.5"],
      ["Host: a", ...ADDED.slice(0, -1), "TE: trailers", "Connection: keep-alive, TE"],
    ],
    ["another TE is not", ["Host: a", "TE: gzip"], ["Host: a", ...ADDED]],
    [
      "Trailer goes where no chunks can carry one",
      ["Host: a", "Trailer: X-T", "X: y"],
      ["Host: a", "X: y", ...ADDED],
    ],
    [
      "Expect stays: the app answers it",
      ["Host: a", "Expect: 100-continue"],
      ["Host: a", "Expect: 100-continue", ...ADDED],
    ],
    [
      "Knative's routing fields are stripped, its others are not (conformance knative-headers)",
      [
        "Host: a",
        "Knative-Serving-Revision: evil",
        "knative-serving-namespace: evil",
        "K-Proxy-Request: me",
        "Knative-Serving-Tag: t",
        "Knative-Serving-Default-Route: true",
        "K-Network-Hash: h",
        "K-Passthrough-Lb: true",
      ],
      [
        "Host: a",
        "Knative-Serving-Tag: t",
        "Knative-Serving-Default-Route: true",
        "K-Network-Hash: h",
        "K-Passthrough-Lb: true",
        ...ADDED,
      ],
    ],
    [
      "K-Original-Host becomes Host (conformance client-headers)",
      ["Host: a", "K-Original-Host: o.example.com"],
      ["Host: o.example.com", ...ADDED],
    ],
    [
      "tracing and User-Agent are untouched",
      ["Host: a", "User-Agent: kube", "traceparent: 00-1", "tracestate: a=b", "baggage: c=d"],
      ["Host: a", "User-Agent: kube", "traceparent: 00-1", "tracestate: a=b", "baggage: c=d", ...ADDED],
    ],
    [
      "a client without Host gets the instance's address, as from Go",
      ["X: y"],
      ["Host: 127.0.0.1:8080", "X: y", ...ADDED],
    ],
  ])("%s", (_name, fields, expected) => {
    expect(forApp(fields)).toEqual(expected);
  });

  test("an absolute-form target's authority replaces Host", () => {
    expect(forApp(["X: y", "Host: a"], { authority: "b.example:1" }).slice(0, 2)).toEqual([
      "X: y",
      "Host: b.example:1",
    ]);
  });
});

describe("X-Forwarded and Forwarded", () => {
  const only = (fields: string[], over: Partial<IncomingFields> = {}): string[] =>
    forApp(["Host: a", ...fields], over).filter((line) => /^(x-)?forwarded/i.test(line));

  test.each<[string, string[], Partial<IncomingFields>, string[]]>([
    [
      "the client is appended to the chain, and Proto and Host are kept (conformance forwarded-headers)",
      ["X-Forwarded-For: 10.1.2.3", "X-Forwarded-Proto: https", "X-Forwarded-Host: shown.example.com"],
      {},
      [
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: shown.example.com",
        "X-Forwarded-For: 10.1.2.3, 127.0.0.1",
        "Forwarded: for=10.1.2.3;host=shown.example.com;proto=https, for=127.0.0.1",
      ],
    ],
    [
      "several chains become one",
      ["X-Forwarded-For: 1.1.1.1", "x-forwarded-for: 2.2.2.2, 3.3.3.3"],
      {},
      [
        "X-Forwarded-For: 1.1.1.1, 2.2.2.2, 3.3.3.3, 127.0.0.1",
        "X-Forwarded-Proto: http",
        "Forwarded: for=1.1.1.1;proto=http, for=2.2.2.2, for=3.3.3.3, for=127.0.0.1",
      ],
    ],
    [
      "Forwarded given by the client stays (conformance forwarded-kept)",
      ["Forwarded: for=9.9.9.9", "X-Forwarded-For: 10.1.2.3"],
      {},
      ["Forwarded: for=9.9.9.9", "X-Forwarded-For: 10.1.2.3, 127.0.0.1", "X-Forwarded-Proto: http"],
    ],
    [
      "IPv6 is quoted in brackets, over TLS the scheme is https",
      [],
      { remoteAddress: "::1", scheme: "https" },
      ["X-Forwarded-For: ::1", "X-Forwarded-Proto: https", 'Forwarded: for="[::1]";proto=https'],
    ],
  ])("%s", (_name, fields, over, expected) => {
    expect(only(fields, over)).toEqual(expected);
  });
});

describe("framing", () => {
  test.each<[string, string[], string, string, string[]]>([
    ["none on GET", [], "GET", "none", []],
    ["none on POST is said", [], "POST", "none", ["Content-Length: 0"]],
    ["a length is kept as it is", ["Content-Length: 5"], "POST", "length", ["Content-Length: 5"]],
    ["a length of 0 is no body", ["Content-Length: 0"], "POST", "none", ["Content-Length: 0"]],
    ["chunked is ours", ["transfer-encoding: CHUNKED"], "GET", "chunked", ["Transfer-Encoding: chunked"]],
  ])("%s", (_name, fields, method, framing, expected) => {
    const result = requestFieldsForApp(incoming(["Host: a", ...fields], { method }));
    expect(result.framing).toBe(framing);
    expect(lines(result.headers).filter((line) => /^(content-length|transfer-encoding)/i.test(line))).toEqual(
      expected,
    );
  });
});

test("an upgrade keeps Upgrade, named in Connection with nothing else", () => {
  const fields = ["Host: a", "Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: k"];
  expect(forApp(fields, { upgrade: true })).toEqual([
    "Host: a",
    "Sec-WebSocket-Key: k",
    ...ADDED.slice(0, -1),
    "Upgrade: websocket",
    "Connection: Upgrade",
  ]);
});

test("a plan replaces, removes, and may leave the activator out", () => {
  const fields = [
    "Host: a",
    "Knative-Serving-Tag: mine",
    "Knative-Serving-Default-Route: false",
    "K-Proxy-Request: activator",
  ];
  const plan: HeaderPlan = {
    set: [["Knative-Serving-Tag", "blue"]],
    remove: ["knative-serving-default-route"],
    viaActivator: false,
  };
  expect(forApp(fields, {}, plan)).toEqual([
    "Host: a",
    "K-Proxy-Request: activator",
    ...ADDED.slice(0, 3),
    "Knative-Serving-Tag: blue",
    "Connection: keep-alive",
  ]);
});

describe("response", () => {
  test.each<[string, number, string[], string[], number]>([
    [
      "fields stay as they are",
      200,
      ["X-CaSe: y", "Set-Cookie: a=1", "Set-Cookie: b=2", "Content-Length: 7"],
      ["X-CaSe: y", "Set-Cookie: a=1", "Set-Cookie: b=2", "Content-Length: 7"],
      7,
    ],
    [
      "hop-by-hop fields go",
      200,
      [
        "Connection: close, X-Hop",
        "Keep-Alive: timeout=5",
        "Transfer-Encoding: chunked",
        "X-Hop: 1",
        "Upgrade: h2c",
        "Proxy-Authenticate: x",
        "Trailer: X-T",
      ],
      ["Trailer: X-T"],
      -1,
    ],
    [
      "Connection can't take the length away",
      200,
      ["Connection: Content-Length", "Content-Length: 2"],
      ["Content-Length: 2"],
      2,
    ],
    ["426 keeps Upgrade", 426, ["Upgrade: websocket", "Connection: Upgrade"], ["Upgrade: websocket"], -1],
  ])("%s", (_name, status, fields, expected, length) => {
    const result = responseFieldsForClient(flat(...fields), status);
    expect([lines(result.headers), result.length]).toEqual([expected, length]);
  });
});

test("trailers that would change framing or routing are dropped", () => {
  const raw = flat(
    "X-T: 1",
    "Content-Length: 3",
    "transfer-encoding: chunked",
    "Host: b",
    "Connection: x",
    "Grpc-Status: 0",
  );
  expect(passableTrailers(raw)).toEqual([
    ["X-T", "1"],
    ["Grpc-Status", "0"],
  ]);
});

test("the first value counts, in any case", () => {
  expect(firstValue(flat("X-A: 1", "x-a: 2"), "x-a")).toBe("1");
  expect(firstValue(flat("X-A: 1"), "x-b")).toBeUndefined();
});

test("whatever comes in, one framing and one Host go out, and no hop-by-hop field but ours", () => {
  const name = fc.constantFrom(
    "Host",
    "Content-Length",
    "Transfer-Encoding",
    "Connection",
    "TE",
    "Upgrade",
    "X-A",
    "K-Original-Host",
    "Knative-Serving-Revision",
  );
  const value = fc.constantFrom(
    "0",
    "5",
    "chunked",
    "close, x-a",
    "Host",
    "trailers",
    "websocket",
    "a.example",
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(name, value)),
      fc.constantFrom("GET", "POST"),
      fc.boolean(),
      (pairs, method, upgrade) => {
        // front-server.ts lets one Host and one framing in.
        const once = new Set<string>();
        const fields = pairs.filter(([key]) => {
          const framing = key === "Content-Length" || key === "Transfer-Encoding" ? "framing" : key;
          if ((framing === "framing" || key === "Host") && once.has(framing)) return false;
          once.add(framing);
          return true;
        });
        const { headers } = requestFieldsForApp(incoming([], { rawHeaders: fields.flat(), method, upgrade }));
        const names = headers.filter((_, i) => i % 2 === 0).map((key) => key.toLowerCase());
        const count = (key: string): number => names.filter((one) => one === key).length;
        expect(count("host")).toBe(1);
        expect(count("connection")).toBe(1);
        expect(count("content-length") + count("transfer-encoding")).toBeLessThanOrEqual(1);
        expect(count("knative-serving-revision") + count("k-original-host")).toBe(0);
        expect(count("upgrade")).toBeLessThanOrEqual(upgrade ? 1 : 0);
      },
    ),
  );
});
