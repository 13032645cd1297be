/** Listens for clients and turns what they send into exchanges. Refuses what can't be passed on unambiguously. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Exchange } from "./exchange.ts";
import { type ExchangeServer, HttpExchange } from "./http-exchange.ts";
import { ALLOWED_METHODS, refuseOn } from "./refuse.ts";
import { admit } from "./request-line.ts";
import { willSwitch, withoutOffer } from "./switching.ts";
import { responseFor, UpgradeExchange } from "./upgrade-exchange.ts";

export interface FrontServerOptions {
  /** How long an idle client connection is kept, ms of wall time. Default 75 s, longer than common clients keep theirs. */
  readonly keepAliveTimeoutMs?: number;
  /** How long a client may take for a request's head, ms of wall time. Default 60 s. The body has no limit here. */
  readonly headersTimeoutMs?: number;
  /** Bytes of a request's head; more gets 431. Default 64 KiB, about what Envoy (60 KiB) takes in front of Knative. */
  readonly maxHeaderBytes?: number;
}

export interface FrontServer {
  /** Resolves with the port; `port` 0 takes any. Rejects with node's own error (`EADDRINUSE`, `EACCES`, ...). */
  listen(port: number, host: string): Promise<number>;
  /** Stops accepting, ends idle connections, and resolves when the exchanges under way have ended. */
  close(): Promise<void>;
  /** Ends every connection at once. */
  destroy(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

export function createFrontServer(
  handler: (exchange: Exchange) => void,
  options: FrontServerOptions = {},
): FrontServer {
  return new HttpFrontServer(handler, options);
}

class HttpFrontServer implements FrontServer, ExchangeServer {
  readonly #server: Server;
  readonly #handler: (exchange: Exchange) => void;
  /** Sockets that node has handed over on an upgrade: its own closing doesn't reach them. */
  readonly #upgraded = new Set<Socket>();
  #closed: Promise<void> | undefined;

  constructor(handler: (exchange: Exchange) => void, options: FrontServerOptions) {
    this.#handler = handler;
    const serverOptions = {
      // Newer versions of node ask here; with older ones #takeAsPlain does it afterwards.
      shouldUpgradeCallback: takesUp,
      noDelay: true,
      // Named, so that no process-wide flag can loosen the parser.
      insecureHTTPParser: false,
      requireHostHeader: true,
      keepAliveTimeout: options.keepAliveTimeoutMs ?? 75_000,
      headersTimeout: options.headersTimeoutMs ?? 60_000,
      // How long a whole request may take is a question for the activator.
      requestTimeout: 0,
      maxHeaderSize: options.maxHeaderBytes ?? 64 * 1024,
    };
    this.#server = createServer(serverOptions);
    // Beyond a count node drops fields in silence; the limit in bytes is enough.
    this.#server.maxHeadersCount = 0;
    this.#server.on("request", (request, response) => this.#onRequest(request, response, false));
    this.#server.on("checkContinue", (request, response) => this.#onRequest(request, response, true));
    this.#server.on("upgrade", (request, socket, head) => this.#onUpgrade(request, socket as Socket, head));
    this.#server.on("connect", (_request, socket) => {
      socket.on("error", () => undefined);
      refuseOn(socket, 405, [["Allow", ALLOWED_METHODS]]);
    });
    this.#server.on("clientError", onClientError);
  }

  get draining(): boolean {
    return this.#closed !== undefined;
  }

  /** After this turn, since node counts a connection as busy until its response's last event. */
  endIdle(): void {
    setImmediate(() => this.#server.closeIdleConnections());
  }

  listen(port: number, host: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ port, host, backlog: 1024 }, () => {
        this.#server.off("error", reject);
        const address = this.#server.address();
        resolve(typeof address === "object" && address !== null ? address.port : port);
      });
    });
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      // The callback's error only says that it wasn't listening.
      this.#server.close(() => resolve());
      this.#server.closeIdleConnections();
    });
    return this.#closed;
  }

  destroy(): void {
    void this.close();
    this.#server.closeAllConnections();
    for (const socket of this.#upgraded) socket.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.destroy();
    return this.close();
  }

  #onRequest(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    // Pipelined requests are taken one after the other, as Go's server does: node would start them all at once.
    if (response.socket === null) {
      response.once("socket", () => this.#admit(request, response, expectsContinue));
    } else this.#admit(request, response, expectsContinue);
  }

  #admit(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const admission = admit(head(request));
    if (!admission.ok) {
      response.shouldKeepAlive = false;
      response.writeHead(admission.status, { "Content-Type": "text/plain; charset=utf-8" });
      response.end(`${admission.status} ${admission.reason}`);
      return;
    }
    const exchange = new HttpExchange({
      request,
      response,
      path: admission.path,
      authority: admission.authority,
      host: admission.host,
      server: this,
      expectsContinue,
    });
    this.#handler(exchange);
  }

  #onUpgrade(request: IncomingMessage, socket: Socket, early: Buffer): void {
    socket.on("error", () => undefined);
    const admission = admit(head(request));
    if (!admission.ok) {
      refuseOn(socket, admission.status, []);
      return;
    }
    if (!takesUp(request)) {
      this.#takeAsPlain(request, socket, early);
      return;
    }
    const response = responseFor(request, socket);
    if (response === undefined) {
      // An upgrade behind an unanswered request on the same connection: no client does it, and no order would be safe.
      socket.destroy();
      return;
    }
    this.#upgraded.add(socket);
    socket.once("close", () => this.#upgraded.delete(socket));
    socket.setTimeout(0);
    const { path, authority, host } = admission;
    const rest = { path, authority, host, server: this, expectsContinue: false };
    this.#handler(new UpgradeExchange({ request, response, ...rest }, socket, early));
  }

  /**
   * A server may ignore Upgrade (RFC 9110 section 7.8). Node has stopped parsing by then, so the head goes back in front
   * of the socket's bytes without its Upgrade fields, and the connection starts anew.
   */
  #takeAsPlain(request: IncomingMessage, socket: Socket, early: Buffer): void {
    const { method, url, httpVersion } = request;
    const fields = withoutOffer(request.rawHeaders);
    let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
    for (let i = 0; i + 1 < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
    socket.unshift(Buffer.concat([Buffer.from(`${text}\r\n`, "latin1"), early]));
    this.#server.emit("connection", socket);
  }
}

function head(request: IncomingMessage): { rawHeaders: string[]; target: string; httpVersion: string } {
  return { rawHeaders: request.rawHeaders, target: request.url ?? "", httpVersion: request.httpVersion };
}

/** Asked by node's server as well as by us. */
function takesUp(request: IncomingMessage): boolean {
  const { httpVersion, rawHeaders } = request;
  return willSwitch({ httpVersion, rawHeaders, upgrade: request.headers.upgrade ?? "" });
}

/** What node's parser refuses. The texts are Go's (conformance/queue-proxy bad-request, huge-header). */
function onClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  // The response that node writes on this socket at the moment, if any: its default handler looks there as well.
  const current = (socket as { _httpMessage?: ServerResponse })._httpMessage;
  const answered = current !== undefined && current !== null && (current.headersSent || current.req.complete);
  if (error.code === "ECONNRESET" || !socket.writable || answered) {
    socket.destroy();
    return;
  }
  if (error.code === "HPE_HEADER_OVERFLOW") refuseOn(socket, 431, []);
  else if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") refuseOn(socket, 408, []);
  else refuseOn(socket, 400, []);
}
