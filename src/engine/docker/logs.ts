/**
 * The engine's multiplexed output stream, cut into lines. Written here because docker-modem's demuxStream copies its
 * buffer per frame (quadratic) and recurses per frame (a burst of short lines overflows the stack).
 */
import type { Readable } from "node:stream";
import type { LogLine } from "../engine.ts";

/** Docker cuts lines here too when it stores them. */
export const LONGEST_PIECE = 16 * 1024;

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const STDERR = 2;
const HEADER_BYTES = 8;

type Sink = (part: Buffer) => void;

/** Returns a function to feed chunks to. Frame: type, three zeros, length (big endian), payload. */
export function demultiplexer(stdout: Sink, stderr: Sink): Sink {
  const header = Buffer.alloc(HEADER_BYTES);
  let have = 0;
  let left = 0;
  return (chunk) => {
    let offset = 0;
    while (offset < chunk.length) {
      if (left === 0) {
        const part = Math.min(HEADER_BYTES - have, chunk.length - offset);
        chunk.copy(header, have, offset, offset + part);
        have += part;
        offset += part;
        if (have < HEADER_BYTES) return;
        left = header.readUInt32BE(4);
        have = 0;
        continue;
      }
      const part = Math.min(left, chunk.length - offset);
      (header[0] === STDERR ? stderr : stdout)(chunk.subarray(offset, offset + part));
      left -= part;
      offset += part;
    }
  };
}

/** Collects bytes into lines; one longer than `longest` bytes comes in pieces, never cut inside a character. */
export class LineSplitter {
  readonly #emit: (line: string) => void;
  readonly #longest: number;
  #parts: Buffer[] = [];
  #length = 0;

  constructor(emit: (line: string) => void, longest = LONGEST_PIECE) {
    this.#emit = emit;
    this.#longest = longest;
  }

  write(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#add(chunk.subarray(start, end));
      this.#flush(true);
      start = end + 1;
    }
    if (start < chunk.length) this.#add(chunk.subarray(start));
  }

  /** The last line may have no newline. */
  end(): void {
    if (this.#length > 0) this.#flush(false);
  }

  #add(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#parts.push(bytes);
    this.#length += bytes.length;
    if (this.#length <= this.#longest) return;
    let rest = Buffer.concat(this.#parts);
    while (rest.length > this.#longest) {
      const cut = characterStart(rest, this.#longest);
      this.#emit(rest.toString("utf8", 0, cut));
      rest = rest.subarray(cut);
    }
    // A copy, so that a long chunk is not kept alive by its tail.
    this.#parts = rest.length === 0 ? [] : [Buffer.from(rest)];
    this.#length = rest.length;
  }

  #flush(atNewline: boolean): void {
    const line = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#length = 0;
    if (line === undefined) return this.#emit("");
    const cut = atNewline && line.at(-1) === CARRIAGE_RETURN ? 1 : 0;
    this.#emit(line.toString("utf8", 0, line.length - cut));
  }
}

/** The last position at or before `at` where a UTF-8 character begins. */
function characterStart(bytes: Buffer, at: number): number {
  for (let cut = at; cut > at - 4 && cut > 0; cut -= 1) {
    if (((bytes[cut] ?? 0) & 0xc0) !== 0x80) return cut;
  }
  return at;
}

/**
 * Reads an attach stream to its end. It must be read all the time: an app whose output nobody takes is stopped by the
 * engine after about a megabyte. Resolves at the end, however that comes about.
 */
export function followLogs(
  stream: Readable,
  container: string,
  onLog: (line: LogLine) => void,
): Promise<void> {
  const lines = (name: LogLine["stream"]): LineSplitter =>
    new LineSplitter((line) => onLog({ container, stream: name, line }));
  const [stdout, stderr] = [lines("stdout"), lines("stderr")];
  const demultiplex = demultiplexer(
    (part) => stdout.write(part),
    (part) => stderr.write(part),
  );
  return new Promise((resolve) => {
    const finish = (): void => {
      stdout.end();
      stderr.end();
      resolve();
    };
    stream.on("data", demultiplex);
    stream.once("close", finish);
    // `close` follows; without a listener the error would end the process.
    stream.on("error", () => undefined);
  });
}
