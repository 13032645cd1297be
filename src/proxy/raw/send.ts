/** Writes with as few system calls as there can be: they are most of what a proxied request costs. */
import type { Socket } from "node:net";
import type { Piece } from "./body-reader.ts";

/** Up to so many bytes are copied into one string: node writes those from the stack, in one go. */
const MERGED_LIMIT = 16 * 1024;

/** Sends `head`, which may be empty, and the pieces behind it. False asks the caller to wait for `drain`. */
export function send(socket: Socket, head: string, pieces: readonly Piece[]): boolean {
  if (pieces.length === 0) return head === "" || socket.write(head, "latin1");
  const [first] = pieces;
  if (pieces.length === 1 && head === "" && typeof first === "object") return socket.write(first);
  let size = head.length;
  for (const piece of pieces) size += piece.length;
  if (size <= MERGED_LIMIT) {
    let text = head;
    for (const piece of pieces)
      text += typeof piece === "string" ? piece : piece.toString("latin1", 0, piece.length);
    return socket.write(text, "latin1");
  }
  socket.cork();
  if (head !== "") socket.write(head, "latin1");
  let room = true;
  for (const piece of pieces)
    room = typeof piece === "string" ? socket.write(piece, "latin1") : socket.write(piece);
  socket.uncork();
  // While corked, what is written counts as waiting: only afterwards does it show whether the kernel took it.
  return room || socket.writableLength < socket.writableHighWaterMark;
}

/** Field lines, each with its CRLF. */
export function fieldLines(fields: readonly string[]): string {
  let text = "";
  for (let i = 0; i + 1 < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return text;
}
