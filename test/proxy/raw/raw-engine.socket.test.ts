/** What holds for the raw engine alone: its timeouts, its buffers, and where it does better than node's path. */
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { expect, test } from "vitest";
import { proxyEngine } from "../../../src/proxy/engine.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";
import { RawClient, valueOf } from "../../support/raw-http.ts";
import { engines, rigWith, signalled } from "../rig.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const raw = proxyEngine("raw");
const Raw = rigWith(raw);

/** A rig whose engine goes by a clock of its own. */
function timed(): { clock: FakeClock; Rig: typeof Raw } {
  const clock = new FakeClock();
  return { clock, Rig: rigWith(proxyEngine("raw", clock)) };
}

test.each([
  ["nothing at all", ""],
  ["half a head", "GET / HTTP/1.1\r\nHos"],
])("a client that sends %s for a minute gets 408", async (_name, bytes) => {
  const { clock, Rig } = timed();
  await using rig = await Rig.start({ hold: true });
  await using client = await rig.client();
  if (bytes !== "") client.send(bytes);
  await settle();
  await clock.advance(59_000);
  expect(client.ending).toBeUndefined();
  await clock.advance(3_000);
  expect(await client.ended()).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
});

test("a head that comes late on a kept-alive connection has a minute from its first byte", async () => {
  const { clock, Rig } = timed();
  await using rig = await Rig.start({
    hold: true,
    onExchange: (exchange) => exchange.respond({ status: 200 }),
  });
  await using client = await rig.client();
  client.send(GET);
  await client.response();
  await clock.advance(70_000);
  client.send("GET /");
  await settle();
  await clock.advance(59_000);
  expect(client.ending).toBeUndefined();
  await clock.advance(3_000);
  expect(await client.ended()).toMatch(/^HTTP\/1\.1 408 /);
});

test("an idle connection is closed after 75 s without a word; one in use never", async () => {
  const { clock, Rig } = timed();
  await using rig = await Rig.start({
    hold: true,
    onExchange: (exchange) => void (exchange.target === "/" && exchange.respond({ status: 200 })),
  });
  await using idle = await rig.client();
  await using held = await rig.client();
  idle.send(GET);
  held.send(GET.replace("/", "/held"));
  await idle.response();
  await rig.exchange(1);
  await clock.advance(74_000);
  expect(idle.ending).toBeUndefined();
  await clock.advance(3_000);
  expect(await idle.ended()).toBe("");
  await clock.advance(600_000);
  (await rig.exchange(1)).respond({ status: 200 });
  expect((await held.response()).status).toBe(200);
});

test("an idle connection to the app is closed before the app's own timeout, and after 90 s without one", async () => {
  const { clock, Rig } = timed();
  let promise = "Keep-Alive: timeout=5\r\n";
  await using rig = await Rig.start({
    rawApp: (socket) =>
      void socket.on("data", () => socket.write(`HTTP/1.1 200 OK\r\n${promise}Content-Length: 0\r\n\r\n`)),
  });
  await using client = await rig.client();
  for (const [field, kept, late] of [
    [promise, 2_900, 4_100],
    ["", 88_000, 90_000],
  ] as const) {
    promise = field;
    client.send(GET);
    await client.response();
    await clock.advance(kept);
    expect(rig.upstream.connections).toBe(1);
    await clock.advance(late - kept);
    expect(rig.upstream.connections).toBe(0);
  }
});

test("no timer runs where there is no connection", async () => {
  const { clock, Rig } = timed();
  const rig = await Rig.start({
    app: (server) => void server.on("request", (_request, response) => response.end()),
  });
  const client = await rig.client();
  client.send(GET);
  await client.response();
  expect(clock.pending).toBe(2);
  await rig[Symbol.asyncDispose]();
  await settle();
  expect(clock.pending).toBe(0);
});

