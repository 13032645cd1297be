import type { LoadSegment } from "./trace.ts";

/** What the numbers of a load are: requests under way at any time, or requests that come each second. */
export type LoadUnit = "concurrency" | "rps";

export interface LoadShape {
  readonly unit: LoadUnit;
  /** In rising order, without overlap. */
  readonly segments: readonly LoadSegment[];
  /** Where the last segment ends, in seconds. */
  readonly end: number;
}

/** Why a text is no load. */
export interface LoadShapeFault {
  readonly message: string;
  /** Of the first character at fault, from 0. */
  readonly offset: number;
}

/** A month: so that a slip of the pen does not fill the memory. */
export const LONGEST_LOAD_SECONDS = 31 * 86_400;
const GREATEST_LOAD = 1_000_000;
const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/**
 * Reads `0-60s:5, 60-75s:200, 10m:0`: segments `from-to:value` or `duration:value`, which goes on where the one before
 * ended. Times are whole seconds, written with s, m, h or several of them (`1h30m`); without a unit they take that of the
 * range's end, else seconds. A value is a number of requests under way, or with `rps` before or behind (`rps:30`, `30rps`)
 * of those that come each second; `5..200` rises from the one to the other. One load has one unit.
 */
export function parseLoadShape(text: string): LoadShape | LoadShapeFault {
  const segments: LoadSegment[] = [];
  let unit: LoadUnit | undefined;
  let end = 0;
  for (const piece of pieces(text)) {
    const read = readSegment(piece, end);
    if (isFault(read)) return read;
    const { from, to, value } = read;
    // Nothing is nothing in either unit.
    const units = value.first === 0 && value.last === 0 ? undefined : value.unit;
    if (unit !== undefined && units !== undefined && unit !== units) {
      return fault(
        value,
        `the load is in ${nameOf(unit)} before, and in ${nameOf(units)} here; use one of them`,
      );
    }
    unit ??= units;
    segments.push(segmentOf(from, to, value));
    end = to;
  }
  return { unit: unit ?? "concurrency", segments: segments.map((segment) => inUnit(segment, unit)), end };
}

export function isFault(read: object): read is LoadShapeFault {
  return "message" in read;
}

/** A part of the text with its place in the whole. */
interface Piece {
  readonly text: string;
  readonly offset: number;
}

interface Value extends Piece {
  readonly first: number;
  readonly last: number;
  readonly unit: LoadUnit;
}

function readSegment(
  piece: Piece,
  previousEnd: number,
): { readonly from: number; readonly to: number; readonly value: Value } | LoadShapeFault {
  const colon = piece.text.indexOf(":");
  if (piece.text === "") return fault(piece, "a segment is missing here, such as 60s:5");
  if (colon === -1) return fault(piece, `"${piece.text}" has no value; write ${piece.text}:5, for example`);
  const span = readSpan(part(piece, 0, colon), previousEnd);
  if (isFault(span)) return span;
  const value = readValue(part(piece, colon + 1));
  return isFault(value) ? value : { ...span, value };
}

function readSpan(
  piece: Piece,
  previousEnd: number,
): { readonly from: number; readonly to: number } | LoadShapeFault {
  const dash = piece.text.indexOf("-");
  if (dash === -1) {
    const length = readTime(piece, "s");
    if (typeof length !== "number") return length;
    if (length === 0) return fault(piece, "a segment must last at least a second");
    return withinReach(piece, previousEnd, previousEnd + length);
  }
  const until = part(piece, dash + 1);
  const to = readTime(until, "s");
  if (typeof to !== "number") return to;
  const begin = part(piece, 0, dash);
  const from = readTime(begin, /[smh]$/.exec(until.text)?.[0] ?? "s");
  if (typeof from !== "number") return from;
  if (from < previousEnd) return fault(begin, `${begin.text} is before the end of the segment before`);
  if (to <= from) return fault(until, `${until.text} is not after ${begin.text}`);
  return withinReach(until, from, to);
}

function withinReach(
  piece: Piece,
  from: number,
  to: number,
): { readonly from: number; readonly to: number } | LoadShapeFault {
  return to > LONGEST_LOAD_SECONDS ? fault(piece, "a load may last 31 days at most") : { from, to };
}

function readTime(piece: Piece, unitIfNone: string): number | LoadShapeFault {
  const { text } = piece;
  const bare = /^\d+(?:\.\d+)?$/.test(text);
  if (!bare && !/^(?:\d+(?:\.\d+)?[smh])+$/.test(text)) {
    return fault(piece, `"${text}" is no time; write 90s, 1.5m, 1h30m`);
  }
  let seconds = 0;
  for (const [, amount = "", unit = ""] of (bare ? text + unitIfNone : text).matchAll(/([\d.]+)([smh])/g)) {
    seconds += Number(amount) * (UNIT_SECONDS[unit] ?? Number.NaN);
  }
  return Number.isInteger(seconds) ? seconds : fault(piece, `"${text}" is not a whole number of seconds`);
}

function readValue(piece: Piece): Value | LoadShapeFault {
  const match = /^(rps\s*:)?\s*([^\s.r][^r]*?)\s*(rps)?$/.exec(piece.text);
  if (match === null) return fault(piece, notAValue(piece.text));
  const [, before, amounts = "", behind] = match;
  const offset = piece.offset + piece.text.indexOf(amounts);
  const [first = "", last = first, more] = amounts.split("..");
  if (more !== undefined) return fault(piece, notAValue(piece.text));
  for (const [amount, at] of [
    [first, offset],
    [last, offset + amounts.length - last.length],
  ] as const) {
    if (!/^\d+(?:\.\d+)?$/.test(amount)) return fault({ text: amount, offset: at }, notAValue(piece.text));
    if (Number(amount) > GREATEST_LOAD) {
      return fault(
        { text: amount, offset: at },
        `${amount} is more than ${GREATEST_LOAD}, the greatest load`,
      );
    }
  }
  const unit = before === undefined && behind === undefined ? "concurrency" : "rps";
  return { ...piece, first: Number(first), last: Number(last), unit };
}

function notAValue(text: string): string {
  return `"${text}" is no load; write 5, 5..200, 30rps or 10..30rps`;
}

function segmentOf(from: number, to: number, { first, last }: Value): LoadSegment {
  return { from, to, concurrency: first, ...(last === first ? {} : { toConcurrency: last }) };
}

function inUnit(segment: LoadSegment, unit: LoadUnit | undefined): LoadSegment {
  if (unit !== "rps") return segment;
  const { from, to, concurrency = 0, toConcurrency } = segment;
  return { from, to, rps: concurrency, ...(toConcurrency === undefined ? {} : { toRps: toConcurrency }) };
}

function nameOf(unit: LoadUnit): string {
  return unit === "rps" ? "requests per second" : "requests under way";
}

function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let offset = 0;
  for (const piece of text.split(",")) {
    found.push(part({ text: piece, offset }, 0));
    offset += piece.length + 1;
  }
  // A comma at the end does no harm.
  if (found.length > 1 && found.at(-1)?.text === "") found.pop();
  return found;
}

/** A part of a part, without the spaces around it. */
function part(piece: Piece, start: number, end = piece.text.length): Piece {
  const text = piece.text.slice(start, end);
  const spaces = text.length - text.trimStart().length;
  return { text: text.trim(), offset: piece.offset + start + spaces };
}

function fault(piece: Piece, message: string): LoadShapeFault {
  return { message, offset: piece.offset };
}
