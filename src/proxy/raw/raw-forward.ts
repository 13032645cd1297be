/** Passes one exchange to an instance and its answer back, on bare sockets. The same contract as ../forward.ts's. */
import type { Exchange } from "../exchange.ts";
import type { ForwardOptions, ForwardOutcome } from "../forward.ts";
import { hasToken, requestFieldsForApp, responseFieldsForClient } from "../headers.ts";
import type { Ending } from "../http-exchange.ts";
import { isReplayable } from "../replayable.ts";
import { isTyped, sniffContentType } from "../sniff.ts";
import { joinSockets } from "../tunnel.ts";
import type { Upstream } from "../upstream.ts";
import { brokenAnswer, type UpstreamFailure, upstreamFailure } from "../upstream-failure.ts";
import type { AppConnection, AppConnectionUser } from "./app-connection.ts";
import type { AppSocket } from "./app-socket.ts";
import { type BodyReader, lastChunk, OpenReader, type Piece } from "./body-reader.ts";
import type { BodySink } from "./client-connection.ts";
import { isSendable } from "./fields.ts";
import { RawExchange } from "./raw-exchange.ts";
import { RawUpstream } from "./raw-upstream.ts";
import { bodyOfResponse, chunkError, hangUp, isReusable, malformed, overflow } from "./response-rules.ts";
import type { ResponseHead } from "./response-head.ts";
import { fieldLines, send } from "./send.ts";

/**
 * Never rejects. Once for each exchange; again, to another instance, only after an `upstream-error` with
 * `mayHaveReachedApp` false, when nothing of the body has been read.
 */
export function rawForward(
  exchange: Exchange,
  upstream: Upstream,
  options: ForwardOptions = {},
): Promise<ForwardOutcome> {
  if (!(exchange instanceof RawExchange))
    throw new TypeError("an exchange of this engine's own front server, please");
  if (!(upstream instanceof RawUpstream)) throw new TypeError("an upstream made by this engine, please");
  return new Promise((resolve) => new RawForwarding(exchange, upstream, options, resolve).start());
}

class RawForwarding implements AppConnectionUser, BodySink {
  readonly #exchange: RawExchange;
  readonly #upstream: RawUpstream;
  readonly #options: ForwardOptions;
  readonly #resolve: (outcome: ForwardOutcome) => void;
  #connection: AppConnection | undefined;
  #tunnel: AppSocket | undefined;
  #requestHead = "";
  #hasBody = false;
  /** The request's head, until it has gone out. */
  #waiting = "";
  #bodySent = false;
  #reader: BodyReader | undefined;
  #reusable = false;
  #received = 0;
  #handedOver = false;
  #retried = false;
  #settled = false;

  constructor(
    exchange: RawExchange,
    upstream: RawUpstream,
    options: ForwardOptions,
    resolve: (outcome: ForwardOutcome) => void,
  ) {
    this.#exchange = exchange;
    this.#upstream = upstream;
    this.#options = options;
    this.#resolve = resolve;
  }

  start(): void {
    const exchange = this.#exchange;
    const { signal } = this.#options;
    if (signal?.aborted === true || exchange.ending !== undefined) {
      this.#settle({ kind: exchange.ending === "client-gone" ? "client-gone" : "aborted" });
      return;
    }
    if (!this.#prepare()) return;
    exchange.onEnding = this.#onEnding;
    signal?.addEventListener("abort", this.#onAbort);
    this.#send();
  }

  /** Makes the request's head; false where it can't be sent. */
  #prepare(): boolean {
    const { method, path, rawHeaders, authority, remoteAddress, scheme, upgrade } = this.#exchange;
    const fallbackHost = this.#upstream.shownAs;
    const incoming = { method, rawHeaders, authority, remoteAddress, scheme, upgrade, fallbackHost };
    const plan = this.#options.headers;
    const unsendable = plan?.set?.find((field) => !field.every(isSendable));
    if (unsendable !== undefined) {
      const error = new TypeError(`field ${unsendable[0]} can't be sent`);
      this.#settleFailure({ error, goMessage: String(error), diagnosis: "other", mayHaveReachedApp: false });
      return false;
    }
    const fields = requestFieldsForApp(incoming, plan);
    this.#hasBody = !upgrade && fields.framing !== "none";
    this.#requestHead = `${method} ${path} HTTP/1.1\r\n${fieldLines(fields.headers)}\r\n`;
    return true;
  }

  #send(): void {
    const connection = this.#upstream.take(this, this.#exchange.upgrade);
    this.#connection = connection;
    if (connection.ready) this.connected();
  }

