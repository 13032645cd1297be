/** A source as documents that know their places, and turn findings into problems. */
import type { Finding } from "./finding.ts";
import { join } from "./finding.ts";
import { LIMITS } from "./limits.ts";
import { Locator } from "./locate.ts";
import type { Problem } from "./problem.ts";
import type { Raw } from "./raw.ts";
import { readText, type SourceText } from "./source-text.ts";
import { parseYaml, type YamlDocument, type YamlFault } from "./yaml-documents.ts";

export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface SourceDocument {
  readonly file: string;
  readonly index: number;
  /** Undefined if the document could not be read; `faults` says why. */
  readonly value: Raw | undefined;
  readonly faults: readonly Problem[];
  positionOf(path: string): Position;
  /** `prefix` is the path of the object in the document, which problems leave out. */
  toProblems(findings: readonly Finding[], prefix: string): Problem[];
}

interface Lines {
  linePos(offset: number): { line: number; col: number };
}

export function readSource(source: SourceText): { documents: SourceDocument[]; problems: Problem[] } {
  const { text, fault } = readText(source.text);
  if (fault !== undefined)
    return { documents: [], problems: [fileProblem(source.file, fault, positionIn(text, fault.offset))] };
  const stream = parse(text);
  const documents = stream.documents.map((document, index) =>
    sourceDocument(source.file, index, document, stream.lines),
  );
  if (stream.fault !== undefined) {
    return {
      documents,
      problems: [fileProblem(source.file, stream.fault, place(stream.lines, stream.fault.offset))],
    };
  }
  if (documents.length > 0) return { documents, problems: [] };
  const empty = {
    code: "no-document",
    message: "The file holds no document.",
    hint: "Write a Knative Service, beginning with `apiVersion: serving.knative.dev/v1`.",
    offset: 0,
  };
  return { documents, problems: [fileProblem(source.file, empty, { line: 1, column: 1 })] };
}

/** The parser is not ours: an exception of its own is a problem of the file, too. */
function parse(text: string): ReturnType<typeof parseYaml> {
  try {
    return parseYaml(text);
  } catch (error) {
    const message = `The file cannot be read as YAML: ${error instanceof Error ? error.message : String(error)}.`;
    return {
      documents: [],
      lines: { linePos: () => ({ line: 1, col: 1 }) } as never,
      fault: { code: "yaml-syntax", message, offset: 0 },
    };
  }
}

function sourceDocument(file: string, index: number, document: YamlDocument, lines: Lines): SourceDocument {
  const locator = new Locator(document.contents);
  const problem = (fault: YamlFault, severity: Problem["severity"]): Problem => ({
    ...fileProblem(file, fault, place(lines, fault.offset)),
    document: index,
    severity,
  });
  const duplicates = document.duplicates.slice(0, LIMITS.problems).map(({ key, offset }) =>
    problem(
      {
        code: "duplicate-key",
        message: `The key \`${key}\` is given twice; kubectl takes the last one without a word.`,
        hint: "Keep one.",
        offset,
      },
      "warning",
    ),
  );
  return {
    file,
    index,
    value: document.value,
    faults: [...document.faults.map((fault) => problem(fault, "error")), ...duplicates],
    positionOf: (path) => place(lines, locator.offset(path)),
    toProblems: (findings, prefix) =>
      toProblems(findings, {
        file,
        index,
        prefix,
        locate: (path, atKey) => place(lines, locator.offset(path, atKey ? "key" : "value")),
      }),
  };
}

interface Target {
  readonly file: string;
  readonly index: number;
  readonly prefix: string;
  locate(path: string, atKey: boolean): Position;
}

function toProblems(findings: readonly Finding[], target: Target): Problem[] {
  const problems: Problem[] = [];
  let errors = 0;
  // Errors first: the limit must not hide the one that counts.
  const ordered = findings.toSorted(
    (a, b) => Number(a.severity !== undefined) - Number(b.severity !== undefined),
  );
  for (const finding of ordered) {
    // A finding without paths is about a place for which the platform names no field.
    for (const path of finding.paths.length === 0 ? [undefined] : finding.paths) {
      if (finding.severity === undefined) errors++;
      if (problems.length < LIMITS.problems) problems.push(toProblem(finding, path, target));
    }
  }
  const sorted = distinct(problems).sort((a, b) => a.line - b.line || a.column - b.column);
  const last = sorted.at(-1);
  if (errors <= LIMITS.problems || last === undefined) return sorted;
  const { file, index, line, column } = { ...target, ...last };
  const message = `${errors} problems in this document; the first ${LIMITS.problems} are shown.`;
  return [
    ...sorted,
    { severity: "error", code: "more-problems", file, document: index, path: "", message, line, column },
  ];
}

function distinct(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>();
  return problems.filter(({ severity, code, path, message, line, column }) => {
    const identity = JSON.stringify([severity, code, path, message, line, column]);
    const first = !seen.has(identity);
    seen.add(identity);
    return first;
  });
}

function toProblem(finding: Finding, path: string | undefined, target: Target): Problem {
  const { file, index, prefix } = target;
  const position = target.locate(finding.place ?? path ?? "", finding.atKey === true);
  return {
    severity: finding.severity ?? "error",
    code: finding.code,
    file,
    document: index,
    path: path === undefined ? "" : withoutPrefix(path, prefix),
    message: finding.message,
    ...(finding.hint === undefined ? {} : { hint: finding.hint }),
    ...position,
  };
}

function withoutPrefix(path: string, prefix: string): string {
  if (prefix === "" || !path.startsWith(prefix)) return path;
  return path.slice(join(prefix, "x").length - 1);
}

function fileProblem(
  file: string,
  { code, message, hint }: Omit<YamlFault, "offset">,
  position: Position,
): Problem {
  return {
    severity: "error",
    code,
    file,
    document: 0,
    path: "",
    message,
    ...(hint === undefined ? {} : { hint }),
    ...position,
  };
}

function place(lines: Lines, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function positionIn(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  return { line: before.split("\n").length, column: offset - before.lastIndexOf("\n") };
}
