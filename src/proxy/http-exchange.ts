/** Exchange on node's own HTTP/1.1 server: the part that the layers above see, and the part that forward.ts drives. */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Answer, Exchange } from "./exchange.ts";
import { dropField, firstValue, responseFieldsForClient } from "./headers.ts";
import { plainAddress } from "./request-line.ts";

/** How an exchange came to its end: handed over whole, the client left, or the platform ended it (respond, cut). */
export type Ending = "complete" | "client-gone" | "answered";

/** What an exchange needs to know of the server that it came through. */
export interface ExchangeServer {
  /** The server is closing: responses say `Connection: close`. */
  readonly draining: boolean;
  /** An exchange has ended while draining: its connection may be idle now. */
  endIdle(): void;
}

export interface ExchangeInput {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly authority: string | undefined;
  readonly host: string;
  readonly server: ExchangeServer;
  /** The client sent `Expect: 100-continue` and waits. */
  readonly expectsContinue: boolean;
}

export class HttpExchange implements Exchange {
  readonly host: string;
  readonly upgrade: boolean = false;
  /** Request-target as the app gets it, in origin-form. */
  readonly path: string;
  readonly authority: string | undefined;
  onWrite: (() => void) | undefined;
  /** Told once, when the exchange is over or has been answered by somebody else than the one forwarding it. */
  onEnding: ((ending: Ending) => void) | undefined;

  protected readonly request: IncomingMessage;
  protected readonly response: ServerResponse;
  readonly #server: ExchangeServer;
  readonly #expectsContinue: boolean;
  #continued = false;
  #status: number | undefined;
  #openEnded = true;
  /** Bytes that the declared length has left. */
  #room = 0;
  /** The response has been ended by respond or cut: the forwarder's pieces no longer count. */
  #sealed = false;
  #over: Ending | undefined;
  #gone: AbortController | undefined;
  #finished: Promise<void> | undefined;
  #resolveFinished: (() => void) | undefined;

  constructor(input: ExchangeInput) {
    this.request = input.request;
    this.response = input.response;
    this.path = input.path;
    this.authority = input.authority;
    this.host = input.host;
    this.#server = input.server;
    this.#expectsContinue = input.expectsContinue;
    this.response.on("close", () => this.conclude(this.response.writableFinished));
  }

  get method(): string {
    return this.request.method ?? "GET";
  }

  get target(): string {
    return this.request.url ?? "/";
  }

  get rawHeaders(): readonly string[] {
    return this.request.rawHeaders;
  }

  get remoteAddress(): string {
    return plainAddress(this.request.socket.remoteAddress);
  }

  get scheme(): "http" | "https" {
    return "encrypted" in this.request.socket ? "https" : "http";
  }

  header(name: string): string | undefined {
    return firstValue(this.request.rawHeaders, name.toLowerCase());
  }

  get clientGone(): AbortSignal {
    if (this.#gone === undefined) {
      this.#gone = new AbortController();
      if (this.#over === "client-gone") this.#gone.abort();
    }
    return this.#gone.signal;
  }

  get responseStarted(): boolean {
    return this.#status !== undefined;
  }

  get status(): number | undefined {
    return this.#status;
  }

  get finished(): Promise<void> {
    this.#finished ??= new Promise((resolve) => {
      if (this.#over === undefined) this.#resolveFinished = resolve;
      else resolve();
    });
    return this.#finished;
  }

  /** The request's body, to be read with back-pressure. */
  get body(): IncomingMessage {
    return this.request;
  }

  /** How it ended; undefined while it lasts. A sealed exchange has ended for whoever forwards it. */
  get ending(): Ending | undefined {
    return this.#over ?? (this.#sealed ? "answered" : undefined);
  }

  respond(answer: Answer): void {
    if (this.#status !== undefined || this.ending !== undefined) return;
    const body =
      typeof answer.body === "string" ? Buffer.from(answer.body) : (answer.body ?? Buffer.alloc(0));
    const headers = (answer.headers ?? []).flat();
    if (answer.status !== 204 && answer.status !== 304) headers.push("Content-Length", String(body.length));
    this.begin(answer.status, STATUS_CODES[answer.status] ?? "Unknown", headers, body.length);
    this.#seal();
    this.response.end(body);
    this.discardBody();
  }

  cut(answer: Answer): void {
    if (this.#status === undefined) {
      this.respond(answer);
      return;
    }
    if (this.ending !== undefined || this.response.writableEnded) return;
    this.#seal();
    if (!this.#openEnded) {
      this.#cutShort(Buffer.from(answer.body ?? ""));
      return;
    }
    this.onWrite?.();
    this.response.end(answer.body ?? "");
    this.discardBody();
  }

  /** Go's writer takes the text as far as the declared length has room for it; the connection ends short in any case. */
  #cutShort(text: Buffer): void {
    const { response } = this;
    if (this.#status === 101 || text.length >= this.#room || response.writableNeedDrain) {
      this.destroy();
      return;
    }
    this.onWrite?.();
    response.write(text, () => this.destroy());
  }

