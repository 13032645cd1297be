/** Message bodies as they come, and as they go on: by length, in chunks, or until the connection ends (RFC 9112 section 6). */
import { passableTrailers } from "../headers.ts";
import { ChunkScanner } from "./chunk-scanner.ts";

/** What is to be written: text stands for bytes as latin1. */
export type Piece = Buffer | string;

export interface BodyReader {
  /** The body has ended. */
  readonly done: boolean;
  /**
   * Takes the body's bytes from `from` on and adds what is to be written for them. Index behind the last byte that
   * belongs to the body; -1 where the framing is broken.
   */
  read(bytes: Buffer, from: number, out: Piece[]): number;
  /** The first piece of data in the bytes last read, without its framing. */
  firstData(bytes: Buffer): Buffer | undefined;
}

const LAST_CHUNK = "0\r\n\r\n";

/** `length` bytes, passed on as they are. */
export class LengthReader implements BodyReader {
  #left: number;
  #start = 0;
  #end = 0;

  constructor(length: number) {
    this.#left = length;
  }

  get done(): boolean {
    return this.#left === 0;
  }

  read(bytes: Buffer, from: number, out: Piece[]): number {
    const end = Math.min(bytes.length, from + this.#left);
    if (end > from) out.push(from === 0 && end === bytes.length ? bytes : bytes.subarray(from, end));
    this.#left -= end - from;
    this.#start = from;
    this.#end = end;
    return end;
  }

  firstData(bytes: Buffer): Buffer | undefined {
    return this.#end > this.#start ? bytes.subarray(this.#start, this.#end) : undefined;
  }
}

/**
 * Chunks, passed on as chunks or, to HTTP/1.0, as bare data. Whole plain chunks go on as they are; others are framed anew,
 * so that what has been written always ends with a whole chunk, and so that no extension gets through.
 */
export class ChunkedReader implements BodyReader {
  readonly #scanner: ChunkScanner;
  readonly #chunked: boolean;

  constructor(options: { readonly chunked: boolean; readonly trailerLimit: number }) {
    this.#scanner = new ChunkScanner(options.trailerLimit);
    this.#chunked = options.chunked;
  }

  get done(): boolean {
    return this.#scanner.done;
  }

  read(bytes: Buffer, from: number, out: Piece[]): number {
    const scanner = this.#scanner;
    const end = scanner.scan(bytes, from);
    if (end < 0) return -1;
    if (this.#chunked && scanner.plain) {
      if (end > from) out.push(from === 0 && end === bytes.length ? bytes : bytes.subarray(from, end));
      return end;
    }
    for (let i = 0; i < scanner.ranges.length; i += 2) {
      const data = bytes.subarray(scanner.ranges[i], scanner.ranges[i + 1]);
      if (this.#chunked) pushChunk(data, out);
      else out.push(data);
    }
    if (scanner.done && this.#chunked) out.push(lastChunk(scanner.trailers));
    return end;
  }

  firstData(bytes: Buffer): Buffer | undefined {
    const [start, end] = this.#scanner.ranges;
    return start === undefined ? undefined : bytes.subarray(start, end);
  }
}

/** All there is until the connection ends: `finish` is the owner's to call then. */
export class OpenReader implements BodyReader {
  readonly done: boolean = false;
  readonly #chunked: boolean;
  #start = 0;

  constructor(options: { readonly chunked: boolean }) {
    this.#chunked = options.chunked;
  }

  read(bytes: Buffer, from: number, out: Piece[]): number {
    const data = from === 0 ? bytes : bytes.subarray(from);
    if (data.length > 0) {
      if (this.#chunked) pushChunk(data, out);
      else out.push(data);
    }
    this.#start = from;
    return bytes.length;
  }

  firstData(bytes: Buffer): Buffer | undefined {
    return bytes.length > this.#start ? bytes.subarray(this.#start) : undefined;
  }
}

export function pushChunk(data: Buffer, out: Piece[]): void {
  out.push(`${data.length.toString(16)}\r\n`, data, "\r\n");
}

export function lastChunk(rawTrailers: readonly string[]): string {
  if (rawTrailers.length === 0) return LAST_CHUNK;
  let text = "0\r\n";
  for (const [name, value] of passableTrailers(rawTrailers)) text += `${name}: ${value}\r\n`;
  return `${text}\r\n`;
}
