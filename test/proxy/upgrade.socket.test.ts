import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { valueOf } from "../support/raw-http.ts";
import { engines, type Rig, rigWith, signalled } from "./rig.ts";

describe.each(engines)("$kind engine", (engine) => {
  const Rig = rigWith(engine);

  const UPGRADE =
    "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: Echo\r\nX-A: 1\r\n\r\n";
  const SWITCH =
    "HTTP/1.1 101 Switching To Echo\r\nUpgrade: echo\r\nConnection: Upgrade\r\nX-CaSe: y\r\n\r\n";

  /** An app that switches protocols and hands its end to the test. */
  async function switching(
    options: { greet?: string } = {},
  ): Promise<{ rig: Rig; app: Promise<Socket>; request: Promise<IncomingMessage> }> {
    const app = signalled<Socket>();
    const request = signalled<IncomingMessage>();
    const rig = await Rig.start({
      app: (server) =>
        void server.on("upgrade", (head: IncomingMessage, socket: Socket, early: Buffer) => {
          socket.on("error", () => undefined);
          socket.unshift(early);
          socket.write(SWITCH + (options.greet ?? ""));
          request.resolve(head);
          app.resolve(socket);
        }),
    });
    return { rig, app: app.promise, request: request.promise };
  }

  /** The proxy has let go of the app's socket; half-open as sockets of an upgrade are, it shows as its end. */
  async function leftAlone(socket: Socket): Promise<void> {
    if (!socket.readableEnded && !socket.closed)
      await Promise.race([once(socket, "end"), once(socket, "close")]);
  }

  function received(socket: Socket, length: number): Promise<string> {
    return new Promise((resolve) => {
      let text = "";
      socket.on("data", (chunk: Buffer) => {
        text += chunk.toString("latin1");
        if (text.length >= length) resolve(text);
      });
    });
  }

  test("after 101 bytes flow both ways, those sent early included, and the head passes as it is", async () => {
    const { rig, app, request } = await switching({ greet: "welcome" });
    await using _rig = rig;
    await using client = await rig.client();
    client.send(`${UPGRADE}early`);
    expect(await client.until((text) => text.endsWith("welcome"))).toBe(`${SWITCH}welcome`);
    const socket = await app;
    expect(await received(socket, 5)).toBe("early");
    const head = await request;
    expect([
      head.headers.connection,
      head.headers.upgrade,
      head.headers["x-a"],
      head.headers["k-proxy-request"],
    ]).toEqual(["Upgrade", "Echo", "1", "activator"]);
    socket.write("down");
    await client.until((text) => text.endsWith("down"));
    const exchange = await rig.exchange();
    expect([exchange.upgrade, exchange.status, exchange.responseStarted]).toEqual([true, 101, true]);
  });

  test("a half-close passes, the other direction goes on, and both ended is a completed exchange", async () => {
    const { rig, app } = await switching();
    await using _rig = rig;
    await using client = await rig.client({ allowHalfOpen: true });
    client.send(UPGRADE);
    const socket = await app;
    socket.resume();
    client.socket.end("bye");
    await once(socket, "end");
    socket.write("still here");
    await client.until((text) => text.endsWith("still here"));
    socket.end();
    await client.ended();
    expect(await rig.outcome()).toEqual({ kind: "completed", status: 101 });
    expect((await rig.exchange()).clientGone.aborted).toBe(false);
  });

  test("a half-close from the app passes too", async () => {
    const { rig, app } = await switching();
    await using _rig = rig;
    await using client = await rig.client({ allowHalfOpen: true });
    client.send(UPGRADE);
    const socket = await app;
    socket.end("last words");
    await client.ended();
    expect(client.text).toMatch(/last words$/);
    client.socket.end("thanks");
    expect(await received(socket, 6)).toBe("thanks");
    expect(await rig.outcome()).toEqual({ kind: "completed", status: 101 });
  });

  test("the client's reset reaches the app", async () => {
    const { rig, app } = await switching();
    await using _rig = rig;
    const client = await rig.client();
    client.send(UPGRADE);
    const socket = await app;
    socket.resume();
    const { clientGone } = await rig.exchange();
    await client.until((text) => text.endsWith("\r\n\r\n"));
    client.socket.resetAndDestroy();
    await leftAlone(socket);
    expect(await rig.outcome()).toEqual({ kind: "client-gone" });
    expect(clientGone.aborted).toBe(true);
  });

  test("the app's reset ends the client's connection", async () => {
    const { rig, app } = await switching();
    await using _rig = rig;
    await using client = await rig.client();
    client.send(UPGRADE);
    const socket = await app;
    await client.until((text) => text.endsWith("\r\n\r\n"));
    socket.resetAndDestroy();
    await client.ended();
    expect(await rig.outcome()).toMatchObject({ kind: "upstream-error", started: true });
  });

  test("a cut closes both ends and appends nothing (conformance websocket-timeout)", async () => {
    const { rig, app } = await switching();
    await using _rig = rig;
    await using client = await rig.client();
    client.send(UPGRADE);
    const socket = await app;
    socket.resume();
    await client.until((text) => text.endsWith("\r\n\r\n"));
    (await rig.exchange()).cut({ status: 504, body: "request timeout" });
    expect(await client.ended()).toBe(SWITCH);
    await leftAlone(socket);
    expect(await rig.outcome()).toEqual({ kind: "aborted" });
    await (
      await rig.exchange()
    ).finished;
  });

  test("a refusal of the upgrade is an ordinary answer, body and all", async () => {
    await using rig = await Rig.start({
      app: (server) =>
        void server.on("upgrade", (_request: IncomingMessage, socket: Socket) => {
          socket.end(
            "HTTP/1.1 426 Use Another\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 4\r\n\r\nnope",
          );
        }),
    });
    await using client = await rig.client();
    client.send(UPGRADE);
    const response = await client.response();
    expect([response.status, response.statusText, response.body]).toEqual([426, "Use Another", "nope"]);
    expect([valueOf(response, "upgrade"), valueOf(response, "connection")]).toEqual([
      "websocket",
      "close, Upgrade",
    ]);
    await client.ended();
    expect(await rig.outcome()).toEqual({ kind: "completed", status: 426 });
  });

  test("an app that ignores the upgrade answers as usual, in chunks", async () => {
    await using rig = await Rig.start({
      app: (server) =>
        void server.on("request", (_request: IncomingMessage, response: ServerResponse) => {
          response.write("plain ");
          response.end("answer");
        }),
    });
    await using client = await rig.client();
    client.send(UPGRADE);
    const response = await client.response();
    expect([response.status, response.body, valueOf(response, "connection")]).toEqual([
      200,
      "plain answer",
      "close",
    ]);
    await client.ended();
  });

  test("the platform can answer an upgrade request, and cut it before the app has", async () => {
    const reached = signalled<Socket>();
    await using rig = await Rig.start({
      app: (server) => void server.on("upgrade", (_head, socket) => reached.resolve(socket as Socket)),
    });
    await using client = await rig.client();
    client.send(UPGRADE);
    const socket = await reached.promise;
    (await rig.exchange()).cut({ status: 504, body: "request timeout" });
    const response = await client.response();
    expect([response.status, response.body]).toEqual([504, "request timeout"]);
    socket.resume();
    await leftAlone(socket);
    expect(await rig.outcome()).toEqual({ kind: "aborted" });
  });

  test("the client's leaving before the 101 ends the request at the app", async () => {
    const reached = signalled<Socket>();
    await using rig = await Rig.start({
      app: (server) => void server.on("upgrade", (_head, socket) => reached.resolve(socket as Socket)),
    });
    const client = await rig.client();
    client.send(UPGRADE);
    const socket = await reached.promise;
    socket.resume();
    client.socket.destroy();
    await leftAlone(socket);
    expect(await rig.outcome()).toEqual({ kind: "client-gone" });
  });

  test("an app that switches to something else than asked is refused", async () => {
    await using rig = await Rig.start({
      app: (server) =>
        void server.on("upgrade", (_request: IncomingMessage, socket: Socket) => {
          socket.write("HTTP/1.1 101 OK\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\n");
        }),
    });
    await using client = await rig.client();
    client.send(UPGRADE);
    const response = await client.response();
    expect([response.status, response.body]).toEqual([
      502,
      'backend tried to switch protocol "other" when "Echo" was requested\n',
    ]);
  });

  test.each([
    [
      "an offer of h2c",
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n\r\n",
      "",
    ],
    [
      "an upgrade in HTTP/1.0",
      "GET / HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n",
      "",
    ],
    [
      "an upgrade with a body",
      "POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\nContent-Length: 5\r\n\r\nhello",
      "hello",
    ],
    [
      "an upgrade with a chunked body",
      "POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
      "hello",
    ],
  ])("%s is an ordinary request", async (_name, request, body) => {
    await using rig = await Rig.start({
      app: (server) =>
        void server.on("request", (head: IncomingMessage, response: ServerResponse) => {
          let text = "";
          head.on("data", (chunk: Buffer) => {
            text += chunk.toString();
          });
          head.on("end", () =>
            response.end(JSON.stringify([head.headers.upgrade, head.headers["http2-settings"], text])),
          );
        }),
    });
    await using client = await rig.client();
    client.send(request);
    if (request.includes("HTTP/1.0")) await client.ended();
    const response = await client.response();
    expect([response.status, JSON.parse(response.body)]).toEqual([200, [null, null, body]]);
    if (request.includes("HTTP/1.0")) return;
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect((await client.response()).status).toBe(200);
  });

  test("CONNECT is refused", async () => {
    await using rig = await Rig.start({ app: () => undefined });
    await using client = await rig.client();
    client.send("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n");
    expect(await client.ended()).toMatch(/^HTTP\/1\.1 405 Method Not Allowed\r\n/);
    expect(rig.exchanges).toEqual([]);
  });

  test("a front server's destroy ends tunnels", async () => {
    const { rig, app } = await switching();
    await using _rig = rig;
    await using client = await rig.client();
    client.send(UPGRADE);
    const socket = await app;
    socket.resume();
    rig.front.destroy();
    await client.ended();
    await leftAlone(socket);
    await rig.front.close();
  });

  test("a WebSocket client and server talk through it: text, 1 MiB binary, ping, closing handshake", async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: true });
    await once(server, "listening");
    server.on("connection", (socket) => {
      socket.on("message", (data, binary) => socket.send(data as Buffer, { binary }));
    });
    await using rig = await Rig.start({
      app: (http) =>
        void http.on("upgrade", (request, socket, head) => {
          server.handleUpgrade(request, socket, head, (ws) => server.emit("connection", ws, request));
        }),
    });
    expect((server.address() as AddressInfo).port).toBeGreaterThan(0);
    const client = new WebSocket(`ws://127.0.0.1:${rig.port}/chat`, { perMessageDeflate: true });
    await once(client, "open");
    client.send("héllo");
    const [text] = (await once(client, "message")) as [Buffer];
    expect(text.toString()).toBe("héllo");
    const big = Buffer.alloc(1 << 20, "0123456789");
    client.send(big);
    const [back] = (await once(client, "message")) as [Buffer];
    expect(back.equals(big)).toBe(true);
    client.ping("p");
    const [pong] = (await once(client, "pong")) as [Buffer];
    expect(pong.toString()).toBe("p");
    client.close(4000, "done");
    const [code] = (await once(client, "close")) as [number];
    expect(code).toBe(4000);
    expect(await rig.outcome()).toEqual({ kind: "completed", status: 101 });
    await new Promise((resolve) => server.close(resolve));
  });
});
