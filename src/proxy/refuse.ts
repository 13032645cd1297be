/** Answers on a bare socket for what never becomes an exchange. The texts are Go's (conformance bad-request, huge-header). */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { headText } from "./http-exchange.ts";

const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  405: "Method Not Allowed",
  408: "Request Timeout",
  417: "Expectation Failed",
  431: "Request Header Fields Too Large",
  501: "Not Implemented",
  505: "HTTP Version Not Supported",
};

/** A reverse proxy opens no tunnels on demand: what 405 to CONNECT says is allowed. */
export const ALLOWED_METHODS = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, TRACE";

/** How long, in ms of wall time, a refused client may be silent before its connection is dropped. */
const LINGER_MS = 500;

/** Answers and closes; `text` is the body's, the status line's by default. */
export function refuseOn(
  socket: Duplex,
  status: number,
  headers: ReadonlyArray<readonly [string, string]>,
  text?: string,
): void {
  const reason = REASONS[status] ?? "Error";
  const fields = ["Content-Type", "text/plain; charset=utf-8", "Connection", "close", ...headers.flat()];
  socket.end(`${headText(status, reason, fields)}${status} ${text ?? reason}`, "latin1");
  lingerOn(socket);
}

/** Reads on for a while behind what was sent last: a close with unread bytes would reset it away. */
export function lingerOn(socket: Duplex): void {
  socket.on("end", () => socket.destroy());
  (socket as Socket).setTimeout(LINGER_MS, () => socket.destroy());
  socket.resume();
}
