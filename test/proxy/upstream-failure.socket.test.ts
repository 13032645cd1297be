import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import type { ForwardOutcome } from "../../src/proxy/forward.ts";
import { engines, type Rig, rigWith, signalled } from "./rig.ts";

describe.each(engines)("$kind engine", (engine) => {
  const Rig = rigWith(engine);
  const { forward, createUpstream } = engine;

  const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  const BROKEN = "net/http: HTTP/1.x transport connection broken: ";

  async function outcomeOf(
    rawApp: (socket: Socket) => void,
    request = GET,
  ): Promise<{ outcome: ForwardOutcome; text: string; rig: Rig }> {
    const rig = await Rig.start({ rawApp });
    await using client = await rig.client();
    client.send(request);
    const outcome = await rig.outcome();
    const { body } =
      outcome.kind === "upstream-error" && outcome.started ? { body: "" } : await client.response();
    await rig[Symbol.asyncDispose]();
    return { outcome, text: body, rig };
  }

  const onRequest = (reply: (socket: Socket) => void) => (socket: Socket) =>
    void socket.once("data", () => reply(socket));

  test.each<[string, (socket: Socket) => void, string, string]>([
    ["closes without a word", onRequest((socket) => socket.end()), "eof", "EOF"],
    [
      "breaks off inside the head",
      onRequest((socket) => socket.end("HTTP/1.1 200 OK\r\nX: ")),
      "eof",
      `${BROKEN}unexpected EOF`,
    ],
    [
      "says something else",
      onRequest((socket) => socket.write('hello "you"\t\xff\n')),
      "malformed",
      `${BROKEN}malformed HTTP response "hello \\"you\\"\\tÿ"`,
    ],
    [
      "speaks TLS",
      onRequest((socket) => socket.write(Buffer.from([0x15, 3, 1, 0, 2, 2, 0x16]))),
      "tls",
      `${BROKEN}malformed HTTP response "\\x15\\x03\\x01\\x00\\x02\\x02\\x16"`,
    ],
    [
      "speaks HTTP/2",
      onRequest((socket) => socket.write(Buffer.from([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0x40, 0]))),
      "http2",
      `${BROKEN}malformed HTTP response "\\x00\\x00\\x06\\x04\\x00\\x00\\x00\\x00\\x00\\x00\\x05\\x00\\x00@\\x00"`,
    ],
    [
      "sends both framings",
      onRequest((socket) =>
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
      ),
      "malformed",
      `${BROKEN}malformed HTTP response "HTTP/1.1 200 OK"`,
    ],
    [
      "sends a coding that we don't know",
      onRequest((socket) =>
        socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"),
      ),
      "malformed",
      `${BROKEN}unsupported transfer encoding: "gzip, chunked"`,
    ],
    [
      "sends a control character in a field",
      onRequest((socket) => socket.write("HTTP/1.1 200 OK\r\nX: a\x01b\r\n\r\n")),
      "malformed",
      `${BROKEN}malformed HTTP response "HTTP/1.1 200 OK"`,
    ],
    [
      "sends a head of 2 MiB",
      onRequest((socket) => void socket.write(`HTTP/1.1 200 OK\r\nX: ${"x".repeat(2 << 20)}\r\n\r\n`)),
      "malformed",
      `${BROKEN}net/http: server response headers exceeded 1048576 bytes; aborted`,
    ],
  ])(
    "an app that %s: nothing is answered, and the error says what Go's proxy says",
    async (_name, app, diagnosis, goMessage) => {
      const { outcome, text } = await outcomeOf(app);
      expect(outcome).toMatchObject({
        kind: "upstream-error",
        diagnosis,
        goMessage,
        started: false,
        mayHaveReachedApp: true,
      });
      expect(text).toBe(`${Buffer.from(goMessage).toString("latin1")}\n`);
    },
  );

  test.each([
    ["a status of 99", "HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n"],
    ["a control character in the status text", "HTTP/1.1 200 a\x01b\r\nContent-Length: 0\r\n\r\n"],
  ])("%s is refused, and the exchange is still to be answered", async (_name, bytes) => {
    const { outcome, text } = await outcomeOf(onRequest((socket) => socket.write(bytes)));
    expect(outcome).toMatchObject({ kind: "upstream-error", diagnosis: "malformed", started: false });
    expect(text).toMatch(/^net\/http: HTTP\/1\.x transport connection broken: /);
  });

  test.each([
    ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "Content-Length: 2\r\n", "ok"],
    ["HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "Transfer-Encoding: chunked\r\n", ""],
    [
      "POST / HTTP/1.1\r\nHost: a\r\nTrailer: X-Q\r\nContent-Length: 1\r\n\r\nx",
      "Content-Length: 2\r\n",
      "ok",
    ],
  ])("Trailer announced without chunks does no harm: %j", async (request, framing, body) => {
    await using rig = await Rig.start({
      rawApp: onRequest((socket) => socket.write(`HTTP/1.1 200 OK\r\nTrailer: X-T\r\n${framing}\r\n${body}`)),
    });
    await using client = await rig.client();
    client.send(request);
    const response = await client.response({ head: request.startsWith("HEAD") });
    expect([response.status, response.body]).toEqual([200, body]);
  });

  test("an app that resets the connection is told from one that closes it", async () => {
    const { outcome, rig } = await outcomeOf(onRequest((socket) => socket.resetAndDestroy()));
    expect(outcome).toMatchObject({ kind: "upstream-error", diagnosis: "reset", started: false });
    expect((outcome as { goMessage: string }).goMessage).toMatch(
      new RegExp(
        `^read tcp 127\\.0\\.0\\.1:\\d+->127\\.0\\.0\\.1:${rig.appPort}: read: connection reset by peer$`,
      ),
    );
  });

  test("nobody listening: refused, as Go says it, with the address that users know", async () => {
    await using rig = await Rig.start({ hold: true });
    const gone = createUpstream({ host: "127.0.0.1", port: 1 }, { shownAs: "127.0.0.1:8080" });
    await using client = await rig.client();
    client.send(GET);
    const exchange = await rig.exchange();
    const outcome = await forward(exchange, gone, { signal: new AbortController().signal });
    expect(outcome).toMatchObject({
      kind: "upstream-error",
      goMessage: "dial tcp 127.0.0.1:8080: connect: connection refused",
      diagnosis: "refused",
      started: false,
      mayHaveReachedApp: false,
    });
    exchange.respond({ status: 502, body: "done" });
    expect((await client.response()).body).toBe("done");
  });

  test("an exchange whose instance refused is served by the next instance, body and all", async () => {
    await using rig = await Rig.start({
      hold: true,
      app: (server) =>
        void server.on("request", (request, response) => {
          request.setEncoding("utf8");
          let body = "";
          request.on("data", (chunk: string) => {
            body += chunk;
          });
          request.on("end", () => response.end(`got ${body}`));
        }),
    });
    const gone = createUpstream({ host: "127.0.0.1", port: 1 });
    await using client = await rig.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    const exchange = await rig.exchange();
    const first = await forward(exchange, gone, { signal: new AbortController().signal });
    expect(first).toMatchObject({ kind: "upstream-error", mayHaveReachedApp: false });
    const second = forward(exchange, rig.upstream, { signal: new AbortController().signal });
    expect((await client.response()).body).toBe("got hello");
    expect(await second).toEqual({ kind: "completed", status: 200 });
  });

  test("an unsolicited 101 is an error of the app, not a hang", async () => {
    const { outcome } = await outcomeOf(
      onRequest((socket) =>
        socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"),
      ),
    );
    expect(outcome).toMatchObject({
      kind: "upstream-error",
      goMessage: 'backend tried to switch protocol "x" when "" was requested',
      started: false,
    });
  });

  test("a chunk size gone wrong after the start ends the client's connection", async () => {
    const { outcome } = await outcomeOf(
      onRequest((socket) =>
        socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nzz\r\n"),
      ),
    );
    expect(outcome).toMatchObject({ kind: "upstream-error", diagnosis: "truncated" });
  });

  /** An app that answers one request on its first connection, then closes it just as the next request arrives there. */
  function closesKeptAlive(requests: string[]): (socket: Socket) => void {
    let connections = 0;
    return (socket) => {
      const number = (connections += 1);
      let served = 0;
      socket.on("data", (bytes) => {
        requests.push(`${number}: ${bytes.toString("latin1").split(" ")[0]}`);
        if (number === 1 && served === 1) {
          socket.destroy();
          return;
        }
        served += 1;
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      });
    };
  }

  test.each([
    ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", true],
    ["OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", true],
    ["POST / HTTP/1.1\r\nHost: a\r\nIdempotency-Key: 1\r\n\r\n", true],
    ["DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", false],
    ["POST / HTTP/1.1\r\nHost: a\r\n\r\n", false],
    ["PUT / HTTP/1.1\r\nHost: a\r\nIdempotency-Key: 1\r\nContent-Length: 1\r\n\r\nx", false],
  ])("on a kept-alive connection that the app closes, %j is sent again: %s", async (request, again) => {
    const requests: string[] = [];
    await using rig = await Rig.start({ rawApp: closesKeptAlive(requests) });
    await using client = await rig.client();
    client.send(GET);
    await client.response();
    client.send(request);
    const response = await client.response();
    const method = request.split(" ")[0];
    if (again) {
      expect([response.status, requests]).toEqual([200, ["1: GET", `1: ${method}`, `2: ${method}`]]);
    } else {
      expect([response.status, response.body, requests]).toEqual([502, "EOF\n", ["1: GET", `1: ${method}`]]);
      expect(await rig.outcome(1)).toMatchObject({ diagnosis: "eof", reusedConnection: true });
    }
  });

  test("a fresh connection that the app closes is not tried again", async () => {
    let connections = 0;
    const { outcome } = await outcomeOf((socket) => {
      connections += 1;
      socket.once("data", () => socket.destroy());
    });
    expect(outcome).toMatchObject({ diagnosis: "eof", reusedConnection: false });
    expect(connections).toBe(1);
  });

  test("bytes that an app sends between two requests are nobody's answer", async () => {
    const idle = signalled<Socket>();
    await using rig = await Rig.start({
      rawApp: (socket) => {
        socket.on("data", (bytes) => {
          const path = bytes.toString("latin1").split(" ")[1];
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${path === "/a" ? "aa" : "bb"}`);
          idle.resolve(socket);
        });
      },
    });
    await using client = await rig.client();
    client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    expect((await client.response()).body).toBe("aa");
    await rig.outcome();
    const socket = await idle.promise;
    const before = rig.upstream.connections;
    await new Promise((resolve) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", resolve));
    // Two turns of the loop that the proxy shares: what is in the kernel has been read then.
    for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(before).toBe(1);
    client.send("GET /b HTTP/1.1\r\nHost: a\r\n\r\n");
    expect((await client.response()).body).toBe("bb");
    expect(rig.accepted).toBe(2);
  });
});
