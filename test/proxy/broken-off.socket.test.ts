import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import { engines, rigWith, signalled } from "./rig.ts";

describe.each(engines)("$kind engine", (engine) => {
  const Rig = rigWith(engine);

  type App = (request: IncomingMessage, response: ServerResponse) => void;
  const app = (handler: App) => ({
    app: (server: { on: (name: "request", handler: App) => unknown }) => void server.on("request", handler),
  });
  const GET = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a.example\r\n\r\n`;

  test("the client's leaving before the response aborts the request at the app", async () => {
    const reached = signalled();
    const closed = signalled<boolean>();
    await using rig = await Rig.start(
      app((_request, response) => {
        response.on("close", () => closed.resolve(response.writableFinished));
        reached.resolve();
      }),
    );
    const client = await rig.client();
    client.send(GET("/"));
    await reached.promise;
    const exchange = await rig.exchange();
    const { clientGone } = exchange;
    client.socket.destroy();
    expect(await closed.promise).toBe(false);
    expect(await rig.outcome()).toEqual({ kind: "client-gone" });
    expect(clientGone.aborted).toBe(true);
    await exchange.finished;
  });

  test("the client's leaving during the response aborts it at the app", async () => {
    const closed = signalled<boolean>();
    await using rig = await Rig.start(
      app((_request, response) => {
        response.write("x");
        response.on("close", () => closed.resolve(response.writableFinished));
      }),
    );
    const client = await rig.client();
    client.send(GET("/"));
    await client.until((text) => text.includes("x\r\n"));
    client.socket.destroy();
    expect(await closed.promise).toBe(false);
    expect(await rig.outcome()).toEqual({ kind: "client-gone" });
  });

  test("the client's leaving in the middle of its body aborts the request at the app", async () => {
    const reached = signalled();
    const aborted = signalled();
    await using rig = await Rig.start(
      app((request) => {
        request.once("data", () => reached.resolve());
        request.on("close", () => void (request.complete || aborted.resolve()));
      }),
    );
    const client = await rig.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345");
    await reached.promise;
    client.socket.destroy();
    await aborted.promise;
    expect(await rig.outcome()).toEqual({ kind: "client-gone" });
  });

  test.each([
    ["a declared length", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n12345"],
    ["chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n"],
  ])("a response of %s that breaks off ends without a clean end", async (_name, bytes) => {
    const cut = signalled<() => void>();
    await using rig = await Rig.start({
      rawApp: (socket) => {
        socket.once("data", () => socket.write(bytes));
        cut.resolve(() => socket.destroy());
      },
    });
    await using client = await rig.client();
    client.send(GET("/"));
    await client.until((text) => text.includes("12345"));
    (await cut.promise)();
    const text = await client.ended();
    expect(text).not.toContain("\r\n0\r\n");
    expect(await rig.outcome()).toMatchObject({
      kind: "upstream-error",
      diagnosis: "truncated",
      goMessage: "unexpected EOF",
      started: true,
      mayHaveReachedApp: true,
    });
  });

  test("to an HTTP/1.0 client, whose body ends with the connection, truncation shows as a reset", async () => {
    const cut = signalled<() => void>();
    await using rig = await Rig.start({
      rawApp: (socket) => {
        socket.once("data", () =>
          socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n"),
        );
        cut.resolve(() => socket.destroy());
      },
    });
    await using client = await rig.client();
    client.send("GET / HTTP/1.0\r\n\r\n");
    await client.until((text) => text.endsWith("12345"));
    (await cut.promise)();
    await client.ended();
    expect(client.ending).toBe("reset");
  });

  test("an app that answers and closes while the body still comes: the answer gets through", async () => {
    await using rig = await Rig.start({
      rawApp: (socket) => {
        socket.once("data", () => socket.end("HTTP/1.1 413 Too Large\r\nContent-Length: 7\r\n\r\ntoo big"));
      },
    });
    for (let round = 0; round < 20; round += 1) {
      await using client = await rig.client();
      client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n`);
      for (let piece = 0; piece < 40; piece += 1) client.send("x".repeat(100_000));
      const response = await client.response();
      expect([round, response.status, response.body]).toEqual([round, 413, "too big"]);
    }
  });
});
