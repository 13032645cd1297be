/** Longer lines are cut into pieces of at most this many bytes, as container runtimes do. */
export const LONGEST_LINE_BYTES = 16 * 1024;

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Turns chunks of bytes into lines of text, whole characters only; `end` gives the last line if it had no newline. */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const newline = data.indexOf(NEWLINE);
      const length = newline < 0 ? data.length : newline;
      if (length > LONGEST_LINE_BYTES) {
        const cut = characterBoundary(data, LONGEST_LINE_BYTES);
        this.#onLine(data.toString("utf8", 0, cut));
        data = data.subarray(cut);
      } else if (newline >= 0) {
        const end = newline > 0 && data[newline - 1] === CARRIAGE_RETURN ? newline - 1 : newline;
        this.#onLine(data.toString("utf8", 0, end));
        data = data.subarray(newline + 1);
      } else break;
    }
    // A copy: the chunk may be a slice of a pool, far larger than what is kept.
    this.#rest = Buffer.from(data);
  }

  end(): void {
    if (this.#rest.length > 0) this.#onLine(this.#rest.toString("utf8"));
    this.#rest = Buffer.alloc(0);
  }
}

/** The largest position up to `at` that doesn't split a UTF-8 character (of at most 4 bytes). */
function characterBoundary(data: Buffer, at: number): number {
  for (let position = at; position > at - 4; position -= 1) {
    if (((data[position] ?? 0) & 0xc0) !== 0x80) return position;
  }
  return at;
}
