/** One connection to an app: in use by one request, or idle in the pool. */
import { AppSocket } from "./app-socket.ts";
import { ResponseHeads } from "./response-heads.ts";
import type { Timed } from "./deadlines.ts";

/** Whoever uses the connection. */
export interface AppConnectionUser {
  connected(): void;
  received(bytes: Buffer): void;
  drained(): void;
  /** The app has ended its side. */
  ended(): void;
  /** The connection has gone; with the error that ended it, if one did. */
  closed(error: NodeJS.ErrnoException | undefined): void;
}

/** The pool that a connection belongs to. */
export interface AppConnectionOwner {
  left(connection: AppConnection): void;
}

export class AppConnection implements Timed {
  readonly socket: AppSocket;
  readonly heads = new ResponseHeads();
  deadline = Infinity;
  user: AppConnectionUser | undefined;
  /** It has carried a request before. */
  reused = false;
  ready = false;
  /** Local address, for messages such as Go's `read tcp <local>-><remote>: ...`. */
  local = "";
  /** The app's `Keep-Alive` as last seen, and what it means: how long it may idle here, ms. */
  keepAlive: string | undefined;
  idleMs = Infinity;
  readonly #owner: AppConnectionOwner;
  #error: NodeJS.ErrnoException | undefined;

  constructor(
    address: { readonly host: string; readonly port: number },
    owner: AppConnectionOwner,
    allowHalfOpen: boolean,
  ) {
    this.#owner = owner;
    const socket = new AppSocket({ allowHalfOpen });
    this.socket = socket;
    socket.on("connect", this.#onConnect);
    socket.on("data", this.#onData);
    socket.on("drain", this.#onDrain);
    socket.on("end", this.#onEnd);
    socket.on("error", this.#onError);
    socket.on("close", this.#onClose);
    // Not an option of connect(): it would be the constructor's, where it isn't documented.
    socket.setNoDelay(true);
    socket.connect(address);
  }

  /** Gives the socket away: only its close still shows here. */
  giveAway(): AppSocket {
    const { socket } = this;
    this.user = undefined;
    socket.plain = true;
    socket.off("data", this.#onData);
    socket.off("drain", this.#onDrain);
    socket.off("end", this.#onEnd);
    socket.off("error", this.#onError);
    return socket;
  }

  expire(): void {
    this.socket.destroy();
  }

  readonly #onConnect = (): void => {
    this.ready = true;
    this.local = `${this.socket.localAddress}:${this.socket.localPort}`;
    this.user?.connected();
  };

  readonly #onData = (bytes: Buffer): void => {
    // Bytes that come between two requests belong to neither (RFC 9112 section 9.2).
    if (this.user === undefined) this.socket.destroy();
    else this.user.received(bytes);
  };

  readonly #onDrain = (): void => this.user?.drained();

  readonly #onEnd = (): void => {
    if (this.user === undefined) this.socket.destroy();
    else this.user.ended();
  };

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    this.#error = error;
  };

  readonly #onClose = (): void => {
    this.#owner.left(this);
    this.user?.closed(this.#error);
  };
}
