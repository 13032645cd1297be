/**
 * Anything thrown, and what the manifest's checks found, as the `problem` event that says the same; the console and the
 * JSON reporter do the rest.
 */
import { KserveLocalError, messageOf } from "../kernel/errors.ts";
import type { Problem } from "../manifest/problem.ts";
import type { ProblemFound } from "../resources/events.ts";
import { problemLines } from "./problem-lines.ts";
import type { Theme } from "./theme.ts";

/**
 * `frame`: the lines around the place, where the caller could read the file. Errors that are not ours are bugs: they
 * keep their stack as evidence, and say so.
 */
export function problemOfError(error: unknown, frame?: readonly string[]): ProblemFound {
  if (!(error instanceof KserveLocalError)) return problemOfBug(error);
  return {
    type: "problem",
    severity: "error",
    code: error.code,
    message: error.message,
    ...(error.why === undefined ? {} : { why: error.why }),
    ...(error.fix === undefined ? {} : { hint: error.fix }),
    ...error.at,
    ...(frame === undefined ? {} : { frame }),
  };
}

/** `frame`: the lines around the place. The number of the document is left out: the line says it better. */
export function problemOfManifest(problem: Problem, frame?: readonly string[]): ProblemFound {
  const { document: _document, ...fields } = problem;
  return { type: "problem", ...fields, ...(frame === undefined ? {} : { frame }) };
}

/** The lines for a terminal or a log, without a newline at the end of each. */
export function errorLines(error: unknown, theme: Theme, cwd: string, frame?: readonly string[]): string[] {
  return problemLines(problemOfError(error, frame), theme, cwd);
}

function problemOfBug(error: unknown): ProblemFound {
  return {
    type: "problem",
    severity: "error",
    code: "internal",
    message: messageOf(error),
    ...(error instanceof Error && error.stack !== undefined ? { why: error.stack } : {}),
    hint: "This is a bug in kserve-local. Please report it with the lines above.",
  };
}
