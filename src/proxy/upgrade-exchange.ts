/**
 * An exchange whose client asked to switch protocols. Node's server hands over the bare socket then; until the app
 * answers, the socket is watched for the client's leaving, and what the client sends early is kept for the app.
 */
import { ServerResponse, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { type ExchangeInput, headText, HttpExchange } from "./http-exchange.ts";

/** What a client may send before the 101: more than this waits in its socket. Bytes. */
const EARLY_LIMIT = 64 * 1024;

export class UpgradeExchange extends HttpExchange {
  override readonly upgrade: boolean = true;
  readonly #socket: Socket;
  readonly #early: Buffer[] = [];
  #earlyBytes = 0;
  #switched = false;

  constructor(input: ExchangeInput, socket: Socket, head: Buffer) {
    super(input);
    this.#socket = socket;
    if (head.length > 0) this.#keep(head);
    socket.on("data", this.#keep);
    socket.on("end", this.#leave);
    socket.on("error", this.#ignore);
    // No ServerResponse survives an upgrade by itself: when a plain answer is out, the connection has done its work.
    this.response.on("finish", () => {
      this.response.detachSocket(socket);
      socket.destroySoon();
      this.conclude(true);
    });
    socket.on("close", () => this.conclude(false));
  }

  /** Sends the 101 and gives the socket away, with what the client sent early. */
  switchProtocols(
    message: string,
    rawHeaders: readonly string[],
  ): { socket: Socket; early: Buffer[] } | undefined {
    if (this.ending !== undefined || this.responseStarted) return undefined;
    const socket = this.#socket;
    this.#switched = true;
    this.response.detachSocket(socket);
    socket.off("data", this.#keep);
    socket.off("end", this.#leave);
    socket.pause();
    socket.setNoDelay(true);
    this.markSwitched();
    socket.write(headText(101, message, rawHeaders), "latin1");
    return { socket, early: this.#early };
  }

  /** The tunnel that followed a 101 has ended: on its own terms, or because a side broke. */
  tunnelEnded(whole: boolean): void {
    this.conclude(whole);
  }

  override destroy(): void {
    if (this.#switched) this.#socket.destroy();
    else super.destroy();
  }

  protected override discardBody(): void {
    // An upgrade request has no body here, and the socket is closed after the answer.
  }

  readonly #keep = (chunk: Buffer): void => {
    this.#early.push(chunk);
    this.#earlyBytes += chunk.length;
    if (this.#earlyBytes > EARLY_LIMIT) this.#socket.pause();
  };

  /** A half-closed client counts as gone before the 101, as for a plain request. */
  readonly #leave = (): void => {
    if (!this.responseStarted) this.#socket.destroy();
  };

  readonly #ignore = (): void => undefined;
}

/**
 * A response on the socket of an upgrade request, for answers other than 101. Undefined where an earlier, pipelined
 * request still waits for its response on the same connection.
 */
export function responseFor(request: IncomingMessage, socket: Socket): ServerResponse | undefined {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  try {
    response.assignSocket(socket);
  } catch {
    return undefined;
  }
  return response;
}
