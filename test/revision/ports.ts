/** Ports to be probed, closed with the test. */
import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { ProbeTarget } from "../../src/revision/probe/attempt.ts";

const cleanups: Array<() => void> = [];
/** For afterEach. */
export function closePorts(): void {
  for (const cleanup of cleanups.splice(0)) cleanup();
}

/** Runs `cleanup` with the test's end. */
export function atEnd(cleanup: () => void): void {
  cleanups.push(cleanup);
}

export async function listening(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
  });
  cleanups.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

export const http = (handler: RequestListener): Promise<number> => listening(createHttpServer(handler));
export const tcp = (handler: (socket: Socket) => void): Promise<number> => listening(createServer(handler));

/** A port that nobody listens on: one that was free a moment ago. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

export function targetAt(
  port: number,
  options: { connectProves?: boolean; exec?: ProbeTarget["exec"] } = {},
): ProbeTarget {
  return {
    address: { host: "127.0.0.1", port, connectProves: options.connectProves ?? true },
    port: 8080,
    exec: options.exec ?? (() => Promise.reject(new Error("no exec here"))),
  };
}
