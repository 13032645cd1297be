/** Listens for clients on bare sockets and turns what they send into exchanges. */
import { createServer, type Server, type Socket } from "node:net";
import type { Clock } from "../../kernel/clock.ts";
import type { Exchange } from "../exchange.ts";
import type { FrontServer, FrontServerOptions } from "../front-server.ts";
import { ClientConnection, type ConnectionOwner } from "./client-connection.ts";
import { Deadlines } from "./deadlines.ts";
import { HttpDate } from "./http-date.ts";
import type { RawExchange } from "./raw-exchange.ts";

/** The limits of FrontServerOptions hold to a fifth, and to a second at the most. */
const TICKS = 5;
const LONGEST_TICK_MS = 1000;
const SHORTEST_TICK_MS = 10;

export class RawFrontServer implements FrontServer, ConnectionOwner {
  readonly maxHeaderBytes: number;
  readonly keepAliveTimeoutMs: number;
  readonly headersTimeoutMs: number;
  readonly deadlines: Deadlines;
  readonly date = new HttpDate();
  readonly #server: Server;
  readonly #handler: (exchange: Exchange) => void;
  readonly #connections = new Set<ClientConnection>();
  #closed: Promise<void> | undefined;

  constructor(handler: (exchange: Exchange) => void, clock: Clock, options: FrontServerOptions) {
    this.#handler = handler;
    this.maxHeaderBytes = options.maxHeaderBytes ?? 64 * 1024;
    this.keepAliveTimeoutMs = options.keepAliveTimeoutMs ?? 75_000;
    this.headersTimeoutMs = options.headersTimeoutMs ?? 60_000;
    const shortest = Math.min(this.keepAliveTimeoutMs, this.headersTimeoutMs) / TICKS;
    this.deadlines = new Deadlines(clock, Math.max(SHORTEST_TICK_MS, Math.min(LONGEST_TICK_MS, shortest)));
    // Half-open, since a tunnel passes the end of one direction on.
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket: Socket) => {
      this.#connections.add(new ClientConnection(socket, this));
    });
  }

  /** Set once it listens: an accept that fails (out of file descriptors, say) costs that client, not the process. */
  #outliveErrors(): void {
    this.#server.on("error", () => undefined);
  }

  get draining(): boolean {
    return this.#closed !== undefined;
  }

  accept(exchange: RawExchange): void {
    this.#handler(exchange);
  }

  left(connection: ClientConnection): void {
    this.#connections.delete(connection);
  }

  listen(port: number, host: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ port, host, backlog: 1024 }, () => {
        this.#server.off("error", reject);
        this.#outliveErrors();
        const address = this.#server.address();
        resolve(typeof address === "object" && address !== null ? address.port : port);
      });
    });
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      // The callback's error only says that it wasn't listening.
      this.#server.close(() => resolve());
      for (const connection of this.#connections) connection.endIdle();
    });
    return this.#closed;
  }

  destroy(): void {
    void this.close();
    for (const connection of this.#connections) connection.socket.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.destroy();
    return this.close();
  }
}