  /** Nothing goes out, and nothing of the body is read, before the connection stands. */
  connected(): void {
    const { connection } = this.#exchange;
    if (this.#connection !== undefined) this.#connection.socket.lenient = this.#hasBody;
    if (this.#hasBody) {
      this.#waiting = this.#requestHead;
      connection.readBody(this);
      // A body may come late, and its head must not wait for it; what is there already goes out together with the head.
      if (this.#waiting === "" || connection.feeding) return;
      this.#waiting = "";
    } else this.#bodySent = true;
    this.#connection?.socket.write(this.#requestHead, "latin1");
  }

  body(pieces: readonly Piece[], last: boolean): boolean {
    const head = this.#waiting;
    this.#waiting = "";
    this.#bodySent = last;
    return this.#connection === undefined || send(this.#connection.socket, head, pieces);
  }

  drained(): void {
    if (!this.#bodySent) this.#exchange.connection.resumeBody();
  }

  received(bytes: Buffer): boolean {
    this.#received += bytes.length;
    if (this.#reader === undefined) this.#takeHeads(bytes);
    else this.#pass(this.#reader, bytes);
    // What the kernel hasn't taken yet waits in the client's socket.
    return this.#exchange.connection.socket.writableLength > 0;
  }

  #takeHeads(bytes: Buffer): void {
    let rest: Buffer | undefined = bytes;
    while (rest !== undefined && this.#connection !== undefined) {
      const { heads } = this.#connection;
      const head = heads.take(rest);
      if (head === "more") return;
      if (head === "too-large" || head === "malformed") {
        this.#failed(head === "malformed" ? malformed(heads.bytes) : overflow());
        return;
      }
      rest = heads.rest;
      if (head.status >= 200) {
        this.#begin(head, rest);
        return;
      }
      if (head.status === 101) {
        this.#switch(head, rest);
        return;
      }
      this.#exchange.inform(head.status, head.statusText, head.rawHeaders);
    }
  }

  #begin(head: ResponseHead, rest: Buffer | undefined): void {
    const exchange = this.#exchange;
    const { headers, length, coding, keepAlive } = responseFieldsForClient(head.rawHeaders, head.status);
    if (keepAlive !== undefined && this.#connection !== undefined)
      this.#upstream.noteKeepAlive(this.#connection, keepAlive);
    if (coding !== undefined && coding.toLowerCase() !== "chunked") {
      this.#fail(`unsupported transfer encoding: ${JSON.stringify(coding)}`);
      return;
    }
    const reader = bodyOfResponse(head, exchange);
    this.#reusable = isReusable(head, reader);
    // Read before anything is said to the client: what is broken in its first piece is still ours to answer.
    const pieces: Piece[] = [];
    const end = reader === undefined || rest === undefined ? 0 : reader.read(rest, 0, pieces);
    if (end < 0) {
      this.#failed(chunkError(), true);
      return;
    }
    const first = rest === undefined ? undefined : reader?.firstData(rest);
    if (first !== undefined && !isTyped(headers)) headers.push("Content-Type", sniffContentType(first));
    exchange.begin(head.status, head.statusText, headers, length);
    this.#reader = reader;
    if (reader === undefined || reader.done) this.#complete(pieces, rest !== undefined && end < rest.length);
    else if (!exchange.write(pieces)) this.#holdBack();
  }

  #pass(reader: BodyReader, bytes: Buffer): void {
    const pieces: Piece[] = [];
    const end = reader.read(bytes, 0, pieces);
    if (end < 0) this.#failed(chunkError());
    else if (reader.done) this.#complete(pieces, end < bytes.length);
    else if (!this.#exchange.write(pieces)) this.#holdBack();
  }

  #holdBack(): void {
    const socket = this.#connection?.socket;
    socket?.pause();
    this.#exchange.onDrain = () => {
      this.#exchange.onDrain = undefined;
      socket?.resume();
    };
  }

  /** The response is whole: its connection goes back to the pool if it can carry another request. */
  #complete(pieces: readonly Piece[], surplus: boolean): void {
    const connection = this.#connection;
    this.#handedOver = true;
    this.#connection = undefined;
    if (connection !== undefined) {
      // Where the app answered before it had all of the body, that connection is of no more use.
      const idle = this.#bodySent && !connection.socket.unwritable && !this.#exchange.upgrade;
      if (this.#reusable && idle && !surplus) this.#upstream.release(connection);
      else drop(connection);
    }
    this.#exchange.onDrain = undefined;
    this.#exchange.end(pieces);
  }

  #switch(head: ResponseHead, rest: Buffer | undefined): void {
    const exchange = this.#exchange;
    const wanted = exchange.upgrade ? (exchange.header("upgrade") ?? "") : "";
    const got = head.switches ? head.upgrade : "";
    if (!exchange.upgrade || !hasToken(wanted, got.toLowerCase())) {
      // Go's ReverseProxy insists as well: what follows would be read as something else than what is sent.
      this.#fail(
        `backend tried to switch protocol ${JSON.stringify(got)} when ${JSON.stringify(wanted)} was requested`,
        "",
      );
      return;
    }
    const client = exchange.switchProtocols(head.statusText, head.rawHeaders);
    const app = this.#connection?.giveAway();
    this.#connection = undefined;
    this.#tunnel = app;
    if (client === undefined || app === undefined) {
      app?.destroy();
      return;
    }
    joinSockets({
      client: client.socket,
      app,
      fromClient: client.early,
      fromApp: rest === undefined ? [] : [rest],
      onWrite: () => exchange.onWrite?.(),
      onEnd: () => exchange.conclude(true),
      onAppError: (error) => this.#failed(error),
    });
  }

  ended(): void {
    if (this.#reader instanceof OpenReader)
      this.#complete(this.#exchange.chunked ? [lastChunk([])] : [], false);
    else this.#failed(hangUp());
  }

  closed(error: NodeJS.ErrnoException | undefined): void {
    this.#failed(error ?? hangUp());
  }

  #failed(error: Error, inResponse = this.#reader !== undefined || this.#tunnel !== undefined): void {
    if (this.#settled || this.#handedOver) return;
    const connection = this.#connection;
    if (connection !== undefined && this.#mayRetry(connection)) {
      this.#retried = true;
      drop(connection);
      this.#upstream.dropIdle();
      this.#send();
      return;
    }
    const { shownAs } = this.#upstream;
    const context = {
      remote: shownAs,
      local: connection?.local ?? "",
      received: this.#received,
      responded: inResponse,
    };
    const failure = upstreamFailure(error, context);
    // Whatever became of the second try: the first may have arrived.
    this.#settleFailure({ ...failure, mayHaveReachedApp: failure.mayHaveReachedApp || this.#retried });
  }

  /**
   * A kept-alive connection that the app closed just as we wrote: sent once more, on a fresh connection, where Go's
   * transport would (RFC 9112 section 9.3.1): no body, nothing received, and a method that may be repeated.
   */
  #mayRetry(connection: AppConnection): boolean {
    if (!connection.reused || this.#retried || this.#hasBody || this.#received > 0) return false;
    return this.#exchange.ending === undefined && isReplayable(this.#exchange);
  }

  #fail(message: string, context?: string): void {
    this.#settleFailure(brokenAnswer(message, context));
  }

  #settleFailure(failure: UpstreamFailure): void {
    const started = this.#exchange.responseStarted;
    const reusedConnection = this.#connection?.reused ?? false;
    this.#settle({ kind: "upstream-error", ...failure, started, reusedConnection });
    // Truncation has to show: never a clean end.
    if (started) this.#exchange.destroy();
  }

  readonly #onAbort = (): void => this.#settle({ kind: "aborted" });

  readonly #onEnding = (ending: Ending): void => {
    if (ending === "complete") this.#settle({ kind: "completed", status: this.#exchange.status ?? 0 });
    else this.#settle({ kind: ending === "client-gone" ? "client-gone" : "aborted" });
  };

  #settle(outcome: ForwardOutcome): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    const exchange = this.#exchange;
    if (exchange.onEnding === this.#onEnding) exchange.onEnding = undefined;
    exchange.onDrain = undefined;
    if (outcome.kind !== "completed") {
      exchange.connection.stopBody(this);
      if (this.#connection !== undefined) drop(this.#connection);
      this.#connection = undefined;
      this.#tunnel?.destroy();
    }
    this.#resolve(outcome);
  }
}

function drop(connection: AppConnection): void {
  connection.user = undefined;
  connection.socket.destroy();
}
