/** A problem in the order in which it is read: where and what, the lines of the file, why, what to do. */
import { relative } from "node:path";
import type { ProblemFound } from "../resources/events.ts";
import { wrap } from "./display-width.ts";
import { safeText } from "./safe-text.ts";
import type { Paint, Theme } from "./theme.ts";

/** What `  why  ` takes. */
const LABEL_CELLS = 7;

/** `cwd`: paths below it are shown relative to it. `columns`: width of the terminal; absent = lines are not broken. */
export function problemLines(problem: ProblemFound, theme: Theme, cwd: string, columns?: number): string[] {
  const paint = severityPaint(problem.severity, theme);
  const place = placeOf(problem, cwd);
  const head = [
    paint(`${severityMark(problem.severity, theme)} ${problem.severity}`),
    ...(place === "" ? [] : [theme.bold(place)]),
    safeLines(problem.message).join("\n"),
    theme.dim(`[${problem.code}]`),
  ].join("  ");
  const room = columns === undefined ? Infinity : Math.max(40, columns);
  const [first = "", ...more] = head.split("\n").flatMap((line) => wrap(line, room - 2));
  return [
    first,
    ...more.map((line) => `  ${line.trimStart()}`),
    ...(problem.frame ?? []).map((line) => `  ${frameLine(safeText(line, false), paint, theme)}`),
    // Evidence (log lines, stacks) stays as it is; advice is prose.
    ...labelled("why", problem.why, theme.dim, Infinity),
    ...labelled("fix", problem.hint, theme.accent, room - LABEL_CELLS),
  ];
}

/** `service.yaml:12:9`, as far as known, and the field where there is no line. */
export function placeOf(at: Pick<ProblemFound, "file" | "line" | "column" | "path">, cwd: string): string {
  if (at.file === undefined) return at.path ?? "";
  const line = at.line === undefined ? "" : `:${at.line}${at.column === undefined ? "" : `:${at.column}`}`;
  return `${showPath(at.file, cwd)}${line}`;
}

/** Relative where that is shorter to read; a path outside the directory stays absolute. */
export function showPath(file: string, cwd: string): string {
  const path = relative(cwd, file);
  return safeText(path === "" || path.startsWith("..") || !file.startsWith("/") ? file : path, false);
}

/** Where a line begins with `>` or consists of carets it is the point of the frame; the rest is scenery. */
function frameLine(line: string, paint: Paint, theme: Theme): string {
  return /^\s*>/.test(line) ? line : /^[\s|│]*\^+/.test(line) ? paint(line) : theme.dim(line);
}

function labelled(label: string, text: string | undefined, paint: Paint, room: number): string[] {
  if (text === undefined || text === "") return [];
  const [first = "", ...rest] = safeLines(text).flatMap((line) =>
    room === Infinity ? [line] : wrap(line, room),
  );
  return [`  ${paint(label)}  ${first}`, ...rest.map((line) => " ".repeat(LABEL_CELLS) + line)];
}

function safeLines(text: string): string[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => safeText(line, false));
}

function severityPaint(severity: ProblemFound["severity"], theme: Theme): Paint {
  if (severity === "error") return theme.error;
  return severity === "warning" ? theme.warning : theme.accent;
}

function severityMark(severity: ProblemFound["severity"], theme: Theme): string {
  if (severity === "error") return theme.marks.failed;
  return severity === "warning" ? theme.marks.warning : theme.marks.ours;
}
