/**
 * Passes one exchange to an instance and its answer back: streaming both ways with back-pressure, trailers, 1xx, upgrades.
 * Node's `stream.pipeline` is kept out: it builds an AbortController and an error for each request.
 */
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { BodyPump } from "./body-pump.ts";
import type { Exchange } from "./exchange.ts";
import {
  type BodyFraming,
  type HeaderPlan,
  hasToken,
  type IncomingFields,
  passableTrailers,
  requestFieldsForApp,
  responseFieldsForClient,
} from "./headers.ts";
import { type Ending, HttpExchange } from "./http-exchange.ts";
import { isTyped, sniffContentType } from "./sniff.ts";
import { isReplayable } from "./replayable.ts";
import { joinSockets } from "./tunnel.ts";
import { UpgradeExchange } from "./upgrade-exchange.ts";
import { brokenAnswer, type UpstreamFailure, upstreamFailure } from "./upstream-failure.ts";
import { HttpUpstream, type Upstream } from "./upstream.ts";

export interface ForwardOptions {
  readonly headers?: HeaderPlan;
  /**
   * Aborts the request to the instance; the caller has answered the client, or will. Not needed where the caller
   * ends the exchange itself (`respond`, `cut`): that ends the request to the instance as well.
   */
  readonly signal?: AbortSignal;
}

export type ForwardOutcome =
  /** The response has been handed over whole (after a 101: the tunnel has ended in order). */
  | { readonly kind: "completed"; readonly status: number }
  | { readonly kind: "client-gone" }
  /** By the signal, or because somebody else answered the exchange. */
  | { readonly kind: "aborted" }
  | UpstreamErrorOutcome;

export interface UpstreamErrorOutcome extends UpstreamFailure {
  readonly kind: "upstream-error";
  /** Whether a response had started: then the client's connection has been ended; if not, the caller answers. */
  readonly started: boolean;
  /** Whether the request went over a kept-alive connection: an app that closes idle ones too soon shows up so. */
  readonly reusedConnection: boolean;
}

/**
 * Never rejects. Once for each exchange; again, to another instance, only after an `upstream-error` with
 * `mayHaveReachedApp` false, when nothing of the body has been read.
 */
export function forward(
  exchange: Exchange,
  upstream: Upstream,
  options: ForwardOptions = {},
): Promise<ForwardOutcome> {
  if (!(exchange instanceof HttpExchange))
    throw new TypeError("an exchange of this proxy's own front server, please");
  if (!(upstream instanceof HttpUpstream)) throw new TypeError("an upstream made by createUpstream, please");
  return new Promise((resolve) => new Forwarding(exchange, upstream, options, resolve).start());
}

function incomingFields(exchange: HttpExchange, upstream: HttpUpstream): IncomingFields {
  const { method, rawHeaders, authority, remoteAddress, scheme, upgrade } = exchange;
  return { method, rawHeaders, authority, remoteAddress, scheme, upgrade, fallbackHost: upstream.shownAs };
}

class Forwarding {
  readonly #exchange: HttpExchange;
  readonly #upstream: HttpUpstream;
  readonly #signal: AbortSignal | undefined;
  readonly #resolve: (outcome: ForwardOutcome) => void;
  readonly #headers: readonly string[];
  readonly #framing: BodyFraming;
  #request: ClientRequest | undefined;
  #response: IncomingMessage | undefined;
  #pump: BodyPump | undefined;
  #tunnel: Socket | undefined;
  #begun = false;
  #handedOver = false;
  #declared = -1;
  #passed = 0;
  #retried = false;
  #settled = false;

  constructor(
    exchange: HttpExchange,
    upstream: HttpUpstream,
    options: ForwardOptions,
    resolve: (outcome: ForwardOutcome) => void,
  ) {
    this.#exchange = exchange;
    this.#upstream = upstream;
    this.#signal = options.signal;
    this.#resolve = resolve;
    const fields = requestFieldsForApp(incomingFields(exchange, upstream), options.headers);
    this.#headers = fields.headers;
    this.#framing = exchange.upgrade ? "none" : fields.framing;
  }

