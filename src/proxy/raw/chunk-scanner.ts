/**
 * Finds the data in a chunked body (RFC 9112 section 7.1), byte for byte as strict as node's parser: CRLF and nothing else
 * ends a line, a size is hexadecimal digits only, extensions keep their grammar. It holds no data, only where data lies.
 */
import { type Fields, isTokenCode, readFields } from "./fields.ts";
import { hasOnlyWholeLines, wholeLines } from "./request-head.ts";

const CR = 13;
const LF = 10;
const SEMICOLON = 59;
const EQUALS = 61;
const QUOTE = 34;
const BACKSLASH = 92;

/** Where the scanner is. A const object rather than an enum: types are to be erasable. */
const At = {
  Size: 0,
  SizeEnd: 1,
  ExtensionName: 2,
  ExtensionValue: 3,
  Quoted: 4,
  Escaped: 5,
  AfterQuoted: 6,
  Data: 7,
  DataEnd: 8,
  DataLineEnd: 9,
  Trailers: 10,
  Done: 11,
} as const;

/** Bytes of chunk extensions in one body; node's parser allows as many. */
const EXTENSIONS_LIMIT = 16 * 1024;
/** Digits of one chunk size, leading zeros included. */
const DIGITS_LIMIT = 32;

export class ChunkScanner {
  /** The data in the bytes last scanned: start, end, start, end, ... */
  readonly ranges: number[] = [];
  /** The bytes last scanned are whole chunks in their plainest form, and can be passed on as they are. */
  plain = true;
  /** The trailer section, once `done`. */
  trailers: readonly string[] = [];
  readonly #trailerLimit: number;
  #state: number = At.Size;
  #size = 0;
  #digits = 0;
  #extensions = 0;
  /** The extension under way has a name: an empty one is refused, as node's parser does. */
  #named = true;
  #trailerText = "";

  /** @param trailerLimit bytes of the trailer section */
  constructor(trailerLimit: number) {
    this.#trailerLimit = trailerLimit;
  }

  get done(): boolean {
    return this.#state === At.Done;
  }

  /** Index behind the last byte that belongs to the body, `bytes.length` if more is to come; -1 if malformed. */
  scan(bytes: Buffer, from: number): number {
    this.ranges.length = 0;
    this.plain = this.#state === At.Size && this.#digits === 0;
    let at = from;
    while (at < bytes.length && this.#state !== At.Done) {
      at = this.#state === At.Data ? this.#data(bytes, at) : this.#step(bytes, at);
      if (at < 0) return -1;
    }
    if (this.#state !== At.Done && (this.#state !== At.Size || this.#digits > 0)) this.plain = false;
    return at;
  }

  #data(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#size);
    this.ranges.push(at, end);
    this.#size -= end - at;
    if (this.#size === 0) this.#state = At.DataEnd;
    return end;
  }

  /** One byte of structure, or the trailer section. */
  #step(bytes: Buffer, at: number): number {
    const code = bytes[at] as number;
    switch (this.#state) {
      case At.Size:
        return this.#sizeByte(code) ? at + 1 : -1;
      case At.SizeEnd:
        if (code !== LF) return -1;
        this.#state = this.#size === 0 ? At.Trailers : At.Data;
        this.#digits = 0;
        return at + 1;
      case At.DataEnd:
        this.#state = At.DataLineEnd;
        return code === CR ? at + 1 : -1;
      case At.DataLineEnd:
        this.#state = At.Size;
        return code === LF ? at + 1 : -1;
      case At.Trailers:
        return this.#trailerBytes(bytes, at);
      default:
        this.#extensions += 1;
        return this.#extensions <= EXTENSIONS_LIMIT && this.#extensionByte(code) ? at + 1 : -1;
    }
  }

  #sizeByte(code: number): boolean {
    const digit = hexDigit(code);
    if (digit >= 0) {
      if (this.#digits > 0 && this.#size === 0) this.plain = false;
      this.#size = (this.#digits === 0 ? 0 : this.#size) * 16 + digit;
      this.#digits += 1;
      return this.#digits <= DIGITS_LIMIT && this.#size <= Number.MAX_SAFE_INTEGER;
    }
    if (this.#digits === 0) return false;
    if (code === CR) this.#state = At.SizeEnd;
    else if (code === SEMICOLON) {
      this.plain = false;
      this.#state = At.ExtensionName;
      this.#named = false;
    } else return false;
    return true;
  }

  /** `; name`, `; name=token`, `; name="quoted"` (RFC 9112 section 7.1.1). What they say is not passed on. */
  #extensionByte(code: number): boolean {
    switch (this.#state) {
      case At.Quoted:
        if (code === QUOTE) this.#state = At.AfterQuoted;
        else if (code === BACKSLASH) this.#state = At.Escaped;
        else return isText(code);
        return true;
      case At.Escaped:
        this.#state = At.Quoted;
        return isText(code);
      case At.ExtensionName:
        if (!this.#named) {
          this.#named = isTokenCode(code);
          return this.#named;
        }
        if (code === EQUALS) {
          this.#state = At.ExtensionValue;
          return true;
        }
        break;
      case At.ExtensionValue:
        if (code === QUOTE) {
          this.#state = At.Quoted;
          return true;
        }
        break;
      default:
    }
    if (code === CR) this.#state = At.SizeEnd;
    else if (code === SEMICOLON) {
      this.#state = At.ExtensionName;
      this.#named = false;
    } else return this.#state !== At.AfterQuoted && isTokenCode(code);
    return true;
  }

  #trailerBytes(bytes: Buffer, at: number): number {
    const before = this.#trailerText.length;
    // Nearly always it is just the empty line.
    const taken = Math.min(bytes.length - at, this.#trailerLimit + 4 - before);
    if (taken <= 0) return -1;
    const text = this.#trailerText + bytes.toString("latin1", at, at + taken);
    const empty = text.startsWith("\r\n");
    const end = empty ? -2 : text.indexOf("\r\n\r\n", Math.max(0, before - 3));
    if (end === -1) {
      this.#trailerText = text;
      this.plain = false;
      return text.includes("\n", before) && !this.#mayBecomeTrailers(text) ? -1 : at + taken;
    }
    if (!empty || before > 0) this.plain = false;
    if (!empty && !this.#readTrailers(text.slice(0, end + 2))) return -1;
    this.#trailerText = "";
    this.#state = At.Done;
    return at + end + 4 - before;
  }

  /** What can't become trailers is refused without waiting for more. */
  #mayBecomeTrailers(text: string): boolean {
    return hasOnlyWholeLines(text) && this.#readTrailers(wholeLines(text));
  }

  /** A trailer field that would frame the message anew makes it ambiguous: refused, as node's parser does. */
  #readTrailers(text: string): boolean {
    const fields: Fields | undefined = readFields(text, 0);
    if (fields === undefined || fields.length >= 0 || fields.coding !== undefined) return false;
    this.trailers = fields.rawHeaders;
    return true;
  }
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

function isText(code: number): boolean {
  return (code >= 0x20 && code !== 0x7f) || code === 9;
}
