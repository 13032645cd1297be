/** The kinds of lines that we say, each with its stream, its mark and its colour. */
import { Columns } from "./line.ts";
import { safeText } from "./safe-text.ts";
import type { Theme } from "./theme.ts";

export interface Said {
  readonly to: "stdout" | "stderr";
  /** Without newlines. */
  readonly lines: readonly string[];
}

export interface VoiceOptions {
  readonly stdoutTheme: Theme;
  readonly stderrTheme: Theme;
  /** Width of the terminal behind a stream; undefined where it is none: lines are not broken then. */
  columns(to: Said["to"]): number | undefined;
}

export class Voice {
  readonly #options: VoiceOptions;
  readonly #columns = new Columns();

  constructor(options: VoiceOptions) {
    this.#options = options;
  }

  /** What we do. */
  ours(name: string, text: string): Said[] {
    return this.say("stderr", name, this.#theme.marks.ours, clean(text));
  }

  /** What went well. */
  good(name: string, text: string): Said[] {
    return this.say("stderr", name, this.#theme.success(this.#theme.marks.done), clean(text));
  }

  warning(name: string, text: string): Said[] {
    const paint = this.#theme.warning;
    return this.say("stderr", name, paint(this.#theme.marks.warning), paint(clean(text)));
  }

  bad(name: string, text: string): Said[] {
    const paint = this.#theme.error;
    return this.say("stderr", name, paint(this.#theme.marks.failed), paint(clean(text)));
  }

  /** `text` is safe and painted already. */
  say(to: Said["to"], name: string, mark: string, text: string): Said[] {
    const theme = to === "stdout" ? this.#options.stdoutTheme : this.#options.stderrTheme;
    return [{ to, lines: this.#columns.prose(theme, name, mark, text, this.#options.columns(to)) }];
  }

  /** A line of the app, on stdout; `text` is safe and painted already. */
  quote(name: string, mark: string, text: string): Said[] {
    return [{ to: "stdout", lines: this.#columns.verbatim(this.#options.stdoutTheme, name, mark, text) }];
  }

  get #theme(): Theme {
    return this.#options.stderrTheme;
  }
}

/** Text of others (commands, exits, paths) inside our own lines: nothing but text. */
function clean(text: string): string {
  const lines = text.trimEnd().split("\n");
  return lines.map((line) => safeText(line, false)).join("\n");
}
