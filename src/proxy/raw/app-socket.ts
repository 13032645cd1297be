/**
 * A socket to an app whose failing to write doesn't end it: an app may answer and close while the request's body is still
 * on its way (413, say), and its answer is then waiting here to be read. Node would destroy the socket with the first
 * write that fails, and the answer with it.
 */
import { Socket } from "node:net";

export class AppSocket extends Socket {
  /** Bytes go nowhere: reading tells what became of it, an answer, an end or an error. */
  unwritable = false;
  /** Failing writes end the socket, as usual: for tunnels. */
  plain = false;

  override _write(chunk: unknown, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (this.unwritable) callback();
    else super._write(chunk, encoding, (error) => this.#written(error, callback));
  }

  override _writev(
    chunks: Array<{ chunk: unknown; encoding: BufferEncoding }>,
    callback: (error?: Error | null) => void,
  ): void {
    if (this.unwritable) callback();
    else super._writev?.(chunks, (error) => this.#written(error, callback));
  }

  #written(error: Error | null | undefined, callback: (error?: Error | null) => void): void {
    if (error && !this.plain && !this.connecting && !this.readableEnded && !this.destroyed) {
      this.unwritable = true;
      callback();
    } else callback(error);
  }
}
