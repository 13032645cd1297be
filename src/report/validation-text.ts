/** The report for people: each problem with its lines and a caret, what was fixed, and the verdict. */
import { codeFrame } from "../manifest/code-frame.ts";
import { oncePerPlace, type Problem } from "../manifest/problem.ts";
import { problemOfManifest } from "./error.ts";
import { count } from "./figures.ts";
import { problemLines, showPath } from "./problem-lines.ts";
import { safeText } from "./safe-text.ts";
import type { Theme } from "./theme.ts";
import { type FixedFile, type ValidationReport, verdict } from "./validation-report.ts";

export interface ValidationTextOptions {
  readonly theme: Theme;
  readonly cwd: string;
  /** Of each file, as it is now. */
  readonly texts: ReadonlyMap<string, string>;
  /** Width of the terminal; absent = lines are not broken. */
  readonly columns?: number;
}

/** `theme` decides about colours; nothing else differs between a terminal and a pipe. */
export function validationLines(report: ValidationReport, options: ValidationTextOptions): string[] {
  const { theme, cwd } = options;
  const problems = problemsOf(report);
  const lines = new Map<string, readonly string[]>();
  const blocks = gathered(problems).map((problem) => problemBlock(problem, lines, options));
  const { valid, afterFixes } = report;
  const mark = valid ? theme.success(theme.marks.done) : theme.error(theme.marks.failed);
  return [
    ...(report.fixes ?? []).flatMap((fixed) => [...fixLines(fixed, theme, cwd), ""]),
    ...blocks.flatMap((block) => [...block, ""]),
    ...(afterFixes === undefined
      ? []
      : [`${theme.marks.ours} with these fixes: ${verdict(afterFixes, problemsOf(afterFixes))}`]),
    `${mark} ${valid ? verdict(report, problems) : theme.bold(verdict(report, problems))}`,
  ];
}

function problemsOf({ documents }: ValidationReport): Problem[] {
  return oncePerPlace(documents.flatMap((document) => document.problems));
}

function problemBlock(
  problem: Problem,
  lines: Map<string, readonly string[]>,
  { theme, cwd, texts, columns }: ValidationTextOptions,
): string[] {
  const frame = problem.severity === "notice" ? undefined : frameOf(problem, lines, texts);
  return problemLines(problemOfManifest(problem, frame), theme, cwd, columns);
}

/** Each file is cut into lines once: there may be many problems in it. */
function frameOf(
  { file, line, column }: Problem,
  lines: Map<string, readonly string[]>,
  texts: ReadonlyMap<string, string>,
): readonly string[] | undefined {
  let known = lines.get(file);
  if (known === undefined) {
    known = texts.get(file)?.split(/\r\n|\n/) ?? [];
    lines.set(file, known);
  }
  return known.length === 0 ? undefined : codeFrame(known, { line, column });
}

/** Errors and warnings as they come, then the notices: what is said of many documents is said once. */
function gathered(problems: readonly Problem[]): Problem[] {
  const notices = new Map<string, { first: Problem; more: number }>();
  const others: Problem[] = [];
  for (const problem of problems) {
    if (problem.severity !== "notice") {
      others.push(problem);
      continue;
    }
    const identity = `${problem.code} ${problem.message}`;
    const known = notices.get(identity);
    if (known === undefined) notices.set(identity, { first: problem, more: 0 });
    else known.more++;
  }
  return [
    ...others,
    ...[...notices.values()].map(({ first, more }) =>
      more === 0 ? first : { ...first, message: `${first.message} (And ${count(more, "time")} more.)` },
    ),
  ];
}

function fixLines({ file, changes, diff, written }: FixedFile, theme: Theme, cwd: string): string[] {
  const done = written ? "fixed" : "would fix";
  return [
    `${theme.success(theme.marks.done)} ${done} ${theme.bold(showPath(file, cwd))}: ${changes.map(({ message }) => safeText(message, false)).join("; ")}`,
    ...diff
      .trimEnd()
      .split("\n")
      .map((line) => diffLine(safeText(line, false), theme)),
  ];
}

function diffLine(line: string, theme: Theme): string {
  if (line.startsWith("+++") || line.startsWith("---")) return theme.bold(line);
  if (line.startsWith("@@")) return theme.accent(line);
  if (line.startsWith("+")) return theme.success(line);
  return line.startsWith("-") ? theme.error(line) : theme.dim(line);
}
