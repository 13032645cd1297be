import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { engines, rigWith, signalled } from "./rig.ts";

describe.each(engines)("$kind engine", (engine) => {
  const Rig = rigWith(engine);
  const { forward } = engine;

  const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

  test.each([
    ["Keep-Alive: timeout=1\r\n", 2, "is too short a promise"],
    ["Keep-Alive: timeout=5, max=10\r\n", 1, "is long enough"],
    ["Connection: close\r\n", 2, "says so"],
    ["", 1, "says nothing"],
  ])("an app whose %j comes with two requests gets %i connections: it %s", async (field, connections) => {
    await using rig = await Rig.start({
      rawApp: (socket) =>
        void socket.on("data", () => socket.write(`HTTP/1.1 200 OK\r\n${field}Content-Length: 2\r\n\r\nok`)),
    });
    await using client = await rig.client();
    for (let i = 0; i < 2; i += 1) {
      client.send(GET);
      expect((await client.response()).body).toBe("ok");
    }
    expect(rig.accepted).toBe(connections);
  });

  test("a response that ends with the app's connection is chunked for the client, whose connection lives on", async () => {
    await using rig = await Rig.start({
      rawApp: (socket) =>
        void socket.on("data", () => socket.end("HTTP/1.0 200 OK\r\nX-A: 1\r\n\r\nold style")),
    });
    await using client = await rig.client();
    for (let i = 0; i < 2; i += 1) {
      client.send(GET);
      const response = await client.response();
      expect([response.status, response.body]).toEqual([200, "old style"]);
    }
  });

  test("an app's closing of an idle connection is noticed before the next request", async () => {
    const sockets: Socket[] = [];
    await using rig = await Rig.start({
      rawApp: (socket) => {
        sockets.push(socket);
        socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
      },
    });
    await using client = await rig.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
    await client.response();
    const closed = new Promise((resolve) => sockets[0]?.once("close", resolve));
    sockets[0]?.end();
    await closed;
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
    expect((await client.response()).status).toBe(200);
    expect(rig.accepted).toBe(2);
  });

  test("without a signal, answering the exchange ends the request to the app", async () => {
    const reached = signalled();
    const closed = signalled();
    await using rig = await Rig.start({
      hold: true,
      app: (server) =>
        void server.on("request", (_request: IncomingMessage, response: ServerResponse) => {
          response.on("close", () => closed.resolve());
          reached.resolve();
        }),
    });
    await using client = await rig.client();
    client.send(GET);
    const exchange = await rig.exchange();
    const outcome = forward(exchange, rig.upstream);
    await reached.promise;
    exchange.respond({ status: 504, body: "late" });
    expect(await outcome).toEqual({ kind: "aborted" });
    await closed.promise;
    expect((await client.response()).body).toBe("late");
  });

  test("a cut of a response to HTTP/1.0 appends the text and ends with the connection", async () => {
    await using rig = await Rig.start({
      app: (server) =>
        void server.on("request", (_request: IncomingMessage, response: ServerResponse) => {
          response.write("chunk 0\n");
        }),
    });
    await using client = await rig.client();
    client.send("GET / HTTP/1.0\r\n\r\n");
    await client.until((text) => text.includes("chunk 0"));
    (await rig.exchange()).cut({ status: 504, body: "request timeout" });
    expect(await client.ended()).toMatch(/\r\n\r\nchunk 0\nrequest timeout$/);
    expect(client.ending).toBe("end");
  });

  test("forward on an exchange that is over already says so", async () => {
    await using rig = await Rig.start({ hold: true, app: () => undefined });
    const client = await rig.client();
    client.send(GET);
    const exchange = await rig.exchange();
    client.socket.destroy();
    await exchange.finished;
    expect(await forward(exchange, rig.upstream)).toEqual({ kind: "client-gone" });
    await using other = await rig.client();
    other.send(GET);
    const answered = await rig.exchange(1);
    answered.respond({ status: 200 });
    expect(await forward(answered, rig.upstream)).toEqual({ kind: "aborted" });
    expect(rig.accepted).toBe(0);
  });
});
