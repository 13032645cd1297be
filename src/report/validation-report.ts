/** What `validate` found, in the shape that all its outputs are made from. */
import type { Manifest, ManifestDocument } from "../manifest/judge.ts";
import type { Problem } from "../manifest/problem.ts";
import { count } from "./figures.ts";

export interface ReportedDocument {
  readonly file: string;
  /** Among the documents of the file, from 0. */
  readonly index: number;
  /** "" where the document has none. */
  readonly kind: string;
  readonly name: string;
  readonly valid: boolean;
  readonly problems: readonly Problem[];
  /** Only when asked for, and only of valid documents of known kinds. */
  readonly defaulted?: ManifestDocument["object"];
}

/** What `--fix` did to a file, or would do. */
export interface FixedFile {
  readonly file: string;
  readonly changes: ReadonlyArray<{ readonly code: string; readonly path: string; readonly message: string }>;
  /** Unified. */
  readonly diff: string;
  /** False for `--dry-run` and for standard input. */
  readonly written: boolean;
}

export interface ValidationReport {
  readonly valid: boolean;
  readonly files: readonly string[];
  readonly documents: readonly ReportedDocument[];
  /** Absent without `--fix`. */
  readonly fixes?: readonly FixedFile[];
  /** The report as it would be with fixes that have not been made. */
  readonly afterFixes?: ValidationReport;
}

export interface ReportOptions {
  /** Warnings count as errors. */
  readonly strict: boolean;
  readonly showDefaults: boolean;
}

/** Problems of a file as a whole (no YAML, no document) are those of a document of their own, without a kind. */
export function validationReport(
  manifest: Manifest,
  files: readonly string[],
  { strict, showDefaults }: ReportOptions,
): ValidationReport {
  const documents = manifest.documents.map((document) => reported(document, strict, showDefaults));
  const placed = new Set(manifest.documents.flatMap(({ problems }) => problems));
  const byFile = new Map<string, Problem[]>();
  for (const problem of manifest.problems) {
    if (placed.has(problem)) continue;
    byFile.set(problem.file, [...(byFile.get(problem.file) ?? []), problem]);
  }
  for (const [file, problems] of byFile) {
    const index = documents.filter((document) => document.file === file).length;
    documents.push({ file, index, kind: "", name: "", valid: false, problems });
  }
  const order = new Map(files.map((file, at) => [file, at]));
  documents.sort((a, b) => (order.get(a.file) ?? 0) - (order.get(b.file) ?? 0) || a.index - b.index);
  return { valid: documents.every(({ valid }) => valid), files, documents };
}

function reported(document: ManifestDocument, strict: boolean, showDefaults: boolean): ReportedDocument {
  const { file, index, kind, name, object } = document;
  const problems = strict ? document.problems.map(strictly) : document.problems;
  const valid = problems.every(({ severity }) => severity !== "error");
  return {
    file,
    index,
    kind,
    name,
    valid,
    problems,
    ...(showDefaults && valid && object !== undefined ? { defaulted: object } : {}),
  };
}

function strictly(problem: Problem): Problem {
  return problem.severity === "warning" ? { ...problem, severity: "error" } : problem;
}

/** The last line: `2 files, 3 documents: 1 error, 2 warnings`. `problems` as they are shown. */
export function verdict({ files, documents }: ValidationReport, problems: readonly Problem[]): string {
  const parts = (["error", "warning", "notice"] as const).flatMap((severity) => {
    const number = problems.filter((problem) => problem.severity === severity).length;
    return number === 0 ? [] : [count(number, severity)];
  });
  const valid = documents.every((document) => document.valid);
  const found = [...(valid ? ["valid"] : []), ...parts].join(", ");
  return `${count(files.length, "file")}, ${count(documents.length, "document")}: ${found}`;
}
