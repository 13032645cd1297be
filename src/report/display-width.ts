/**
 * How many terminal cells a text takes, and cutting it to fit. Graphemes by Intl.Segmenter; East Asian wide and
 * emoji count two. Terminals disagree about a few new emoji: then a line is a cell short, never too long by much.
 */
import { RESET, SGR } from "./safe-text.ts";

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Cells; colours count nothing. */
export function displayWidth(text: string): number {
  const bare = text.replace(SGR, "");
  if (isAscii(bare)) return bare.length;
  let width = 0;
  for (const { segment } of graphemes.segment(bare)) width += graphemeWidth(segment);
  return width;
}

/** Cut to at most `width` cells, the last one being `…` where something was cut; colours end with the text. */
export function truncate(text: string, width: number): string {
  if (width <= 0) return "";
  if (displayWidth(text) <= width) return text;
  let out = "";
  let used = 0;
  for (const part of splitColours(text)) {
    if (part.colour) {
      out += part.text;
      continue;
    }
    for (const { segment } of graphemes.segment(part.text)) {
      const cells = graphemeWidth(segment);
      if (used + cells > width - 1) return close(`${out}…`, text);
      out += segment;
      used += cells;
    }
  }
  return close(out, text);
}

/**
 * Broken between words into lines of at most `width` cells; a word that is longer than that stays whole, as one wants
 * to copy it. Colours run on over the breaks.
 */
export function wrap(text: string, width: number): string[] {
  if (displayWidth(text) <= width) return [text];
  const lines: string[] = [];
  let line: string | undefined;
  let used = 0;
  for (const word of text.split(" ")) {
    const cells = displayWidth(word);
    if (line !== undefined && used + 1 + cells > width) {
      lines.push(line.trimEnd());
      line = undefined;
    }
    used = line === undefined ? cells : used + 1 + cells;
    line = line === undefined ? word : `${line} ${word}`;
  }
  return line === undefined ? lines : [...lines, line];
}

/** Spaces after the text up to `width` cells; a longer text stays as it is. */
export function padTo(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - displayWidth(text)));
}

function close(cut: string, original: string): string {
  return cut !== original && original.search(SGR) >= 0 ? `${cut}${RESET}` : cut;
}

function* splitColours(text: string): Generator<{ text: string; colour: boolean }> {
  let last = 0;
  for (const match of text.matchAll(SGR)) {
    if (match.index > last) yield { text: text.slice(last, match.index), colour: false };
    yield { text: match[0], colour: true };
    last = match.index + match[0].length;
  }
  if (last < text.length) yield { text: text.slice(last), colour: false };
}

function isAscii(text: string): boolean {
  return /^[ -~]*$/.test(text);
}

function graphemeWidth(grapheme: string): number {
  const code = grapheme.codePointAt(0) ?? 0;
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return 0;
  if (code < 0x300) return grapheme.includes("\uFE0F") ? 2 : 1;
  if (/^(?:\p{Mn}|\p{Me}|\p{Cf})+$/u.test(grapheme)) return 0;
  if (/^\p{Emoji_Presentation}/u.test(grapheme) || grapheme.includes("\uFE0F")) return 2;
  return isWide(code) ? 2 : 1;
}

/** Unicode's East Asian Width W and F, by block. */
const WIDE: ReadonlyArray<readonly [from: number, to: number]> = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
];

function isWide(code: number): boolean {
  return WIDE.some(([from, to]) => code >= from && code <= to);
}
