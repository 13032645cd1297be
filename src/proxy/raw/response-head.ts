/** A response's head, from the bytes: RFC 9112 section 4, with the reason phrase and its space optional as everywhere. */
import { type Fields, isSendable, readFields } from "./fields.ts";
import { hasOnlyWholeLines, wholeLines } from "./request-head.ts";

export interface ResponseHead extends Fields {
  /** 100 to 999. */
  readonly status: number;
  readonly statusText: string;
  /** HTTP/1.0 */
  readonly old: boolean;
}

const PREFIX = "HTTP/1.";

/** `text` is the head up to its last field's CRLF, one character for each byte. Undefined: malformed. */
export function readResponseHead(text: string): ResponseHead | undefined {
  const lineEnd = text.indexOf("\r\n");
  if (lineEnd < 12 || !text.startsWith(PREFIX)) return undefined;
  const minor = text.charCodeAt(7) - 48;
  if ((minor !== 0 && minor !== 1) || text.charCodeAt(8) !== 0x20) return undefined;
  const status = digits(text);
  if (status < 100 || (lineEnd > 12 && text.charCodeAt(12) !== 0x20)) return undefined;
  const statusText = text.slice(13, lineEnd);
  if (!isSendable(statusText)) return undefined;
  const fields = readFields(text, lineEnd + 2);
  if (fields === undefined || (fields.length >= 0 && fields.coding !== undefined)) return undefined;
  const head = fields as Fields & { status: number; statusText: string; old: boolean };
  head.status = status;
  head.statusText = statusText;
  head.old = minor === 0;
  return head;
}

function digits(text: string): number {
  let value = 0;
  for (let i = 9; i < 12; i += 1) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** Whether bytes that are no whole head yet can still become one: what can't fails without waiting for more. */
export function mayBecomeResponse(text: string): boolean {
  if (text.length < PREFIX.length) return PREFIX.startsWith(text);
  if (!text.startsWith(PREFIX) || !hasOnlyWholeLines(text)) return false;
  const lines = wholeLines(text);
  return lines === "" || readResponseHead(lines) !== undefined;
}
