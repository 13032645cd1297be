/** How a response is framed, what becomes of its connection, and its errors in the terms of ../upstream-failure.ts. */
import { type BodyReader, ChunkedReader, LengthReader, OpenReader } from "./body-reader.ts";
import type { RawExchange } from "./raw-exchange.ts";
import type { ResponseHead } from "./response-head.ts";

/** Bytes of a response's trailer section. */
const TRAILER_LIMIT = 64 * 1024;

/** RFC 9112 section 6.3. Undefined where there is no body. */
export function bodyOfResponse(head: ResponseHead, exchange: RawExchange): BodyReader | undefined {
  const { status, length } = head;
  if (exchange.isBodiless(status) || length === 0) return undefined;
  const chunked = exchange.wantsChunks(status, length);
  if (head.coding !== undefined) return new ChunkedReader({ chunked, trailerLimit: TRAILER_LIMIT });
  return length < 0 ? new OpenReader({ chunked }) : new LengthReader(length);
}

/** RFC 9112 section 9.3. */
export function isReusable(head: ResponseHead, reader: BodyReader | undefined): boolean {
  if (reader instanceof OpenReader || head.close) return false;
  return !head.old || (head.keepAlive && head.coding === undefined);
}

/** The codes are spelled as node's parser spells its own, and the bytes are where it puts them. */
function parseError(code: string, message: string, rawPacket: Uint8Array): Error {
  return Object.assign(new Error(message), { code, rawPacket });
}

export function malformed(bytes: Uint8Array = new Uint8Array()): Error {
  return parseError("HPE_INVALID_RESPONSE", "malformed response", bytes);
}

export function overflow(): Error {
  return parseError("HPE_HEADER_OVERFLOW", "response head too large", new Uint8Array());
}

export function chunkError(): Error {
  return parseError("HPE_INVALID_CHUNK", "malformed chunk", new Uint8Array());
}

/** The app has closed its connection, as node words it. */
export function hangUp(): Error {
  return Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
}
