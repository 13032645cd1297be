/** One connection through the holder, as a Duplex. */
import { Duplex } from "node:stream";
import { encodeFrame, FRAME, type FrameType, LARGEST_PAYLOAD, numberPayload, WINDOW } from "./frames.ts";

/** Credit is given back in steps, so that small messages don't cost a frame each. */
const CREDIT_STEP = WINDOW / 4;

export interface StreamLink {
  send(frame: Buffer): void;
  /** The stream is over on our side; frames for it are ignored from now on. */
  forget(id: number): void;
}

export class MuxStream extends Duplex {
  readonly id: number;
  readonly #link: StreamLink;
  /** What came in and Node's buffer had no place for: at most one window. */
  readonly #waiting: Buffer[] = [];
  #wanted = false;
  #ended = false;
  #owed = 0;
  #credit = WINDOW;
  #unsent: { chunk: Buffer; done: (error?: Error | null) => void } | undefined;
  #isOver = false;

  constructor(id: number, link: StreamLink) {
    // Half-open: either side may be done sending before the other.
    super({ allowHalfOpen: true });
    this.id = id;
    this.#link = link;
  }

  override _read(): void {
    this.#wanted = true;
    this.#deliver();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#unsent = { chunk, done };
    this.#sendWhatMay();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#send(FRAME.end);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const unsent = this.#unsent;
    this.#unsent = undefined;
    this.#waiting.length = 0;
    if (!this.#isOver && !(this.writableFinished && this.#ended)) this.#send(FRAME.reset, numberPayload(0));
    this.#finish();
    done(error);
    unsent?.done(error ?? new Error("The stream was destroyed"));
  }

  /** DATA: ours from now on. */
  takeData(payload: Buffer): void {
    // A copy: the view would keep the whole chunk that it came in alive.
    this.#waiting.push(Buffer.from(payload));
    this.#deliver();
  }

  takeEnd(): void {
    this.#ended = true;
    this.#deliver();
  }

  takeCredit(bytes: number): void {
    this.#credit += bytes;
    this.#sendWhatMay();
  }

  /** RESET, or the end of the whole connection to the holder. */
  takeReset(error: Error | undefined): void {
    this.#finish();
    this.destroy(error);
  }

  #deliver(): void {
    while (this.#wanted && this.#waiting.length > 0) {
      const chunk = this.#waiting.shift() as Buffer;
      this.#owed += chunk.length;
      this.#wanted = this.push(chunk);
    }
    if (this.#owed >= CREDIT_STEP) {
      this.#send(FRAME.credit, numberPayload(this.#owed));
      this.#owed = 0;
    }
    if (this.#ended && this.#waiting.length === 0 && !this.readableEnded) this.push(null);
  }

  #sendWhatMay(): void {
    while (this.#unsent !== undefined && this.#credit > 0 && !this.#isOver) {
      const { chunk, done } = this.#unsent;
      const part = chunk.subarray(0, Math.min(this.#credit, LARGEST_PAYLOAD));
      this.#credit -= part.length;
      this.#send(FRAME.data, part);
      if (part.length < chunk.length) {
        this.#unsent = { chunk: chunk.subarray(part.length), done };
        continue;
      }
      this.#unsent = undefined;
      done();
    }
  }

  #send(type: FrameType, payload?: Buffer): void {
    if (!this.#isOver) this.#link.send(encodeFrame(type, this.id, payload));
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#link.forget(this.id);
  }
}
