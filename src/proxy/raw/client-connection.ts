/**
 * One connection of a client: heads and bodies off the wire, one exchange at a time, in the order in which they came.
 * What comes behind the request under way waits, and the client with it once that is much.
 */
import type { Socket } from "node:net";
import { lingerOn, refuseOn } from "../refuse.ts";
import { plainAddress } from "../request-line.ts";
import type { BodyReader, Piece } from "./body-reader.ts";
import { bodyOf, judge } from "./admission.ts";
import type { Deadlines, Timed } from "./deadlines.ts";
import { HeadCollector } from "./head-collector.ts";
import type { HttpDate } from "./http-date.ts";
import { RawExchange } from "./raw-exchange.ts";
import { mayBecomeRequest, readRequestHead } from "./request-head.ts";

/** The server that a connection belongs to. */
export interface ConnectionOwner {
  readonly draining: boolean;
  readonly maxHeaderBytes: number;
  readonly keepAliveTimeoutMs: number;
  readonly headersTimeoutMs: number;
  readonly deadlines: Deadlines;
  readonly date: HttpDate;
  accept(exchange: RawExchange): void;
  left(connection: ClientConnection): void;
}

/** Takes a request's body. */
export interface BodySink {
  /** False: no more until `resumeBody`. `last` comes with the end of the body. */
  body(pieces: readonly Piece[], last: boolean): boolean;
}

/** Bytes that may wait here before the client has to: a small body, or what is pipelined. */
const HELD_LIMIT = 64 * 1024;

export class ClientConnection implements Timed {
  readonly socket: Socket;
  readonly remoteAddress: string;
  readonly scheme: "http" | "https";
  deadline: number;
  readonly #owner: ConnectionOwner;
  readonly #collector: HeadCollector;
  #held: Buffer | undefined;
  #exchange: RawExchange | undefined;
  #body: BodyReader | undefined;
  #sink: BodySink | undefined;
  #blocked = false;
  #paused = false;
  #running = false;
  /** Nothing more is read: refused, ending, or given away. */
  #deaf = false;

