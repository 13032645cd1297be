/**
 * The few lines at the bottom of a terminal that are redrawn in place while work is going on. Everything else goes
 * through `printAbove`, so that a log line never lands inside the block.
 */
import type { CancelTimer, Clock } from "../kernel/clock.ts";
import { displayWidth, truncate } from "./display-width.ts";
import type { Output } from "./output.ts";
import { ESC } from "./safe-text.ts";

/** Real ms between two frames. */
const FRAME_MS = 80;
const HIDE_CURSOR = `${ESC}[?25l`;
const SHOW_CURSOR = `${ESC}[?25h`;
/** A terminal that does not say. */
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

export interface LiveBlockOptions {
  readonly output: Output;
  /** Writes to the same terminal; apart from `output` because the reader may have gone. */
  write(text: string): void;
  /** Real time, never scaled: frames are for eyes. */
  readonly clock: Clock;
  /** What to show now, at most `columns` wide; none = no block. `frame` counts up. */
  lines(columns: number, frame: number): readonly string[];
}

export class LiveBlock {
  readonly #options: LiveBlockOptions;
  readonly #onResize = (): void => this.refresh();
  #cancel: CancelTimer | undefined;
  #drawn: readonly string[] = [];
  #frame = 0;
  #closed = false;

  constructor(options: LiveBlockOptions) {
    this.#options = options;
    options.output.on?.("resize", this.#onResize);
  }

  /** Something changed: shown with the next frame, at the latest 80 ms from now. */
  refresh(): void {
    if (this.#closed || this.#cancel !== undefined) return;
    this.#cancel = this.#options.clock.after(this.#drawn.length === 0 ? 0 : FRAME_MS, () => this.#tick());
  }

  /** Runs `print`, which writes whole lines to either stream, above the block. */
  printAbove(print: () => void): void {
    const block = this.#drawn;
    if (block.length === 0) {
      print();
      return;
    }
    this.#options.write(this.#eraseText());
    print();
    this.#options.write(this.#drawText(block));
  }

  /** Nothing is under way any more: takes the block away at once rather than with the next frame. */
  settle(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#drawn.length > 0) this.#options.write(this.#eraseText() + SHOW_CURSOR);
  }

  /** Takes the block away and gives the cursor back. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.output.off?.("resize", this.#onResize);
    this.settle();
  }

  #tick(): void {
    this.#cancel = undefined;
    this.#frame += 1;
    const columns = this.#columns();
    const height = Math.max(1, (this.#options.output.rows ?? DEFAULT_ROWS) - 2);
    const lines = this.#options.lines(columns, this.#frame).slice(0, height);
    if (lines.length === 0 && this.#drawn.length === 0) return;
    const erase = this.#eraseText();
    // One column stays free: writing the last one makes some terminals wrap. One write a frame, against flicker.
    this.#options.write(erase + this.#drawText(lines.map((line) => truncate(line, columns - 1))));
    if (lines.length > 0) this.refresh();
  }

  #drawText(lines: readonly string[]): string {
    this.#drawn = lines;
    return lines.length === 0 ? SHOW_CURSOR : HIDE_CURSOR + lines.join("\n");
  }

  /** The terminal may have become narrower since: then what was one line has been wrapped into several. */
  #eraseText(): string {
    if (this.#drawn.length === 0) return "";
    const columns = this.#columns();
    const rows = this.#drawn.reduce(
      (sum, line) => sum + Math.max(1, Math.ceil(displayWidth(line) / columns)),
      0,
    );
    this.#drawn = [];
    return `\r${rows > 1 ? `${ESC}[${rows - 1}A` : ""}${ESC}[J`;
  }

  #columns(): number {
    return Math.max(10, this.#options.output.columns ?? DEFAULT_COLUMNS);
  }
}
