/** Gathers bytes until a head is whole. Nearly always it comes in one piece, and nothing is copied then. */

/** Most heads end within so many bytes: so many are looked at as text, before the search goes on in the bytes. */
const FIRST_LOOK = 4096;
const LF = 10;
/** Bytes of a head that are looked at with each piece, and with each line. */
const FEW = 256;
const OFTEN = 4096;
const END = Buffer.from("\r\n\r\n", "latin1");

export type Collected = "whole" | "more" | "too-large";

export class HeadCollector {
  /** The head, up to its last field's CRLF, one character for each byte; valid after `whole`. */
  text = "";
  /** What came behind the head; valid after `whole`. */
  rest: Buffer | undefined;
  readonly #limit: number;
  #partial: Buffer | undefined;
  #length = 0;
  #endedLine = false;
  #looked = 0;

  /** @param limit bytes of a head, its empty line not counted */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes of a head that isn't whole yet. */
  get pending(): number {
    return this.#length;
  }

  /**
   * Whether to judge them by now: a line has ended, or they are still few; and from some size on only each time that they
   * have doubled, so that a head that comes in drops isn't read again for each.
   */
  isWorthALook(): boolean {
    if (!this.#endedLine && this.#length > FEW) return false;
    if (this.#length > OFTEN && this.#length < this.#looked * 2) return false;
    this.#looked = this.#length;
    return true;
  }

  /** Those bytes, as text. */
  get pendingText(): string {
    return this.#partial?.toString("latin1", 0, this.#length) ?? "";
  }

  take(chunk: Buffer): Collected {
    this.#endedLine = false;
    if (this.#length > 0) return this.#append(chunk);
    const text = chunk.toString("latin1", 0, Math.min(chunk.length, FIRST_LOOK));
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) return chunk.length > text.length ? this.#search(chunk, text.length - 3) : this.#keep(chunk);
    this.text = text.slice(0, end + 2);
    this.rest = chunk.length > end + 4 ? chunk.subarray(end + 4) : undefined;
    return end > this.#limit ? "too-large" : "whole";
  }

  #search(bytes: Buffer, from: number): Collected {
    const end = bytes.indexOf(END, Math.max(0, from));
    if (end < 0) return this.#keep(bytes);
    this.text = bytes.toString("latin1", 0, end + 2);
    this.rest = bytes.length > end + 4 ? bytes.subarray(end + 4) : undefined;
    this.clear();
    return end > this.#limit ? "too-large" : "whole";
  }

  /** A copy: the bytes may be read over. */
  #keep(bytes: Buffer): Collected {
    this.#partial = Buffer.from(bytes);
    this.#endedLine = bytes.includes(LF);
    this.#length = bytes.length;
    return this.#length > this.#limit + END.length ? "too-large" : "more";
  }

  /** Room doubles, so that a head that comes byte by byte is not copied for each of them. */
  #append(chunk: Buffer): Collected {
    const before = this.#length;
    const length = before + chunk.length;
    let room = this.#partial as Buffer;
    if (room.length < length) {
      const larger = Buffer.allocUnsafe(Math.max(1024, length * 2));
      room.copy(larger, 0, 0, before);
      room = larger;
    }
    chunk.copy(room, before);
    this.#partial = room;
    this.#length = length;
    this.#endedLine = chunk.includes(LF);
    const end = room.subarray(0, length).indexOf(END, Math.max(0, before - 3));
    if (end < 0) return length > this.#limit + END.length ? "too-large" : "more";
    this.text = room.toString("latin1", 0, end + 2);
    this.rest = length > end + 4 ? room.subarray(end + 4, length) : undefined;
    this.clear();
    return end > this.#limit ? "too-large" : "whole";
  }

  clear(): void {
    this.#partial = undefined;
    this.#length = 0;
    this.#looked = 0;
  }
}