  constructor(socket: Socket, owner: ConnectionOwner) {
    this.socket = socket;
    this.#owner = owner;
    this.remoteAddress = plainAddress(socket.remoteAddress);
    this.scheme = "encrypted" in socket ? "https" : "http";
    this.#collector = new HeadCollector(owner.maxHeaderBytes);
    this.deadline = owner.deadlines.notBefore(owner.headersTimeoutMs);
    owner.deadlines.watch(this);
    socket.on("data", this.#onData);
    socket.on("end", this.#onEnd);
    socket.on("drain", this.#onDrain);
    // What it was shows in the close that follows.
    socket.on("error", () => undefined);
    socket.on("close", this.#onClose);
  }

  get date(): HttpDate {
    return this.#owner.date;
  }

  get keepAliveTimeoutMs(): number {
    return this.#owner.keepAliveTimeoutMs;
  }

  get draining(): boolean {
    return this.#owner.draining;
  }

  get bodyDone(): boolean {
    return this.#body === undefined || this.#body.done;
  }

  /** Starts the body's way to `sink`, with what of it is here already. */
  readBody(sink: BodySink): void {
    this.#sink = sink;
    this.#blocked = false;
    this.#run();
  }

  resumeBody(): void {
    this.#blocked = false;
    this.#run();
  }

  /** `sink` takes no more; what is left of the body waits for whoever comes next. */
  stopBody(sink: BodySink): void {
    if (this.#sink === sink) this.#sink = undefined;
  }

  /** What is held is being handed out right now: more of the body may come within this turn. */
  get feeding(): boolean {
    return this.#running && this.#held !== undefined;
  }

  /** Nobody wants the body any more: what still comes is read and forgotten, so that the connection stays usable. */
  discardBody(): void {
    this.readBody(NOBODY);
  }

  /** The response is out. Its connection serves again, after what is left of the body, or ends. */
  responded(keep: boolean): void {
    if (!keep || this.#owner.draining) {
      const unread = !this.bodyDone || this.#held !== undefined || this.#exchange?.upgrade === true;
      this.#exchange = undefined;
      this.#stop();
      if (unread) {
        this.socket.end();
        lingerOn(this.socket);
      } else this.socket.destroySoon();
      return;
    }
    this.#exchange = undefined;
    if (this.bodyDone) this.#becomeIdle();
    else this.discardBody();
    this.#run();
  }

  /** Gives the socket away, and what came early. */
  giveAway(): Buffer | undefined {
    const early = this.#held;
    this.#held = undefined;
    this.#stop();
    this.socket.off("data", this.#onData);
    this.socket.off("end", this.#onEnd);
    this.socket.off("drain", this.#onDrain);
    this.socket.pause();
    return early;
  }

  /** The server is closing. */
  endIdle(): void {
    if (this.#exchange === undefined && !this.#deaf) this.socket.destroySoon();
  }

  expire(): void {
    this.deadline = Infinity;
    if (this.#collector.pending > 0 || this.socket.bytesRead === 0) this.#refuse(408);
    else this.socket.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#held = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]);
    this.#run();
  };

  /** Requests may be answered while they are being taken: a loop, so that many in one piece don't nest. */
  #run(): void {
    if (this.#running) return;
    this.#running = true;
    while (this.#held !== undefined && this.#step()) {
      // each step takes some of what is held
    }
    this.#running = false;
    this.#adjustFlow();
  }

  #step(): boolean {
    if (this.#deaf) return false;
    // A body may outlast its response: the next head is behind it.
    if (!this.bodyDone) return this.#takeBody();
    return this.#exchange === undefined && this.#takeHead();
  }

  #takeHead(): boolean {
    const chunk = withoutEmptyLines(this.#held as Buffer, this.#collector.pending);
    this.#held = undefined;
    if (chunk === undefined) return false;
    const collector = this.#collector;
    const fresh = collector.pending === 0;
    switch (collector.take(chunk)) {
      case "too-large":
        this.#refuse(431);
        return false;
      case "more":
        if (collector.isWorthALook() && !mayBecomeRequest(collector.pendingText)) this.#refuse(400);
        else if (fresh && this.socket.bytesRead > chunk.length) this.#expectHead();
        return false;
      case "whole":
        this.#held = collector.rest;
        this.#take(collector.text);
        return true;
    }
  }

  #take(text: string): void {
    const head = readRequestHead(text);
    if (head === undefined) {
      this.#refuse(400);
      return;
    }
    const verdict = judge(head);
    if (!verdict.ok) {
      this.#refuse(verdict.status, verdict.headers, verdict.reason);
      return;
    }
    this.deadline = Infinity;
    this.#body = verdict.upgrade ? undefined : bodyOf(head, this.#owner.maxHeaderBytes);
    this.#sink = undefined;
    this.#blocked = false;
    this.#exchange = new RawExchange(this, head, verdict);
    this.#owner.accept(this.#exchange);
  }

  #takeBody(): boolean {
    const sink = this.#sink;
    const body = this.#body;
    if (body === undefined || sink === undefined || this.#blocked) return false;
    const bytes = this.#held as Buffer;
    const pieces: Piece[] = [];
    const end = body.read(bytes, 0, pieces);
    if (end < 0) {
      this.#held = undefined;
      this.#breakOff();
      return false;
    }
    this.#held = end < bytes.length ? bytes.subarray(end) : undefined;
    if (!sink.body(pieces, body.done) && !body.done) this.#blocked = true;
    if (body.done && this.#exchange === undefined) this.#becomeIdle();
    return true;
  }

  /** The body's framing is broken: nobody can say where the next request begins. */
  #breakOff(): void {
    const exchange = this.#exchange;
    if (exchange === undefined || exchange.responseStarted) this.socket.destroy();
    else {
      this.#exchange = undefined;
      this.#refuse(400);
      exchange.conclude(false);
    }
  }

  #becomeIdle(): void {
    this.#body = undefined;
    this.deadline = this.#owner.deadlines.notBefore(this.#owner.keepAliveTimeoutMs);
  }

  #expectHead(): void {
    this.deadline = this.#owner.deadlines.notBefore(this.#owner.headersTimeoutMs);
  }

  #refuse(status: number, headers: ReadonlyArray<readonly [string, string]> = [], text?: string): void {
    this.#stop();
    if (!this.socket.writable) this.socket.destroy();
    else refuseOn(this.socket, status, headers, text);
  }

  #stop(): void {
    this.#deaf = true;
    this.#held = undefined;
    this.deadline = Infinity;
    this.#owner.deadlines.unwatch(this);
  }

  #adjustFlow(): void {
    if (this.#deaf) return;
    const pause = this.#blocked || (this.#held !== undefined && this.#held.length > HELD_LIMIT);
    if (pause === this.#paused) return;
    this.#paused = pause;
    if (pause) this.socket.pause();
    else this.socket.resume();
  }

  /**
   * A client that ends its side counts as gone, as with node's server and Go's; where its response is out already, the
   * connection has done its work.
   */
  readonly #onEnd = (): void => {
    if (this.#deaf) return;
    if (this.#exchange === undefined && this.#collector.pending > 0) this.#refuse(400);
    else if (this.#exchange?.handedOver === true) this.socket.destroySoon();
    else this.socket.destroy();
  };

  readonly #onDrain = (): void => this.#exchange?.drained();

  readonly #onClose = (): void => {
    this.#deaf = true;
    this.#owner.deadlines.unwatch(this);
    this.#owner.left(this);
    this.#exchange?.conclude(false);
  };
}

const NOBODY: BodySink = { body: () => true };

/** A client may send an empty line behind a body: RFC 9112 section 2.2. */
function withoutEmptyLines(chunk: Buffer, pending: number): Buffer | undefined {
  if (pending > 0 || chunk[0] !== 13) return chunk;
  let at = 0;
  while (chunk[at] === 13 && chunk[at + 1] === 10) at += 2;
  if (at === chunk.length) return undefined;
  return at === 0 ? chunk : chunk.subarray(at);
}
