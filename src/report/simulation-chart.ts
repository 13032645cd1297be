/** Load, instances, waiting requests and panic over time, in as many cells as there are. */
import { padTo } from "./display-width.ts";
import type { SimulationResult } from "./simulation-result.ts";
import { axisStep, compactTime } from "./simulation-time.ts";
import type { Paint, Theme } from "./theme.ts";

export interface ChartOptions {
  /** Width of the terminal in cells. */
  readonly columns: number;
  readonly theme: Theme;
  /** No characters outside ASCII: for the Linux console. */
  readonly ascii: boolean;
}

const WIDEST = 160;
const NARROWEST = 20;
const LABEL_CELLS = 14;
const LOAD_ROWS = 4;
const MOST_INSTANCE_ROWS = 6;
const WAITING_ROWS = 2;

interface Glyphs {
  /** From an eighth of a cell to a whole one. */
  readonly levels: readonly string[];
  readonly starting: string;
  readonly panic: string;
  readonly side: string;
  readonly corner: string;
  readonly floor: string;
  readonly mark: string;
}
const BLOCKS: Glyphs = {
  levels: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
  starting: "░",
  panic: "━",
  side: "│",
  corner: "└",
  floor: "─",
  mark: "┬",
};
const ASCII: Glyphs = {
  levels: [".", ".", ".", ":", ":", ":", "#", "#"],
  starting: "o",
  panic: "=",
  side: "|",
  corner: "+",
  floor: "-",
  mark: "+",
};

export function chartLines(result: SimulationResult, options: ChartOptions): string[] {
  const { theme } = options;
  const glyphs = options.ascii ? ASCII : BLOCKS;
  const cells = Math.max(NARROWEST, Math.min(options.columns, WIDEST) - LABEL_CELLS - 3);
  const { seconds, durationSeconds } = result;
  const highest = (series: readonly number[]): number[] => binned(series, durationSeconds, cells);
  const load = highest(seconds.load);
  const ready = highest(seconds.ready);
  const all = highest(seconds.ready.map((count, index) => count + (seconds.starting[index] ?? 0)));
  const waiting = highest(seconds.waiting);
  const panic = highest(seconds.panic);
  const side = (label: string): string => `${theme.dim(padTo(label, LABEL_CELLS))} ${theme.dim(glyphs.side)}`;
  return [
    ...plot(side, result.unit === "rps" ? "rps" : "in flight", LOAD_ROWS, load, (row, top) =>
      bars(load, row, LOAD_ROWS, top, glyphs, theme.accent),
    ),
    side(""),
    ...instanceRows(side, { ready, all }, glyphs, theme),
    ...(waiting.some((count) => count > 0)
      ? [
          side(""),
          ...plot(side, "waiting", WAITING_ROWS, waiting, (row, top) =>
            bars(waiting, row, WAITING_ROWS, top, glyphs, theme.warning),
          ),
        ]
      : []),
    ...(panic.some((count) => count > 0)
      ? [
          side(""),
          `${side("panic")}${theme.error(
            panic
              .map((on) => (on > 0 ? glyphs.panic : " "))
              .join("")
              .trimEnd(),
          )}`,
        ]
      : []),
    ...axis(durationSeconds, cells, glyphs, theme),
  ];
}

/** The highest value of each cell's stretch of time. */
function binned(series: readonly number[], seconds: number, cells: number): number[] {
  if (series.length === 0) return [];
  return Array.from({ length: cells }, (_, cell) => {
    const from = Math.floor((cell * seconds) / cells);
    const to = Math.max(from + 1, Math.floor(((cell + 1) * seconds) / cells));
    let highest = 0;
    for (let second = from; second < to; second++) highest = Math.max(highest, series[second] ?? 0);
    return highest;
  });
}

/** Rows from the top, with the name on the first, the highest value on the second and 0 on the last. */
function plot(
  side: (label: string) => string,
  name: string,
  rows: number,
  values: readonly number[],
  draw: (row: number, top: number) => string,
): string[] {
  const top = values.reduce((highest, value) => Math.max(highest, value), 0);
  return Array.from({ length: rows }, (_, index) => {
    const scale = shortNumber(top);
    const label = index > 0 ? "" : top === 0 ? name : `${name} ${scale}`;
    return `${side(label)}${draw(rows - 1 - index, top)}`.trimEnd();
  });
}

function bars(
  values: readonly number[],
  row: number,
  rows: number,
  top: number,
  glyphs: Glyphs,
  paint: Paint,
): string {
  const text = values.map((value) => glyph(eighths(value, rows, top) - row * 8, glyphs.levels)).join("");
  return text.trim() === "" ? "" : paint(text.trimEnd());
}

/** What is not nothing is to be seen. */
function eighths(value: number, rows: number, top: number): number {
  return value <= 0 || top <= 0 ? 0 : Math.max(1, Math.round((value / top) * rows * 8));
}

function glyph(level: number, levels: readonly string[]): string {
  return level <= 0 ? " " : (levels[Math.min(level, 8) - 1] ?? " ");
}

/** One row for each instance, as long as that is few. Those that are starting stand on top of the ready ones. */
function instanceRows(
  side: (label: string) => string,
  { ready, all }: { readonly ready: readonly number[]; readonly all: readonly number[] },
  glyphs: Glyphs,
  theme: Theme,
): string[] {
  const most = Math.max(1, ...all);
  const rows = Math.min(most, MOST_INSTANCE_ROWS);
  let starting = false;
  const lines = plot(side, "instances", rows, all, (row) =>
    all
      .map((count, cell) => {
        const upTo = eighths(ready[cell] ?? 0, rows, most) - row * 8;
        if (upTo > 0) return theme.success(glyph(upTo, glyphs.levels));
        if (eighths(count, rows, most) <= row * 8) return " ";
        starting = true;
        return theme.warning(glyphs.starting);
      })
      .join(""),
  );
  return starting ? [...lines, side(`${glyphs.starting} starting`)] : lines;
}

function axis(seconds: number, cells: number, glyphs: Glyphs, theme: Theme): string[] {
  const step = axisStep(seconds, cells, 9);
  let line = "";
  let labels = "";
  for (let at = 0; at <= seconds; at += step) {
    const cell = Math.round((at * cells) / seconds);
    if (cell >= cells) break;
    line = line.padEnd(cell, glyphs.floor) + glyphs.mark;
    const label = compactTime(at);
    if (cell + label.length <= cells) labels = labels.padEnd(cell) + label;
  }
  const indent = " ".repeat(LABEL_CELLS + 1);
  const each = Math.round(seconds / cells);
  const caption = `each column is the highest of ${compactTime(each)}`;
  return [
    theme.dim(indent + glyphs.corner + line.padEnd(cells, glyphs.floor)),
    theme.dim(`${indent} ${labels}`.trimEnd()),
    ...(each < 2 || caption.length > cells ? [] : [theme.dim(`${indent} ${caption}`)]),
  ];
}

/** At most four characters up to a million. */
function shortNumber(value: number): string {
  if (value >= 10_000) return `${Math.round(value / 1000)}k`;
  if (value >= 1000) return `${(value / 1000).toFixed(1)}k`;
  return value >= 10 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1);
}
