/** Reads what a listener says by itself; nothing is sent. */
import { connect } from "node:net";

/** The first `length` bytes, fewer where the connection ends; undefined where none comes about in time. Never rejects. */
export function readNonce(
  host: string,
  port: number,
  length: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect({ host, port });
    const abort = (): void => void socket.destroy();
    signal.addEventListener("abort", abort, { once: true });
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (text.length >= length) socket.destroy();
    });
    socket.on("error", () => undefined);
    socket.once("close", () => {
      signal.removeEventListener("abort", abort);
      resolve(text === "" ? undefined : text.slice(0, length));
    });
    if (signal.aborted) abort();
  });
}
