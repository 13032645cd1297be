/**
 * The Content-Type that Go's server adds to a response that has none (net/http server.go; the rules of sniff.go follow
 * https://mimesniff.spec.whatwg.org/). Every Knative hop is such a server, so clients of an app that names no type see
 * one all the same. Pure.
 */

import { firstValue } from "./headers.ts";

/** Bytes that are looked at. */
const LOOKED_AT = 512;

/** Behind leading white space, in any case, followed by a space or `>`. */
const HTML_TAGS = [
  "<!DOCTYPE HTML",
  "<HTML",
  "<HEAD",
  "<SCRIPT",
  "<IFRAME",
  "<H1",
  "<DIV",
  "<FONT",
  "<TABLE",
  "<A",
  "<STYLE",
  "<TITLE",
  "<B",
  "<BODY",
  "<BR",
  "<P",
  "<!--",
];

/** Bytes as latin1; `.` in a pattern stands for any byte. In this order, the first counts. */
const SIGNATURES: ReadonlyArray<readonly [pattern: string, type: string]> = [
  ["%PDF-", "application/pdf"],
  ["%!PS-Adobe-", "application/postscript"],
  ["\u00fe\u00ff..", "text/plain; charset=utf-16be"],
  ["\u00ff\u00fe..", "text/plain; charset=utf-16le"],
  ["\u00ef\u00bb\u00bf.", "text/plain; charset=utf-8"],
  ["\0\0\u0001\0", "image/x-icon"],
  ["\0\0\u0002\0", "image/x-icon"],
  ["BM", "image/bmp"],
  ["GIF87a", "image/gif"],
  ["GIF89a", "image/gif"],
  ["RIFF....WEBPVP", "image/webp"],
  ["\u0089PNG\r\n\u001a\n", "image/png"],
  ["\u00ff\u00d8\u00ff", "image/jpeg"],
  ["FORM....AIFF", "audio/aiff"],
  ["ID3", "audio/mpeg"],
  ["OggS\0", "application/ogg"],
  ["MThd\0\0\0\u0006", "audio/midi"],
  ["RIFF....AVI ", "video/avi"],
  ["RIFF....WAVE", "audio/wave"],
];

/** Those that come after the test for MP4. */
const LATER_SIGNATURES: typeof SIGNATURES = [
  ["\u001a\u0045\u00df\u00a3", "video/webm"],
  [`${".".repeat(34)}LP`, "application/vnd.ms-fontobject"],
  ["\0\u0001\0\0", "font/ttf"],
  ["OTTO", "font/otf"],
  ["ttcf", "font/collection"],
  ["wOFF", "font/woff"],
  ["wOF2", "font/woff2"],
  ["\u001f\u008b\u0008", "application/x-gzip"],
  ["PK\u0003\u0004", "application/zip"],
  ["Rar!\u001a\u0007\0", "application/x-rar-compressed"],
  ["Rar!\u001a\u0007\u0001\0", "application/x-rar-compressed"],
  ["\0asm", "application/wasm"],
];

const TEXT = "text/plain; charset=utf-8";

/** Go's server guesses no type where there is one, or where the body is encoded. */
export function isTyped(headers: readonly string[]): boolean {
  return (
    firstValue(headers, "content-type") !== undefined || Boolean(firstValue(headers, "content-encoding"))
  );
}

/** `body`: as much as the first piece of the response has. */
export function sniffContentType(body: Uint8Array): string {
  const bytes = Buffer.from(body.buffer, body.byteOffset, Math.min(body.length, LOOKED_AT));
  const text = bytes.toString("latin1");
  const start = text.search(/[^\t\n\f\r ]/);
  const trimmed = start < 0 ? "" : text.slice(start);
  if (trimmed.startsWith("<")) {
    const upper = trimmed.toUpperCase();
    if (HTML_TAGS.some((tag) => upper.startsWith(tag) && " >".includes(upper[tag.length] ?? "none")))
      return "text/html; charset=utf-8";
    if (trimmed.startsWith("<?xml")) return "text/xml; charset=utf-8";
  }
  return (
    matchOf(SIGNATURES, text) ??
    (isMp4(bytes) ? "video/mp4" : undefined) ??
    matchOf(LATER_SIGNATURES, text) ??
    // oxlint-disable-next-line no-control-regex -- Binary bytes are what this is about.
    (/[\0-\x08\x0b\x0e-\x1a\x1c-\x1f]/.test(trimmed) ? "application/octet-stream" : TEXT)
  );
}

function matchOf(signatures: typeof SIGNATURES, text: string): string | undefined {
  return signatures.find(([pattern]) => startsLike(text, pattern))?.[1];
}

function startsLike(text: string, pattern: string): boolean {
  if (text.length < pattern.length) return false;
  for (let i = 0; i < pattern.length; i += 1) {
    if (pattern[i] !== "." && pattern[i] !== text[i]) return false;
  }
  return true;
}

/** https://mimesniff.spec.whatwg.org/#signature-for-mp4 */
function isMp4(bytes: Buffer): boolean {
  if (bytes.length < 12) return false;
  const size = bytes.readUInt32BE(0);
  if (bytes.length < size || size % 4 !== 0 || bytes.toString("latin1", 4, 8) !== "ftyp") return false;
  for (let at = 8; at < size; at += 4) {
    // The version of the major brand.
    if (at !== 12 && bytes.toString("latin1", at, at + 3) === "mp4") return true;
  }
  return false;
}
