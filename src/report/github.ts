/**
 * Workflow commands, which GitHub Actions turns into annotations beside the lines of a pull request.
 * Grammar and escapes: actions/toolkit packages/core/src/command.ts.
 */
import path from "node:path";
import { oncePerPlace, type Problem } from "../manifest/problem.ts";
import { type ValidationReport, verdict } from "./validation-report.ts";

/** `root`: what GitHub takes paths to be relative to; `cwd`: what ours are relative to. */
export function githubLines(report: ValidationReport, cwd: string, root: string): string[] {
  const problems = oncePerPlace(report.documents.flatMap((document) => document.problems));
  return [...problems.map((problem) => command(problem, cwd, root)), verdict(report, problems)];
}

function command(problem: Problem, cwd: string, root: string): string {
  const { severity, code, file, line, column, message, hint } = problem;
  const properties = [
    ["title", code],
    ...(file === "<stdin>" ? [] : [["file", repositoryPath(file, cwd, root)]]),
    ["line", String(line)],
    ["col", String(column)],
  ]
    .map(([name = "", value = ""]) => `${name}=${escapeProperty(value)}`)
    .join(",");
  return `::${severity} ${properties}::${escapeData(hint === undefined ? message : `${message}\n${hint}`)}`;
}

/** With slashes on every system. */
export function repositoryPath(file: string, cwd: string, root: string): string {
  const absolute = path.resolve(cwd, file);
  const relative = path.relative(root, absolute);
  return (relative.startsWith("..") || path.isAbsolute(relative) ? absolute : relative)
    .split(path.sep)
    .join("/");
}

function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
