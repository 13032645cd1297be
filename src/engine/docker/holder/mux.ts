/** Many connections, and calls, over the one pair of pipes to a holder. */
import os from "node:os";
import { encodeFrame, FRAME, type Frame, frameReader } from "./frames.ts";
import { MuxStream, type StreamLink } from "./mux-stream.ts";

export interface MuxOptions {
  /** Writes to the other side. Not slowed down: what streams may have under way is bounded by credit. */
  send(bytes: Buffer): void;
  /** A stream that the other side has opened; nobody there: it is reset. */
  onOpen(stream: MuxStream, payload: Buffer): void;
  onHello(text: string): void;
}

interface Pending<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

/** Of the client's side: it opens odd streams; the holder's are even. */
export class Mux {
  /** Feed what the other side has sent. */
  readonly feed: (chunk: Buffer) => void;
  readonly #options: MuxOptions;
  readonly #streams = new Map<number, MuxStream>();
  readonly #opening = new Map<number, Pending<MuxStream>>();
  readonly #calls = new Map<number, Pending<string>>();
  readonly #link: StreamLink;
  #nextStream = 1;
  #nextCall = 1;
  #closed: Error | undefined;

  constructor(options: MuxOptions) {
    this.#options = options;
    this.feed = frameReader((frame) => this.#take(frame));
    this.#link = {
      send: (frame) => this.#send(frame),
      forget: (id) => void this.#streams.delete(id),
    };
  }

  /** Streams that are open. */
  get size(): number {
    return this.#streams.size;
  }

  /** Rejects with an error that has a `code` (ECONNREFUSED, …) where the other side can't connect. */
  open(payload: Buffer): Promise<MuxStream> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    const id = this.#nextStream;
    this.#nextStream += 2;
    return new Promise((resolve, reject) => {
      this.#opening.set(id, { resolve, reject });
      this.#send(encodeFrame(FRAME.open, id, payload));
    });
  }

  call(command: string): Promise<string> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    const id = this.#nextCall++;
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject });
      this.#send(encodeFrame(FRAME.call, id, Buffer.from(command)));
    });
  }

  /** Ends every stream and call with this error. */
  close(error: Error): void {
    if (this.#closed !== undefined) return;
    this.#closed = error;
    for (const pending of [...this.#opening.values(), ...this.#calls.values()]) pending.reject(error);
    this.#opening.clear();
    this.#calls.clear();
    for (const stream of this.#streams.values()) stream.takeReset(error);
  }

  #send(frame: Buffer): void {
    if (this.#closed === undefined) this.#options.send(frame);
  }

  #take({ type, stream: id, payload }: Frame): void {
    if (this.#closed !== undefined) return;
    switch (type) {
      case FRAME.open:
        return this.#options.onOpen(this.#add(id), payload);
      case FRAME.opened:
        return this.#takeOpened(id);
      case FRAME.reset:
        return this.#takeReset(id, payload);
      case FRAME.data:
        return this.#streams.get(id)?.takeData(payload);
      case FRAME.end:
        return this.#streams.get(id)?.takeEnd();
      case FRAME.credit:
        return this.#streams.get(id)?.takeCredit(payload.readUInt32BE(0));
      case FRAME.hello:
        return this.#options.onHello(payload.toString("utf8"));
      case FRAME.reply:
        return this.#takeReply(id, payload.toString("utf8"));
      default:
        return this.close(new Error(`The holder sent a frame of an unknown type, ${type}`));
    }
  }

  #add(id: number): MuxStream {
    const stream = new MuxStream(id, this.#link);
    this.#streams.set(id, stream);
    return stream;
  }

  #takeOpened(id: number): void {
    const pending = this.#opening.get(id);
    this.#opening.delete(id);
    pending?.resolve(this.#add(id));
  }

  #takeReset(id: number, payload: Buffer): void {
    const error = connectionError(payload.length === 4 ? payload.readUInt32BE(0) : 0);
    const opening = this.#opening.get(id);
    this.#opening.delete(id);
    opening?.reject(error);
    this.#streams.get(id)?.takeReset(error);
  }

  #takeReply(id: number, text: string): void {
    const pending = this.#calls.get(id);
    this.#calls.delete(id);
    pending?.resolve(text);
  }
}

/** The holder's numbers are Linux's, whatever this machine is. */
const LINUX_ERRNO: Readonly<Record<number, string>> = {
  24: "EMFILE",
  32: "EPIPE",
  101: "ENETUNREACH",
  104: "ECONNRESET",
  110: "ETIMEDOUT",
  111: "ECONNREFUSED",
  113: "EHOSTUNREACH",
};

function connectionError(errno: number): NodeJS.ErrnoException {
  const code = LINUX_ERRNO[errno] ?? (errno === 0 ? "ECONNRESET" : `errno ${errno}`);
  const known = (os.constants.errno as Readonly<Record<string, number>>)[code];
  return Object.assign(new Error(`connection inside the instance: ${code}`), {
    code,
    ...(known === undefined ? {} : { errno: known }),
  });
}
