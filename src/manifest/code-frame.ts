/** The lines around a place, with a caret, as plain text: colour is the reporter's job. */

const CONTEXT = 2;
const MAX_WIDTH = 120;

/**
 * Line and column count from 1. One entry a line, the caret's line included; empty if the place is not in the text.
 * A text with many places in it is best cut into lines by the caller, once.
 */
export function codeFrame(
  text: string | readonly string[],
  place: { readonly line: number; readonly column: number },
): readonly string[] {
  const lines = typeof text === "string" ? text.split(/\r\n|\n/) : text;
  if (place.line < 1 || place.line > lines.length) return [];
  const first = Math.max(1, place.line - CONTEXT);
  const last = Math.min(lines.length, place.line + CONTEXT);
  const gutter = String(last).length;
  const skipped = Math.max(0, place.column - MAX_WIDTH + 20);
  const frame: string[] = [];
  for (let number = first; number <= last; number++) {
    const mark = number === place.line ? ">" : " ";
    frame.push(
      `${mark} ${String(number).padStart(gutter)} | ${shown(lines[number - 1] ?? "", skipped)}`.trimEnd(),
    );
    if (number === place.line)
      frame.push(`${" ".repeat(gutter + 2)} | ${" ".repeat(Math.max(0, place.column - 1 - skipped))}^`);
  }
  return frame;
}

/** Tabs are one column to the parser, so they are one column here. */
function shown(line: string, skipped: number): string {
  const plain = line.replaceAll("\t", " ").slice(skipped);
  return plain.length > MAX_WIDTH ? `${plain.slice(0, MAX_WIDTH)}...` : plain;
}