  /** Sends a 1xx other than 101 on. HTTP/1.0 knows none (RFC 9110 section 15.2). */
  inform(status: number, message: string, rawHeaders: readonly string[]): void {
    const socket = this.response.socket;
    if (this.#status !== undefined || this.ending !== undefined || socket === null) return;
    if (this.request.httpVersion === "1.0") return;
    if (status === 100) this.#continued = true;
    socket.write(headText(status, message, responseFieldsForClient(rawHeaders, status).headers), "latin1");
  }

  /**
   * Starts the final response; `length` is the declared Content-Length, -1 for a body of open length. Throws, with
   * nothing sent, where node holds the status or a field to be unsendable.
   */
  begin(status: number, message: string, headers: string[], length: number): void {
    const { response } = this;
    // Without a 100 nobody can tell whether the body will follow: such a connection can't be used again (Go closes too).
    const bodyInDoubt = this.#expectsContinue && !this.#continued && !this.request.complete;
    if (bodyInDoubt || this.#server.draining) response.shouldKeepAlive = false;
    if (this.request.httpVersion === "1.0") {
      // Node would send chunks to a client that says `TE: chunked`; RFC 9112 section 6.1 forbids it.
      response.useChunkedEncodingByDefault = false;
    } else if (status === 426) {
      // Its Upgrade field wants to be named in Connection (RFC 9110 section 7.8).
      headers.push("Connection", response.shouldKeepAlive ? "Upgrade" : "close, Upgrade");
    } else if (response.shouldKeepAlive) {
      // HTTP/1.1 connections persist without a word (RFC 9112 section 9.3); Go's server adds none either.
      response.removeHeader("Connection");
    }
    const bodiless = this.method === "HEAD" || status === 204 || status === 304;
    if (length >= 0 || bodiless || this.request.httpVersion === "1.0") dropField(headers, "trailer");
    response.writeHead(status, message, headers);
    this.#status = status;
    this.#openEnded = length < 0;
    this.#room = bodiless ? 0 : length;
    this.onWrite?.();
  }

  /** Sends what `begin` noted, before there is any body. */
  flush(): void {
    if (this.ending === undefined) this.response.flushHeaders();
  }

  /** False asks the caller to wait for `onceDrained`. */
  write(chunk: Uint8Array): boolean {
    if (this.ending !== undefined) return true;
    this.#room -= chunk.length;
    this.onWrite?.();
    return this.response.write(chunk);
  }

  onceDrained(resume: () => void): void {
    this.response.once("drain", resume);
  }

  end(chunk?: Buffer, trailers: Array<[string, string]> = []): void {
    if (this.ending !== undefined) return;
    if (trailers.length > 0) this.response.addTrailers(trailers);
    if (chunk === undefined) this.response.end();
    else {
      this.onWrite?.();
      this.response.end(chunk);
    }
    this.discardBody();
  }

  /**
   * Ends the client's connection so that a cut-off response can't be taken for a whole one. Where only the end of the
   * connection would end the body (HTTP/1.0), that takes a reset.
   */
  destroy(): void {
    const socket = this.response.socket;
    if (this.#openEnded && !this.response.chunkedEncoding && socket !== null) socket.resetAndDestroy();
    else this.response.destroy();
  }

  /** What the client still sends of a body nobody wants is read and forgotten, so that the connection stays usable. */
  protected discardBody(): void {
    if (!this.request.complete) this.request.resume();
  }

  #seal(): void {
    this.#sealed = true;
    this.onEnding?.("answered");
    this.onEnding = undefined;
  }

  /** The response has been handed over whole, or the connection has gone. */
  protected conclude(whole: boolean): void {
    if (this.#over !== undefined) return;
    this.#over = whole ? "complete" : "client-gone";
    if (!whole && !this.#sealed) this.#gone?.abort();
    this.onEnding?.(this.#over);
    this.onEnding = undefined;
    this.#resolveFinished?.();
    if (this.#server.draining) this.#server.endIdle();
  }

  protected markSwitched(): void {
    this.#status = 101;
    this.#openEnded = false;
    this.onWrite?.();
  }
}

/** A response head as bytes to be sent as latin1, the encoding of header fields in HTTP/1.1. */
export function headText(status: number, message: string, rawHeaders: readonly string[]): string {
  let text = `HTTP/1.1 ${status} ${message}\r\n`;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) text += `${rawHeaders[i]}: ${rawHeaders[i + 1]}\r\n`;
  return `${text}\r\n`;
}
