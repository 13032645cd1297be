import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import { RawClient, valueOf } from "../support/raw-http.ts";
import { engines, type Rig, rigWith, signalled } from "./rig.ts";

describe.each(engines)("$kind engine", (engine) => {
  const Rig = rigWith(engine);
  const { createUpstream } = engine;

  const GET = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a.example\r\n\r\n`;
  const TIMEOUT = {
    status: 504,
    headers: [["Content-Type", "text/plain; charset=utf-8"]],
    body: "request timeout",
  } as const;

  /** An app that begins an answer with these fields and one piece of body, and then does nothing. */
  async function streaming(fields: Record<string, string>): Promise<Rig> {
    return Rig.start({
      app: (server) =>
        void server.on("request", (_request: IncomingMessage, response: ServerResponse) => {
          response.writeHead(200, fields);
          response.write("chunk 0\n");
        }),
    });
  }

  test("an answer of the platform is whole, has a length and a date, and keeps the connection", async () => {
    await using rig = await Rig.start({ hold: true, onExchange: (exchange) => exchange.respond(TIMEOUT) });
    await using client = await rig.client();
    client.send(GET("/"));
    const response = await client.response();
    expect(response.status).toBe(504);
    expect(response.body).toBe("request timeout");
    expect(response.headers.map(([name]) => name)).toEqual(["Content-Type", "Content-Length", "Date"]);
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(valueOf(await client.response({ head: true }), "content-length")).toBe("15");
    client.send(GET("/"));
    expect((await client.response()).body).toBe("request timeout");
  });

  test("a second answer, and an answer after the response has started, do nothing", async () => {
    await using rig = await Rig.start({
      hold: true,
      onExchange: (exchange) => {
        exchange.respond({ status: 200, body: "first" });
        exchange.respond({ status: 500, body: "second" });
        exchange.cut({ status: 500, body: "third" });
      },
    });
    await using client = await rig.client();
    client.send(GET("/") + GET("/"));
    expect((await client.response()).body).toBe("first");
    expect((await client.response()).body).toBe("first");
    const exchange = await rig.exchange();
    await exchange.finished;
    expect([exchange.responseStarted, exchange.status, exchange.clientGone.aborted]).toEqual([
      true,
      200,
      false,
    ]);
  });

  test("a cut before the response is the platform's answer; the body that nobody read is read away", async () => {
    await using rig = await Rig.start({ hold: true, onExchange: (exchange) => exchange.cut(TIMEOUT) });
    await using client = await rig.client();
    client.send(
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n${"x".repeat(300_000)}${GET("/")}`,
    );
    expect((await client.response()).status).toBe(504);
    expect((await client.response()).status).toBe(504);
  });

  test("a cut of a chunked response appends the text and ends it cleanly (conformance timeout-midstream)", async () => {
    await using rig = await streaming({});
    await using client = await rig.client();
    client.send(GET("/"));
    await client.until((text) => text.includes("chunk 0"));
    (await rig.exchange()).cut(TIMEOUT);
    const response = await client.response();
    expect([response.status, response.body]).toEqual([200, "chunk 0\nrequest timeout"]);
    expect(await rig.outcome()).toEqual({ kind: "aborted" });
    await (
      await rig.exchange()
    ).finished;
  });

  test.each([
    ["1000", "chunk 0\nrequest timeout"],
    // No room for the text.
    ["20", "chunk 0\n"],
  ])(
    "a cut of a response with a declared length of %s ends the connection short of it",
    async (length, body) => {
      await using rig = await streaming({ "Content-Length": length });
      await using client = await rig.client();
      client.send(GET("/"));
      await client.until((text) => text.includes("chunk 0"));
      (await rig.exchange()).cut(TIMEOUT);
      const text = await client.ended();
      expect(text.split("\r\n\r\n")[1]).toBe(body);
      expect(await rig.outcome()).toEqual({ kind: "aborted" });
    },
  );

  test("a cut ends the request at the app", async () => {
    const closed = signalled<boolean>();
    await using rig = await Rig.start({
      app: (server) =>
        void server.on("request", (_request: IncomingMessage, response: ServerResponse) => {
          response.on("close", () => closed.resolve(response.writableFinished));
          response.write("x");
        }),
    });
    await using client = await rig.client();
    client.send(GET("/"));
    await client.until((text) => text.includes("x\r\n"));
    (await rig.exchange()).cut(TIMEOUT);
    expect(await closed.promise).toBe(false);
  });

  test("each piece written to the client is told: the head with the first, then one by one", async () => {
    const steps = signalled<ServerResponse>();
    let writes = 0;
    await using rig = await Rig.start({
      app: (server) =>
        void server.on("request", (_request: IncomingMessage, response: ServerResponse) => {
          response.flushHeaders();
          steps.resolve(response);
        }),
      onExchange: (exchange) => {
        exchange.onWrite = () => {
          writes += 1;
        };
      },
    });
    await using client = await rig.client();
    client.send(GET("/"));
    await client.until((text) => text.includes("\r\n\r\n"));
    const afterHead = writes;
    (await steps.promise).write("piece");
    await client.until((text) => text.includes("piece"));
    expect([afterHead, writes]).toEqual([1, 2]);
  });

  test("the client's leaving while nobody has answered aborts clientGone and settles finished", async () => {
    const gone = signalled();
    await using rig = await Rig.start({
      hold: true,
      onExchange: (exchange) => exchange.clientGone.addEventListener("abort", () => gone.resolve()),
    });
    const client = await rig.client();
    client.send(GET("/"));
    const exchange = await rig.exchange();
    client.socket.destroy();
    await gone.promise;
    await exchange.finished;
    exchange.respond({ status: 200 });
    expect(exchange.responseStarted).toBe(false);
  });

  test("close lets the exchange under way finish, says so in its head, and takes no more", async () => {
    const held = signalled<ServerResponse>();
    await using rig = await Rig.start({
      app: (server) =>
        void server.on("request", (request: IncomingMessage, response: ServerResponse) => {
          if (request.url === "/held") held.resolve(response);
          else response.end("ok");
        }),
    });
    await using idle = await rig.client();
    idle.send(GET("/"));
    await idle.response();
    await using client = await rig.client();
    client.send(GET("/held"));
    const response = await held.promise;
    const closed = rig.front.close();
    await idle.ended();
    await expect(RawClient.open(rig.port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    response.end("late");
    const answer = await client.response();
    expect([answer.body, valueOf(answer, "connection")]).toEqual(["late", "close"]);
    await closed;
  });

  test("close after the head has gone ends the connection with the response, not 75 s later", async () => {
    const held = signalled<ServerResponse>();
    await using rig = await Rig.start({
      app: (server) =>
        void server.on("request", (_request: IncomingMessage, response: ServerResponse) => {
          response.write("a");
          held.resolve(response);
        }),
    });
    await using client = await rig.client();
    client.send(GET("/"));
    await client.until((text) => text.includes("a\r\n"));
    const closed = rig.front.close();
    (await held.promise).end("b");
    expect((await client.response()).body).toBe("ab");
    await closed;
  });

  test("destroy ends what is under way", async () => {
    await using rig = await Rig.start({ hold: true });
    await using client = await rig.client();
    client.send(GET("/"));
    const exchange = await rig.exchange();
    rig.front.destroy();
    await client.ended();
    await exchange.finished;
    await rig.front.close();
  });

  test("an upstream's close ends idle connections, and the one in use when it is done", async () => {
    const held = signalled<ServerResponse>();
    await using rig = await Rig.start({
      app: (server) =>
        void server.on("request", (request: IncomingMessage, response: ServerResponse) => {
          if (request.url === "/held") held.resolve(response);
          else response.end("ok");
        }),
    });
    await using client = await rig.client();
    await using other = await rig.client();
    client.send(GET("/held"));
    const response = await held.promise;
    other.send(GET("/"));
    await other.response();
    expect(rig.upstream.connections).toBe(2);
    const closed = rig.upstream.close();
    response.end("late");
    expect((await client.response()).body).toBe("late");
    await closed;
    expect(rig.upstream.connections).toBe(0);
  });

  test("an upstream that was never used closes at once", async () => {
    await createUpstream({ host: "127.0.0.1", port: 1 }).close();
  });
});
