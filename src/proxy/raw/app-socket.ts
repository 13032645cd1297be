/**
 * A socket to an app whose failing to write doesn't end it: an app may answer and close while the request's body is still
 * on its way (413, say), and its answer is then waiting here to be read. Node would destroy the socket with the first
 * write that fails, and the answer with it.
 */
import { type OnReadOpts, Socket, type SocketConstructorOpts } from "node:net";

export class AppSocket extends Socket {
  /** Bytes go nowhere: reading tells what became of it, an answer, an end or an error. */
  unwritable = false;
  /** A write that fails makes it unwritable, and is no error. For requests with a body: else it ends the socket as usual. */
  lenient = false;

  /** @param onread where to read to; without it the socket is an ordinary one, each side of which ends on its own */
  constructor(onread?: OnReadOpts) {
    // In node's documentation an option of the constructor's, and not yet in its types.
    const options: SocketConstructorOpts & { onread?: OnReadOpts } =
      onread === undefined ? { allowHalfOpen: true } : { onread };
    super(options);
  }

  override _write(chunk: unknown, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (!this.lenient) super._write(chunk, encoding, callback);
    else if (this.unwritable) callback();
    else super._write(chunk, encoding, (error) => this.#written(error, callback));
  }

  override _writev(
    chunks: Array<{ chunk: unknown; encoding: BufferEncoding }>,
    callback: (error?: Error | null) => void,
  ): void {
    if (!this.lenient) super._writev?.(chunks, callback);
    else if (this.unwritable) callback();
    else super._writev?.(chunks, (error) => this.#written(error, callback));
  }

  #written(error: Error | null | undefined, callback: (error?: Error | null) => void): void {
    if (error && this.lenient && !this.connecting && !this.readableEnded && !this.destroyed) {
      this.unwritable = true;
      callback();
    } else callback(error);
  }
}
