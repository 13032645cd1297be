/** Exchange on a connection of our own: the part that the layers above see, and the part that raw-forward.ts drives. */
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Answer, Exchange } from "../exchange.ts";
import { dropField, firstValue, responseFieldsForClient } from "../headers.ts";
import { type Ending, headText } from "../http-exchange.ts";
import { withoutOffer } from "../switching.ts";
import type { Verdict } from "./admission.ts";
import { lastChunk, type Piece, pushChunk } from "./body-reader.ts";
import type { ClientConnection } from "./client-connection.ts";
import { isSendable } from "./fields.ts";
import type { RequestHead } from "./request-head.ts";
import { fieldLines, send } from "./send.ts";

export class RawExchange implements Exchange {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly rawHeaders: readonly string[];
  readonly upgrade: boolean;
  readonly path: string;
  readonly authority: string | undefined;
  readonly connection: ClientConnection;
  onWrite: (() => void) | undefined;
  /** Told once, when the exchange is over or has been answered by somebody else than the one forwarding it. */
  onEnding: ((ending: Ending) => void) | undefined;
  /** Told when the client takes more again. */
  onDrain: (() => void) | undefined;
  /** The response goes out in chunks. */
  chunked = false;
  /** All of the response has been written. */
  handedOver = false;

  readonly #old: boolean;
  readonly #keepWanted: boolean;
  readonly #expectsContinue: boolean;
  #continued = false;
  #keep = true;
  #status: number | undefined;
  /** Bytes that the declared length has left. */
  #room = 0;
  #openEnded = true;
  /** The head, until there is something to send it with. */
  #head = "";
  #sealed = false;
  #over: Ending | undefined;
  #gone: AbortController | undefined;
  #finished: Promise<void> | undefined;
  #resolveFinished: (() => void) | undefined;

  constructor(connection: ClientConnection, head: RequestHead, verdict: Verdict & { readonly ok: true }) {
    this.connection = connection;
    this.method = head.method;
    this.target = head.target;
    this.rawHeaders = verdict.offerIgnored ? withoutOffer(head.rawHeaders) : head.rawHeaders;
    this.path = verdict.path;
    this.authority = verdict.authority;
    this.host = verdict.host;
    this.upgrade = verdict.upgrade;
    this.#expectsContinue = verdict.expectsContinue;
    this.#old = head.httpVersion === "1.0";
    this.#keepWanted = this.#old ? head.keepAlive && !head.close : !head.close;
  }

  get remoteAddress(): string {
    return this.connection.remoteAddress;
  }

  get scheme(): "http" | "https" {
    return this.connection.scheme;
  }

