/** Reads and judges the manifest of a run: what every command does before anything else. */
import { KserveLocalError } from "../kernel/errors.ts";
import { codeFrame } from "../manifest/code-frame.ts";
import { type Manifest, judge } from "../manifest/judge.ts";
import type { Problem } from "../manifest/problem.ts";
import type { ProblemFound } from "../resources/events.ts";
import type { ProfileName } from "./platform-profile.ts";
import { readManifests } from "./read-manifests.ts";

export interface LoadedSources {
  readonly manifest: Manifest;
  /** Text of each file, for code frames. */
  readonly texts: ReadonlyMap<string, string>;
  /** As the user named them. */
  readonly files: readonly string[];
}

export interface LoadOptions {
  readonly paths: readonly string[];
  readonly cwd: string;
  readonly profile: ProfileName;
  readonly stdin: NodeJS.ReadableStream;
}

/** @throws KserveLocalError `manifest-not-found`; problems inside the files are in the manifest */
export async function loadManifest(options: LoadOptions): Promise<LoadedSources> {
  const sources = await readManifests(options.paths, { cwd: options.cwd, stdin: options.stdin });
  const manifest = judge(sources, { profile: options.profile });
  const texts = new Map(
    sources.map(({ file, text }) => [
      file,
      typeof text === "string" ? text : Buffer.from(text).toString("utf8"),
    ]),
  );
  return { manifest, texts, files: sources.map(({ file }) => file) };
}

/** What Knative says of every plain service is for `validate`, not for every start. */
export function isForEveryStart(problem: Problem): boolean {
  return problem.code !== "secure-defaults";
}

/** The problem as an event, with the lines around its place. */
export function problemEvent(problem: Problem, texts: ReadonlyMap<string, string>): ProblemFound {
  const text = texts.get(problem.file);
  const { severity, code, message, file, line, column, path, hint } = problem;
  const frame = text === undefined || severity === "notice" ? undefined : codeFrame(text, { line, column });
  return {
    type: "problem",
    severity,
    code,
    message,
    file,
    line,
    column,
    path,
    ...(hint === undefined ? {} : { hint }),
    ...(frame === undefined ? {} : { frame }),
  };
}

/** The one error for a manifest that is refused; its problems have been reported one by one. */
export function refused(manifest: Manifest): KserveLocalError {
  const errors = manifest.problems.filter((problem) => problem.severity === "error");
  const [first] = errors;
  return new KserveLocalError("manifest-invalid", {
    what: `the manifest has ${errors.length === 1 ? "an error" : `${errors.length} errors`}; nothing was started`,
    ...(first === undefined ? {} : { at: { file: first.file, line: first.line, column: first.column } }),
  });
}