  start(): void {
    const { ending } = this.#exchange;
    if (this.#signal?.aborted === true || ending !== undefined) {
      this.#settle({ kind: ending === "client-gone" ? "client-gone" : "aborted" });
      return;
    }
    this.#exchange.onEnding = this.#onEnding;
    this.#signal?.addEventListener("abort", this.#onAbort);
    this.#send();
  }

  #send(): void {
    const exchange = this.#exchange;
    let request: ClientRequest;
    try {
      request = this.#upstream.open({
        method: exchange.method,
        path: exchange.path,
        headers: this.#headers,
        dedicated: exchange.upgrade,
      });
    } catch (error) {
      // Node's client refuses what its parser let in; nothing has been sent.
      this.#settleFailure({
        error: error as Error,
        goMessage: String(error),
        diagnosis: "other",
        mayHaveReachedApp: false,
      });
      return;
    }
    this.#request = request;
    request.on("response", this.#onResponse);
    request.on("information", this.#onInformation);
    request.on("error", this.#onError);
    request.on("upgrade", this.#onUpgrade);
    request.on("close", () => {
      // Whatever ended it without an error or an answer: nobody is left waiting.
      if (this.#request === request && this.#response === undefined && this.#tunnel === undefined) {
        this.#onError(Object.assign(new Error("socket hang up"), { code: "ECONNRESET" }));
      }
    });
    if (this.#framing === "none") request.end();
    else this.#pump = new BodyPump(exchange.body, request);
  }

  readonly #onInformation = (info: {
    statusCode: number;
    statusMessage: string;
    rawHeaders: string[];
  }): void => {
    this.#exchange.inform(info.statusCode, info.statusMessage, info.rawHeaders);
  };

  readonly #onResponse = (response: IncomingMessage): void => {
    this.#response = response;
    response.on("data", this.#onData);
    response.on("end", this.#onEnd);
    response.on("error", this.#onError);
    // A head without a body yet (server-sent events) must not wait; one with a body goes out together with it.
    setImmediate(() => {
      if (this.#settled || this.#handedOver || response.errored !== null) return;
      if (!this.#begun && this.#begin(response)) this.#exchange.flush();
    });
  };

  /** False if the app's head can't be passed on. `piece`: the first of the body, where there is one already. */
  #begin(response: IncomingMessage, piece?: Buffer): boolean {
    if (this.#begun) return true;
    const status = response.statusCode ?? 0;
    const { headers, length, coding, keepAlive } = responseFieldsForClient(response.rawHeaders, status);
    if (piece !== undefined && !isTyped(headers)) headers.push("Content-Type", sniffContentType(piece));
    if (keepAlive !== undefined) this.#upstream.noteKeepAlive(response.socket, keepAlive);
    if (coding !== undefined && coding.toLowerCase() !== "chunked") {
      this.#fail(`unsupported transfer encoding: ${JSON.stringify(coding)}`);
      return false;
    }
    try {
      this.#exchange.begin(status, response.statusMessage ?? "", headers, length);
    } catch (error) {
      // A status such as 99, or a control character in its text: node reads them, but won't send them on.
      this.#fail(error instanceof Error ? error.message : String(error));
      return false;
    }
    this.#declared = length;
    this.#begun = true;
    return true;
  }

  readonly #onData = (chunk: Buffer): void => {
    const response = this.#response;
    if (this.#settled || response === undefined || !this.#begin(response, chunk)) return;
    this.#passed += chunk.length;
    if (this.#passed === this.#declared) {
      this.#handOver(chunk);
      return;
    }
    if (this.#exchange.write(chunk)) return;
    response.pause();
    this.#exchange.onceDrained(() => response.resume());
  };

  readonly #onEnd = (): void => {
    const response = this.#response;
    if (this.#settled || this.#handedOver || response === undefined || !this.#begin(response)) return;
    this.#handOver(undefined, passableTrailers(response.rawTrailers));
  };

  #handOver(chunk?: Buffer, trailers?: Array<[string, string]>): void {
    this.#handedOver = true;
    this.#exchange.end(chunk, trailers);
    // The app answered before it had all of the body: that connection can't carry another request.
    if (this.#framing !== "none" && this.#request?.writableFinished === false) {
      this.#pump?.stop();
      this.#request.destroy();
    }
  }

  readonly #onUpgrade = (response: IncomingMessage, socket: Socket, early: Buffer): void => {
    const exchange = this.#exchange;
    this.#tunnel = socket;
    const wanted = exchange.upgrade ? (exchange.header("upgrade") ?? "") : "";
    const got = response.headers.upgrade ?? "";
    if (this.#settled || !(exchange instanceof UpgradeExchange) || !hasToken(wanted, got.toLowerCase())) {
      socket.destroy();
      // Go's ReverseProxy insists as well: what follows would be read as something else than what is sent.
      this.#fail(
        `backend tried to switch protocol ${JSON.stringify(got)} when ${JSON.stringify(wanted)} was requested`,
        "",
      );
      return;
    }
    this.#begun = true;
    const client = exchange.switchProtocols(response.statusMessage ?? "", response.rawHeaders);
    if (client === undefined) {
      socket.destroy();
      return;
    }
    joinSockets({
      client: client.socket,
      app: socket,
      fromClient: client.early,
      fromApp: early.length > 0 ? [early] : [],
      onWrite: () => exchange.onWrite?.(),
      onEnd: () => exchange.tunnelEnded(true),
      onAppError: this.#onError,
    });
  };

  readonly #onError = (error: Error): void => {
    if (this.#settled || this.#handedOver) return;
    const request = this.#request;
    if (this.#mayRetry(request)) {
      this.#retried = true;
      this.#upstream.dropIdle();
      this.#send();
      return;
    }
    const facts = this.#upstream.facts(request?.socket ?? null);
    const received = (request?.socket?.bytesRead ?? 0) - (facts?.readBefore ?? 0);
    const responded = this.#response !== undefined || this.#tunnel !== undefined;
    const context = { remote: this.#upstream.shownAs, local: facts?.local ?? "", received, responded };
    const failure = upstreamFailure(error, context);
    // Whatever became of the second try: the first may have arrived.
    this.#settleFailure({ ...failure, mayHaveReachedApp: failure.mayHaveReachedApp || this.#retried });
  };

  /**
   * A kept-alive connection that the app closed just as we wrote: sent once more, on a fresh connection, where Go's
   * transport would (RFC 9112 section 9.3.1): no body, nothing received, and a method that may be repeated.
   */
  #mayRetry(request: ClientRequest | undefined): boolean {
    if (request === undefined || !request.reusedSocket || this.#retried || this.#framing !== "none")
      return false;
    if (this.#response !== undefined || this.#exchange.ending !== undefined) return false;
    const before = this.#upstream.facts(request.socket)?.readBefore;
    if (before === undefined || request.socket?.bytesRead !== before) return false;
    return isReplayable(this.#exchange);
  }

  #fail(message: string, context?: string): void {
    this.#settleFailure(brokenAnswer(message, context));
  }

  #settleFailure(failure: UpstreamFailure): void {
    const started = this.#exchange.responseStarted;
    const reusedConnection = this.#request?.reusedSocket ?? false;
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
    this.#signal?.removeEventListener("abort", this.#onAbort);
    if (this.#exchange.onEnding === this.#onEnding) this.#exchange.onEnding = undefined;
    this.#pump?.stop();
    if (outcome.kind !== "completed") {
      this.#request?.destroy();
      this.#tunnel?.destroy();
    }
    this.#resolve(outcome);
  }
}
