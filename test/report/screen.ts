import { EventEmitter } from "node:events";
import type { Output } from "../../src/report/output.ts";

const CONTROL = new RegExp(`${String.fromCharCode(0x1b)}\\[([?0-9;]*)([A-Za-z])`, "y");

/**
 * What a person would see: a terminal of the given size that knows the few controls that we use, wraps at its width,
 * and throws on any other control. Both streams of a program may write to it.
 */
export class Screen {
  columns: number;
  readonly rows: number;
  cursorVisible = true;
  /** Everything written, controls included. */
  written = "";
  readonly #lines: string[][] = [[]];
  readonly #outputs: Array<EventEmitter & { columns: number }> = [];
  #row = 0;
  #column = 0;

  constructor(columns = 80, rows = 24) {
    this.columns = columns;
    this.rows = rows;
  }

  output(): Output & EventEmitter {
    const output = Object.assign(new EventEmitter(), {
      isTTY: true,
      columns: this.columns,
      rows: this.rows,
      write: (text: string) => this.#write(text),
    });
    this.#outputs.push(output);
    return output;
  }

  /** Wraps anew what stands there, as terminals do; the cursor stays after the last character. */
  resize(columns: number): void {
    this.columns = columns;
    const wrapped = this.#lines.flatMap((cells) => {
      const rows = Array.from({ length: Math.max(1, Math.ceil(cells.length / columns)) }, (_, row) => row);
      return rows.map((row) => cells.slice(row * columns, (row + 1) * columns));
    });
    this.#lines.splice(0, this.#lines.length, ...wrapped);
    this.#row = wrapped.length - 1;
    this.#column = this.#lines[this.#row]?.length ?? 0;
    for (const output of this.#outputs) {
      output.columns = columns;
      output.emit("resize");
    }
  }

  /** The lines without the empty ones at the end. */
  get lines(): string[] {
    const lines = this.#lines.map((cells) => cells.join("").trimEnd());
    while (lines.at(-1) === "") lines.pop();
    return lines;
  }

  #write(text: string): void {
    this.written += text;
    for (let at = 0; at < text.length;) {
      CONTROL.lastIndex = at;
      const control = CONTROL.exec(text);
      if (control !== null) {
        this.#control(control[1] ?? "", control[2] ?? "");
        at = CONTROL.lastIndex;
        continue;
      }
      this.#put(text[at] ?? "");
      at += 1;
    }
  }

  #control(parameters: string, final: string): void {
    if (final === "m") return;
    if (final === "A") this.#row = Math.max(0, this.#row - Number(parameters));
    else if (final === "J" && parameters === "") this.#clearBelow();
    else if (parameters === "?25") this.cursorVisible = final === "h";
    else throw new Error(`a control that this screen does not know: ${parameters}${final}`);
  }

  #clearBelow(): void {
    this.#lines.length = this.#row + 1;
    (this.#lines[this.#row] ??= []).length = this.#column;
  }

  #put(character: string): void {
    if (character === "\n") {
      this.#row += 1;
      this.#column = 0;
    } else if (character === "\r") this.#column = 0;
    else if (character < " ") throw new Error(`a control character: ${character.charCodeAt(0)}`);
    else {
      if (this.#column === this.columns) {
        this.#row += 1;
        this.#column = 0;
      }
      const line = (this.#lines[this.#row] ??= []);
      while (line.length < this.#column) line.push(" ");
      line[this.#column] = character;
      this.#column += 1;
    }
    this.#lines[this.#row] ??= [];
  }
}

/** A pipe or file: keeps what is written. */
export class Sink extends EventEmitter implements Output {
  text = "";
  writes = 0;

  write(text: string): boolean {
    this.writes += 1;
    this.text += text;
    return true;
  }

  get lines(): string[] {
    return this.text.split("\n").slice(0, -1);
  }
}