  header(name: string): string | undefined {
    return firstValue(this.rawHeaders, name.toLowerCase());
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

  /** How it ended; undefined while it lasts. A sealed exchange has ended for whoever forwards it. */
  get ending(): Ending | undefined {
    return this.#over ?? (this.#sealed ? "answered" : undefined);
  }

  /** A response to it has no body, whatever its fields say (RFC 9112 section 6.3). */
  isBodiless(status: number): boolean {
    return this.method === "HEAD" || status === 204 || status === 304;
  }

  /** Whether a response goes out in chunks; `length` as for `begin`. */
  wantsChunks(status: number, length: number): boolean {
    return !this.#old && length < 0 && !this.isBodiless(status);
  }

  respond(answer: Answer): void {
    if (this.#status !== undefined || this.ending !== undefined) return;
    const body = typeof answer.body === "string" ? Buffer.from(answer.body) : bytesOf(answer.body);
    const headers = (answer.headers ?? []).flat();
    if (!headers.every(isSendable)) throw new TypeError("an answer's field can't be sent");
    if (answer.status !== 204 && answer.status !== 304) headers.push("Content-Length", String(body.length));
    this.begin(answer.status, STATUS_CODES[answer.status] ?? "Unknown", headers, body.length);
    this.#seal();
    this.#finish(body.length > 0 && !this.isBodiless(answer.status) ? [body] : []);
  }

  cut(answer: Answer): void {
    if (this.#status === undefined) {
      this.respond(answer);
      return;
    }
    if (this.ending !== undefined || this.handedOver) return;
    this.#seal();
    const pieces: Piece[] = [];
    const body = typeof answer.body === "string" ? Buffer.from(answer.body) : bytesOf(answer.body);
    if (!this.#openEnded) {
      this.#cutShort(body);
      return;
    }
    this.onWrite?.();
    if (body.length > 0 && this.chunked) pushChunk(body, pieces);
    else if (body.length > 0) pieces.push(body);
    if (this.chunked) pieces.push(lastChunk([]));
    this.#finish(pieces);
  }

  /** Go's writer takes the text as far as the declared length has room for it; the connection ends short in any case. */
  #cutShort(text: Buffer): void {
    const { socket } = this.connection;
    if (this.#status === 101 || text.length >= this.#room || socket.writableNeedDrain) {
      this.destroy();
      return;
    }
    this.onWrite?.();
    this.#send([text]);
    socket.destroySoon();
  }

  /** Sends a 1xx other than 101 on. HTTP/1.0 knows none (RFC 9110 section 15.2). */
  inform(status: number, message: string, rawHeaders: readonly string[]): void {
    if (this.#status !== undefined || this.ending !== undefined || this.#old) return;
    if (status === 100) this.#continued = true;
    const { headers } = responseFieldsForClient(rawHeaders, status);
    this.connection.socket.write(headText(status, message, headers), "latin1");
  }

  /** Notes the final response's head; `length` is the declared Content-Length, -1 for a body of open length. */
  begin(status: number, message: string, headers: string[], length: number): void {
    const { connection } = this;
    const bodiless = this.isBodiless(status);
    // Without a 100 nobody can tell whether the body will follow: such a connection can't be used again (Go closes too).
    const bodyInDoubt = this.#expectsContinue && !this.#continued && !connection.bodyDone;
    this.#keep =
      this.#keepWanted &&
      !bodyInDoubt &&
      !connection.draining &&
      !this.upgrade &&
      // To HTTP/1.0 only a length says where the response ends.
      (!this.#old || length >= 0);
    this.chunked = this.wantsChunks(status, length);
    if (length >= 0 || bodiless || this.#old) dropField(headers, "trailer");
    this.#status = status;
    this.#openEnded = length < 0;
    this.#room = bodiless ? 0 : length;
    let text = `HTTP/1.1 ${status} ${message}\r\n${fieldLines(headers)}`;
    // Its Upgrade field wants to be named in Connection (RFC 9110 section 7.8).
    const named426 = status === 426 && !this.#old;
    if (named426) text += `Connection: ${this.#keep ? "" : "close, "}Upgrade\r\n`;
    if (firstValue(headers, "date") === undefined) text += `Date: ${connection.date.text()}\r\n`;
    if (!this.#keep && !named426) text += "Connection: close\r\n";
    else if (this.#keep && this.#old) {
      const seconds = Math.floor(connection.keepAliveTimeoutMs / 1000);
      text += `Connection: keep-alive\r\nKeep-Alive: timeout=${seconds}\r\n`;
    }
    if (this.chunked) text += "Transfer-Encoding: chunked\r\n";
    this.#head = `${text}\r\n`;
    this.onWrite?.();
  }

  /** Sends the head, where it still waits, with these pieces. False: no more until `onDrain`. */
  write(pieces: readonly Piece[]): boolean {
    if (this.ending !== undefined) return true;
    if (pieces.length > 0) this.onWrite?.();
    if (this.#room > 0) for (const piece of pieces) this.#room -= piece.length;
    return this.#send(pieces);
  }

  /** The last of the response. */
  end(pieces: readonly Piece[]): void {
    if (this.ending !== undefined) return;
    if (pieces.length > 0) this.onWrite?.();
    this.#finish(pieces);
  }

  drained(): void {
    this.onDrain?.();
  }

  /**
   * Ends the client's connection so that a cut-off response can't be taken for a whole one. Where only the end of the
   * connection would end the body (HTTP/1.0), that takes a reset.
   */
  destroy(): void {
    const { socket } = this.connection;
    if (this.#openEnded && !this.chunked) socket.resetAndDestroy();
    else socket.destroy();
  }

  /** Sends the 101 and gives the socket away, with what the client sent early. */
  switchProtocols(
    message: string,
    rawHeaders: readonly string[],
  ): { socket: Socket; early: Buffer[] } | undefined {
    if (this.ending !== undefined || this.responseStarted) return undefined;
    const { socket } = this.connection;
    const early = this.connection.giveAway();
    this.#status = 101;
    this.#openEnded = false;
    this.onWrite?.();
    socket.write(headText(101, message, rawHeaders), "latin1");
    return { socket, early: early === undefined ? [] : [early] };
  }

  /** The response has been handed over whole (after a 101: both directions have ended), or the connection has gone. */
  conclude(whole: boolean): void {
    if (this.#over !== undefined) return;
    this.#over = whole ? "complete" : "client-gone";
    if (!whole && !this.#sealed) this.#gone?.abort();
    this.onDrain = undefined;
    this.onEnding?.(this.#over);
    this.onEnding = undefined;
    this.#resolveFinished?.();
  }

  #send(pieces: readonly Piece[]): boolean {
    const head = this.#head;
    this.#head = "";
    return send(this.connection.socket, head, pieces);
  }

  #finish(pieces: readonly Piece[]): void {
    this.#send(pieces);
    this.handedOver = true;
    const { connection } = this;
    // A client may want to be rid of its body before it reads the answer.
    if (!connection.bodyDone) connection.discardBody();
    const { socket } = connection;
    if (socket.writableLength === 0) this.#flushed();
    // The kernel has not taken all of it: an empty write behind it says when it has.
    else socket.write("", "latin1", (error) => void (error ?? this.#flushed()));
  }

  readonly #flushed = (): void => {
    if (this.#over !== undefined) return;
    this.conclude(true);
    this.connection.responded(this.#keep);
  };

  #seal(): void {
    this.#sealed = true;
    this.onEnding?.("answered");
    this.onEnding = undefined;
  }
}

function bytesOf(body: Uint8Array | undefined): Buffer {
  return body === undefined ? Buffer.alloc(0) : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}
