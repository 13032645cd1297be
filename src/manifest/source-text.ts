/** Bytes as given to text that YAML may contain, or the reason and place why not. */
import { LIMITS } from "./limits.ts";

/** One input, named as the user named it; `<stdin>` for standard input. */
export interface SourceText {
  readonly file: string;
  readonly text: string | Uint8Array;
}

export interface TextFault {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  /** Index into `text` of the result. */
  readonly offset: number;
}

/** YAML 1.2 section 5.1: of the C0 controls only tab and line breaks are allowed, and DEL is not. */
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffe\uffff]/u; // oxlint-disable-line no-control-regex -- these are what is looked for

interface Decoded {
  readonly text: string;
  readonly fault?: TextFault;
}

export function readText(input: string | Uint8Array): Decoded {
  if (input.length > LIMITS.sourceBytes) {
    return fault(
      "",
      0,
      "too-large",
      `The input is larger than ${LIMITS.sourceBytes / 1024 / 1024} MiB, which is more than a cluster stores of one object.`,
      "Split it into several files.",
    );
  }
  const decoded: Decoded = typeof input === "string" ? { text: input } : decode(input);
  if (decoded.fault !== undefined) return decoded;
  const text = decoded.text.startsWith("\ufeff") ? decoded.text.slice(1) : decoded.text;
  const forbidden = FORBIDDEN.exec(text);
  if (forbidden === null) return { text };
  const code = forbidden[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
  return fault(
    text,
    forbidden.index,
    "control-character",
    `The file contains the control character U+${code}, which YAML does not allow.`,
    "Remove it, or write it as an escape in a double-quoted string.",
  );
}

function decode(bytes: Uint8Array): Decoded {
  const encoding = utf16(bytes);
  // What PowerShell writes, and kubectl reads.
  if (encoding !== undefined) return { text: new TextDecoder(encoding).decode(bytes) };
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    const offset = firstInvalid(bytes, text);
    return fault(
      text,
      offset,
      "not-utf8",
      "The file is not valid UTF-8: a byte here belongs to no character.",
      "Save it as UTF-8.",
    );
  }
}

function utf16(bytes: Uint8Array): "utf-16le" | "utf-16be" | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  return bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : undefined;
}

/** The first replacement character that does not stand for itself (EF BF BD) in the bytes. */
function firstInvalid(bytes: Uint8Array, text: string): number {
  let position = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.codePointAt(index) ?? 0;
    if (
      code === 0xfffd &&
      !(bytes[position] === 0xef && bytes[position + 1] === 0xbf && bytes[position + 2] === 0xbd)
    ) {
      return index;
    }
    position += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (code >= 0x10000) index++;
  }
  return 0;
}

function fault(text: string, offset: number, code: string, message: string, hint: string): Decoded {
  return { text, fault: { code, message, hint, offset } };
}
