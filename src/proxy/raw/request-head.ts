/** A request's head, from the bytes. What is left to judge, for both engines alike, is in ../request-line.ts. */
import { METHODS } from "node:http";
import { type Fields, isTokenCode, readFields } from "./fields.ts";

export interface RequestHead extends Fields {
  readonly method: string;
  readonly target: string;
  /** As sent, and `0.9` for a request line without a version. */
  readonly httpVersion: string;
}

/** The methods that node's parser knows; an unknown one gets 400 from it, and so from us. */
const KNOWN: ReadonlySet<string> = new Set(METHODS);
const VERSIONS: ReadonlySet<string> = new Set(["1.1", "1.0", "0.9", "2.0"]);

/** `text` is the head up to its last field's CRLF, one character for each byte. Undefined: refused with 400. */
export function readRequestHead(text: string): RequestHead | undefined {
  const head = readSoFar(text);
  // RFC 9112 section 3.2; two Hosts are refused with the other rules on the request line.
  return head?.httpVersion === "1.1" && head.hosts === 0 ? undefined : head;
}

/** A request line and any number of whole field lines. */
function readSoFar(text: string): RequestHead | undefined {
  const lineEnd = text.indexOf("\r\n");
  const space = text.indexOf(" ");
  if (lineEnd < 0 || space < 0 || space > lineEnd) return undefined;
  const method = text.slice(0, space);
  if (!KNOWN.has(method)) return undefined;
  let httpVersion = "0.9";
  let targetEnd = lineEnd;
  const versionAt = lineEnd - "HTTP/1.1".length;
  if (versionAt > space + 1 && text.startsWith(" HTTP/", versionAt - 1)) {
    httpVersion = text.slice(versionAt + 5, lineEnd);
    targetEnd = versionAt - 1;
    if (!VERSIONS.has(httpVersion)) return undefined;
  }
  const target = text.slice(space + 1, targetEnd);
  if (!isTarget(target, method)) return undefined;
  const fields = readFields(text, lineEnd + 2);
  if (fields === undefined || !isFramedOnce(fields)) return undefined;
  return withLine(fields, method, target, httpVersion);
}

/** The same object, so that no field is copied for each request. */
function withLine(fields: Fields, method: string, target: string, httpVersion: string): RequestHead {
  const head = fields as Fields & { method: string; target: string; httpVersion: string };
  head.method = method;
  head.target = target;
  head.httpVersion = httpVersion;
  return head;
}

/**
 * Visible ASCII, as node's parser has it; the characters of it that RFC 3986 leaves out are the app's to judge. A target
 * begins with `/`, `*` or a scheme (RFC 9112 section 3.2); CONNECT's authority is refused elsewhere, with 405.
 */
function isTarget(target: string, method: string): boolean {
  if (target.length === 0) return false;
  if (method !== "CONNECT" && !/^[/*A-Za-z]/.test(target)) return false;
  for (let i = 0; i < target.length; i += 1) {
    const code = target.charCodeAt(i);
    if (code <= 0x20 || code >= 0x7f) return false;
  }
  return true;
}

/**
 * Both framings at once, or chunked anywhere but at the end, are how requests are smuggled (RFC 9112 sections 6.1 and 6.3).
 * Codings that we merely don't know are ../request-line.ts's to refuse, with 501.
 */
function isFramedOnce(fields: Fields): boolean {
  if (fields.coding === undefined) return true;
  if (fields.length >= 0) return false;
  const codings = fields.coding.split(",").map((coding) => coding.trim().toLowerCase());
  return !codings.slice(0, -1).includes("chunked");
}

/** Whether bytes that are no whole head yet can still become one: what can't is refused without waiting for more. */
export function mayBecomeRequest(text: string): boolean {
  const lines = wholeLines(text);
  if (lines !== "") return readSoFar(lines) !== undefined && hasOnlyWholeLines(text);
  const space = text.indexOf(" ");
  if (space >= 0) return KNOWN.has(text.slice(0, space)) && hasOnlyWholeLines(text);
  for (const method of KNOWN) if (method.startsWith(text)) return true;
  return false;
}

/** The lines that have come with their CRLF. */
export function wholeLines(text: string): string {
  const end = text.lastIndexOf("\r\n");
  return end < 0 ? "" : text.slice(0, end + 2);
}

/** No bare CR or LF, no control character, no folded line; a CR at the very end may still get its LF. */
export function hasOnlyWholeLines(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === 13) {
      if (i + 1 === text.length) return true;
      if (text.charCodeAt(i + 1) !== 10) return false;
      i += 1;
      if (i + 1 < text.length && !isTokenCode(text.charCodeAt(i + 1)) && text.charCodeAt(i + 1) !== 13)
        return false;
    } else if ((code < 0x20 && code !== 9) || code === 0x7f) return false;
  }
  return true;
}
