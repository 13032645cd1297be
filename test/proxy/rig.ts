/** An app, the proxy in front of it, and what became of each request. */
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { createServer as createNetServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Exchange } from "../../src/proxy/exchange.ts";
import { ENGINE_KINDS, type ProxyEngine, proxyEngine } from "../../src/proxy/engine.ts";
import type { FrontServer, FrontServerOptions } from "../../src/proxy/front-server.ts";
import type { ForwardOutcome } from "../../src/proxy/forward.ts";
import type { HeaderPlan } from "../../src/proxy/headers.ts";
import type { Upstream } from "../../src/proxy/upstream.ts";
import { RawClient } from "../support/raw-http.ts";

/** Both engines of the data path: every suite here holds for either. */
export const engines: readonly ProxyEngine[] = ENGINE_KINDS.map((kind) => proxyEngine(kind));

/** `start` for one engine, in the place of the class's own. */
export function rigWith(engine: ProxyEngine): { start: (options: RigOptions) => Promise<Rig> } {
  return { start: (options) => Rig.start(options, engine) };
}

export interface RigOptions {
  readonly app?: (server: HttpServer) => void;
  /** An app of bytes: called for each connection. */
  readonly rawApp?: (socket: Socket) => void;
  readonly headers?: HeaderPlan;
  readonly front?: FrontServerOptions;
  /** Told about each exchange before it is forwarded. */
  readonly onExchange?: (exchange: Exchange, abort: AbortController) => void;
  /** Don't forward at all. */
  readonly hold?: boolean;
}

export class Rig implements AsyncDisposable {
  readonly engine: ProxyEngine;
  readonly server: Server;
  readonly front: FrontServer;
  readonly upstream: Upstream;
  readonly port: number;
  readonly appPort: number;
  readonly exchanges: Exchange[] = [];
  readonly #outcomes: ForwardOutcome[] = [];
  readonly #waiters = new Set<() => void>();
  readonly #sockets = new Set<Socket>();
  /** Connections that the app has ever got. */
  accepted = 0;

  private constructor(parts: Pick<Rig, "engine" | "server" | "front" | "upstream" | "port" | "appPort">) {
    this.engine = parts.engine;
    this.server = parts.server;
    this.front = parts.front;
    this.upstream = parts.upstream;
    this.port = parts.port;
    this.appPort = parts.appPort;
  }

  static async start(options: RigOptions, engine: ProxyEngine): Promise<Rig> {
    const server = options.rawApp === undefined ? createHttpServer() : createNetServer(options.rawApp);
    if (options.app !== undefined) options.app(server as HttpServer);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const appPort = (server.address() as AddressInfo).port;
    const upstream = engine.createUpstream({ host: "127.0.0.1", port: appPort });
    let rig: Rig | undefined;
    const front = engine.createFrontServer((exchange) => rig?.take(exchange, options), options.front);
    const port = await front.listen(0, "127.0.0.1");
    rig = new Rig({ engine, server, front, upstream, port, appPort });
    const own = rig;
    server.on("connection", (socket: Socket) => {
      own.accepted += 1;
      own.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => own.#sockets.delete(socket));
    });
    return rig;
  }

  take(exchange: Exchange, options: RigOptions): void {
    this.exchanges.push(exchange);
    const abort = new AbortController();
    options.onExchange?.(exchange, abort);
    this.#wake();
    if (options.hold === true) return;
    const plan = options.headers === undefined ? {} : { headers: options.headers };
    void this.engine.forward(exchange, this.upstream, { ...plan, signal: abort.signal }).then((outcome) => {
      if (outcome.kind === "upstream-error" && !outcome.started) {
        exchange.respond({ status: 502, body: `${outcome.goMessage}\n` });
      }
      this.#outcomes.push(outcome);
      this.#wake();
    });
  }

  client(options: { allowHalfOpen?: boolean } = {}): Promise<RawClient> {
    return RawClient.open(this.port, options);
  }

  /** What became of the request number `index`, counting from 0 in the order of their ends. */
  async outcome(index = 0): Promise<ForwardOutcome> {
    await this.when(() => this.#outcomes.length > index);
    return this.#outcomes[index] as ForwardOutcome;
  }

  async exchange(index = 0): Promise<Exchange> {
    await this.when(() => this.exchanges.length > index);
    return this.exchanges[index] as Exchange;
  }

  when(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!condition()) return;
        this.#waiters.delete(check);
        resolve();
      };
      this.#waiters.add(check);
      check();
    });
  }

  #wake(): void {
    for (const waiter of this.#waiters) waiter();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.front.destroy();
    this.upstream.destroy();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
    await Promise.all([this.front.close(), this.upstream.close()]);
  }
}

/** A promise with its resolver, for what an app tells the test. */
export function signalled<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
