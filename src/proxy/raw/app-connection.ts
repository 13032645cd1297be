/** One connection to an app: in use by one request, or idle in the pool. */
import { AppSocket } from "./app-socket.ts";
import { ResponseHeads } from "./response-heads.ts";
import type { Timed } from "./deadlines.ts";

/** Whoever uses the connection. */
export interface AppConnectionUser {
  connected(): void;
  /** True if some of the bytes are still in use afterwards: waiting to be written, say. */
  received(bytes: Buffer): boolean;
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

/** As much as node reads at once. */
const READ_BYTES = 64 * 1024;
/** No Uint8Array: node keeps the buffer that it has. The declared type knows nothing of it. */
const UNCHANGED = undefined as unknown as Uint8Array;

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
  /** What is read is read into this, again and again, as long as nobody holds on to it. */
  #buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  #replaced = true;
  #error: NodeJS.ErrnoException | undefined;

  /** @param dedicated for one request that may keep the socket: an upgrade, after which each side ends on its own */
  constructor(
    address: { readonly host: string; readonly port: number },
    owner: AppConnectionOwner,
    dedicated: boolean,
  ) {
    this.#owner = owner;
    const onread = { buffer: this.#nextBuffer, callback: this.#onRead };
    const socket = new AppSocket(dedicated ? undefined : onread);
    this.socket = socket;
    socket.on("connect", this.#onConnect);
    if (dedicated) socket.on("data", this.#onData);
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
    socket.lenient = false;
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

  readonly #onData = (bytes: Buffer): boolean => {
    if (this.user !== undefined) return this.user.received(bytes);
    // Bytes that come between two requests belong to neither (RFC 9112 section 9.2).
    this.socket.destroy();
    return false;
  };

  readonly #onRead = (length: number): boolean => {
    if (this.#onData(this.#buffer.subarray(0, length))) {
      this.#buffer = Buffer.allocUnsafeSlow(READ_BYTES);
      this.#replaced = true;
    }
    return true;
  };

  /** Asked by node after each read; what is no buffer leaves it as it is. */
  readonly #nextBuffer = (): Uint8Array => {
    if (!this.#replaced) return UNCHANGED;
    this.#replaced = false;
    return this.#buffer;
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