test("an app that answers and closes while the body is still being written: the answer gets through", async () => {
  for (let round = 0; round < 30; round += 1) {
    await using rig = await Raw.start({
      rawApp: (socket) => {
        socket.once("data", () => {
          socket.end("HTTP/1.1 413 Too Large\r\nContent-Length: 7\r\n\r\ntoo big");
          // Unread bytes make this a reset: what is written then fails.
          socket.destroySoon();
        });
      },
    });
    await using client = await rig.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 40000000\r\n\r\n");
    const enough = new AbortController();
    const send = async (): Promise<void> => {
      while (!enough.signal.aborted && client.ending === undefined) {
        if (client.socket.writableLength < 1_000_000) client.send("x".repeat(100_000));
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const sender = send();
    const response = await client.response();
    enough.abort();
    await sender;
    expect([round, response.status, response.body]).toEqual([round, 413, "too big"]);
  }
});

test("16 MiB arrive byte for byte however slowly they are read: what waits is not read over", async () => {
  const size = 16 * 1024 * 1024;
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at += 4) bytes.writeUInt32LE((at * 2_654_435_761) >>> 0, at);
  const wanted = createHash("sha256").update(bytes).digest("hex");
  await using rig = await Raw.start({
    app: (server) =>
      void server.on("request", (request: IncomingMessage, response: ServerResponse) => {
        if (request.url === "/length") response.writeHead(200, { "Content-Length": size });
        for (let at = 0; at < size; at += 50_000) response.write(bytes.subarray(at, at + 50_000));
        response.end();
      }),
  });
  for (const target of ["/length", "/chunks"]) {
    // HTTP/1.0: the body arrives bare.
    const hash = createHash("sha256");
    let head = "";
    const socket = connect(rig.port, "127.0.0.1");
    socket.write(`GET ${target} HTTP/1.0\r\n\r\n`);
    let reads = 0;
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      let data = chunk;
      if (!head.includes("\r\n\r\n")) {
        head += chunk.toString("latin1");
        const end = head.indexOf("\r\n\r\n");
        if (end < 0) continue;
        data = Buffer.from(head.slice(end + 4), "latin1");
      }
      hash.update(data);
      reads += 1;
      if (reads % 3 === 0) await settle();
    }
    expect([target, hash.digest("hex")]).toEqual([target, wanted]);
  }
});

test("bytes above 0x7f in fields pass as they are, both ways", async () => {
  const seen = signalled<string | undefined>();
  await using rig = await Raw.start({
    rawApp: (socket: Socket) =>
      void socket.on("data", (bytes) => {
        seen.resolve(/X-A: ([^\r]*)/.exec(bytes.toString("latin1"))?.[1]);
        socket.write(
          Buffer.from(
            "HTTP/1.1 200 \xe9\r\nX-B: \xe9\xff\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "latin1",
          ),
        );
      }),
  });
  await using client = await rig.client();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nX-A: \xe9\xff\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  const response = await client.response();
  expect([await seen.promise, response.statusText, valueOf(response, "x-b")]).toEqual([
    "\xe9\xff",
    "\xe9",
    "\xe9\xff",
  ]);
});

test("what follows a request and is broken costs that request nothing", async () => {
  await using rig = await Raw.start({
    app: (server) => void server.on("request", (_request, response) => response.end("whole")),
  });
  await using client = await rig.client();
  client.send(`${GET}garbage\r\n\r\n`);
  expect((await client.response()).body).toBe("whole");
  expect(await client.ended()).toMatch(/^HTTP\/1\.1 400 /);
});

test("3,000 requests in one piece are answered in order", async () => {
  await using rig = await Raw.start({
    hold: true,
    onExchange: (exchange) => exchange.respond({ status: 200, body: exchange.target }),
  });
  await using client = await rig.client();
  let bytes = "";
  for (let i = 0; i < 3000; i += 1) bytes += `GET /${i} HTTP/1.1\r\nHost: a\r\n\r\n`;
  client.send(bytes);
  const text = await client.until((seen) => seen.endsWith("/2999"));
  const bodies = [...text.matchAll(/\r\n\r\n\/(\d+)/g)].map((match) => Number(match[1]));
  expect(bodies).toEqual(Array.from({ length: 3000 }, (_, i) => i));
});

test("an expectation that nobody knows gets 417", async () => {
  await using rig = await Raw.start({ hold: true });
  await using client = await rig.client();
  client.send("GET / HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n");
  expect(await client.ended()).toMatch(/^HTTP\/1\.1 417 Expectation Failed\r\n/);
});

test("a field of the platform's that would break out of its line is never sent", async () => {
  await using rig = await Raw.start({ app: () => undefined, headers: { set: [["X-A", "1\u010aX-B: 2"]] } });
  await using client = await rig.client();
  client.send(GET);
  expect((await client.response()).status).toBe(502);
  expect(await rig.outcome()).toMatchObject({ diagnosis: "other", mayHaveReachedApp: false });
  expect(rig.accepted).toBe(0);
  const exchange = await rig.exchange();
  expect(exchange.status).toBe(502);
});

test("exchanges and upstreams of the two engines can't be mixed", async () => {
  const [one, other] = engines;
  if (one === undefined || other === undefined) throw new Error("two engines, please");
  for (const [mine, theirs] of [
    [one, other],
    [other, one],
  ] as const) {
    await using rig = await rigWith(mine).start({ hold: true, app: () => undefined });
    await using client = await RawClient.open(rig.port);
    client.send(GET);
    const exchange = await rig.exchange();
    const foreign = theirs.createUpstream({ host: "127.0.0.1", port: 1 });
    expect(() => mine.forward(exchange, foreign)).toThrow(TypeError);
    expect(() => theirs.forward(exchange, foreign)).toThrow(TypeError);
  }
});
