/** The one layout of everything printed: who, a mark that says whether it is the app's or ours, and the text. */
import { displayWidth, padTo, wrap } from "./display-width.ts";
import type { Theme } from "./theme.ts";

/** The first column grows with what it has to hold, up to this many cells. */
const WIDEST_NAME = 36;
/** With less room than this beside the names, breaking between words makes it worse. */
const NARROWEST_PROSE = 24;

/**
 * `hello-00001-deployment-6b9f4d7c5f-x8k2p` of revision `hello-00001` is `hello-00001-x8k2p` to people: the revision
 * and what tells its instances apart.
 */
export function shortInstance(instance: string, revision: string): string {
  const last = instance.slice(instance.lastIndexOf("-") + 1);
  return instance.startsWith(`${revision}-`) ? `${revision}-${last}` : instance;
}

/** Keeps the first column aligned. */
export class Columns {
  #width = 0;

  /** An app's line: name, mark and text; further lines repeat the name, so that `grep` finds them. */
  verbatim(theme: Theme, name: string, mark: string, text: string): string[] {
    const head = this.#head(theme, name);
    return text.split("\n").map((line) => `${head} ${mark} ${line}`.trimEnd());
  }

  /** A line of ours: broken between words where the terminal's width is known, continued below the text. */
  prose(theme: Theme, name: string, mark: string, text: string, columns: number | undefined): string[] {
    const head = this.#head(theme, name);
    const indent = Math.max(this.#width, displayWidth(name)) + " ▸ ".length;
    const room = columns === undefined ? Infinity : columns - indent;
    const whole = room === Infinity || room < NARROWEST_PROSE;
    const lines = text.split("\n").flatMap((line) => (whole ? [line] : wrap(line, room)));
    return lines.map((line, index) =>
      (index === 0 ? `${head} ${mark} ${line}` : padTo("", indent) + line).trimEnd(),
    );
  }

  #head(theme: Theme, name: string): string {
    this.#width = Math.max(this.#width, Math.min(displayWidth(name), WIDEST_NAME));
    return padTo(theme.name(name)(name), this.#width);
  }
}
