/** How much is taken in while the other side reads nothing: in bytes, since a rate would depend on the machine. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { RawClient } from "../support/raw-http.ts";
import { engines, rigWith, signalled } from "./rig.ts";

describe.each(engines)("$kind engine", (engine) => {
  const Rig = rigWith(engine);

  const PIECE = Buffer.alloc(64 * 1024, "x");
  /** More than the buffers of all sockets on the way hold together (tcp_wmem and tcp_rmem end at a few MiB each). */
  const MANY = 64 * 1024 * 1024;

  /** Writes until the peer takes no more for `turns` looks, or `MANY` is gone; returns the bytes written. */
  async function fill(writer: {
    write: (chunk: Buffer) => boolean;
    writableLength: number;
    once: (event: "drain", run: () => void) => unknown;
  }): Promise<number> {
    let written = 0;
    while (written < MANY) {
      written += PIECE.length;
      if (writer.write(PIECE)) continue;
      const drained = new Promise<boolean>((resolve) => writer.once("drain", () => resolve(true)));
      if (!(await Promise.race([drained, stillFor(300)]))) return written - writer.writableLength;
    }
    return written;
  }

  /** False after so many ms: what is measured is that nothing happens, for which there is no event. */
  function stillFor(ms: number): Promise<boolean> {
    return new Promise((resolve) => setTimeout(() => resolve(false), ms));
  }

  async function direct(
    run: (port: number) => Promise<number>,
    handler: (request: IncomingMessage, response: ServerResponse) => void,
  ): Promise<number> {
    const server = createServer(handler);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const taken = await run((server.address() as AddressInfo).port);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    return taken;
  }

  test("a client that reads nothing holds the app back", async () => {
    const measure = async (port: number, taken: Promise<number>): Promise<number> => {
      await using client = await RawClient.open(port);
      client.socket.pause();
      client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      return taken;
    };
    const responding =
      (done: (taken: number) => void) => (_request: IncomingMessage, response: ServerResponse) => {
        response.writeHead(200, { "Content-Length": String(MANY * 2) });
        void fill(response.socket as Socket).then(done);
      };
    const alone = signalled<number>();
    const without = await direct((port) => measure(port, alone.promise), responding(alone.resolve));
    const through = signalled<number>();
    await using rig = await Rig.start({
      app: (server) => void server.on("request", responding(through.resolve)),
    });
    const taken = await measure(rig.port, through.promise);
    expect(without).toBeLessThan(MANY / 2);
    // One more pair of sockets on the way, and little else.
    expect(taken).toBeLessThan(without * 2 + 1024 * 1024);
  });

  test("an app that reads nothing holds the client back", async () => {
    const measure = async (port: number): Promise<number> => {
      await using client = await RawClient.open(port);
      client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${MANY * 2}\r\n\r\n`);
      return fill(client.socket);
    };
    const ignoring = (request: IncomingMessage): void => void request.pause();
    const without = await direct(measure, ignoring);
    await using rig = await Rig.start({ app: (server) => void server.on("request", ignoring) });
    const taken = await measure(rig.port);
    expect(without).toBeLessThan(MANY / 2);
    expect(taken).toBeLessThan(without * 2 + 1024 * 1024);
  });

  test("a tunnel holds back in both directions", async () => {
    const app = signalled<Socket>();
    await using rig = await Rig.start({
      app: (server) =>
        void server.on("upgrade", (_request: IncomingMessage, socket: Socket) => {
          socket.write("HTTP/1.1 101 OK\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n");
          app.resolve(socket);
        }),
    });
    await using client = await rig.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
    await client.until((text) => text.endsWith("\r\n\r\n"));
    client.socket.pause();
    const socket = await app.promise;
    expect(await fill(client.socket)).toBeLessThan(MANY / 2);
    expect(await fill(socket)).toBeLessThan(MANY / 2);
  });

  test("64 MiB go through whole in both directions, slow readers included", async () => {
    const size = 64 * 1024 * 1024;
    await using rig = await Rig.start({
      app: (server) =>
        void server.on("request", (request: IncomingMessage, response: ServerResponse) => {
          request.pipe(response);
        }),
    });
    await using client = await rig.client();
    let back = 0;
    const all = signalled();
    client.socket.removeAllListeners("data");
    client.socket.on("data", (chunk: Buffer) => {
      back += chunk.length;
      if (back > size) all.resolve();
      if (back % 7 === 0) {
        client.socket.pause();
        setImmediate(() => client.socket.resume());
      }
    });
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${size}\r\n\r\n`);
    for (let sent = 0; sent < size; sent += PIECE.length) {
      if (!client.socket.write(PIECE)) await new Promise((resolve) => client.socket.once("drain", resolve));
    }
    await all.promise;
    expect(await rig.outcome()).toEqual({ kind: "completed", status: 200 });
  });
});
