/**
 * Safe fixes: changes that say what the author meant beyond doubt, made in the text, so that comments and layout stay.
 * They come in rounds, since one problem often hides the next; a round that would break the file is taken back.
 */
import { judge, type JudgeOptions, type SourceText } from "../judge.ts";
import type { Problem } from "../problem.ts";
import { readText } from "../source-text.ts";
import { applyEdits, type Edit } from "./edits.ts";
import { addSeconds, quote, recase, rename, serveVersion, unquote } from "./scalar-fixes.ts";
import { dropDuplicate, dropReserved, moveToTemplate } from "./structure-fixes.ts";
import { pathOf, readSyntax, type Site, siteAt } from "./syntax.ts";

export interface Fix {
  /** Belong together: all of them, or none. */
  readonly edits: readonly Edit[];
  /** What is done, in the past tense, without a full stop. */
  readonly message: string;
}

type Rule = (problem: Problem, site: Site, text: string) => Fix | undefined;

const RULES: readonly Rule[] = [
  quote,
  unquote,
  rename,
  recase,
  addSeconds,
  serveVersion,
  dropReserved,
  dropDuplicate,
  moveToTemplate,
];

/** Each round does what does not touch each other; a Service has fewer than that many annotations. */
const MAX_ROUNDS = 40;
const BOM = "\ufeff";

export interface FixedSource {
  readonly file: string;
  readonly before: string;
  /** Equal to `before` where nothing could be fixed. */
  readonly after: string;
  readonly changes: ReadonlyArray<{
    /** Of the problem. */
    readonly code: string;
    readonly path: string;
    readonly message: string;
  }>;
}

/** All sources of a run together, since settings in one decide about the others. Pure; files that are no text stay. */
export function fixSources(sources: readonly SourceText[], options: JudgeOptions): FixedSource[] {
  const drafts = sources.flatMap(({ file, text }) => {
    const read = readText(text);
    return read.fault === undefined
      ? [{ file, before: read.text, text: read.text, changes: [] as Change[] }]
      : [];
  });
  const open = new Set(drafts);
  for (let round = 0; round < MAX_ROUNDS && open.size > 0; round++) {
    const problems = problemsByFile(drafts, options);
    for (const draft of [...open]) {
      const found = problems.get(draft.file) ?? [];
      const next = oneRound(draft.text, found);
      if (next.changes.length === 0 || breaks({ ...draft, text: next.text }, found, options)) {
        open.delete(draft);
        continue;
      }
      draft.text = next.text;
      draft.changes.push(...next.changes);
    }
  }
  return drafts.map((draft) => {
    const bom = startsWithBom(sources.find(({ file }) => file === draft.file)) ? BOM : "";
    return { file: draft.file, before: bom + draft.before, after: bom + draft.text, changes: draft.changes };
  });
}

type Change = FixedSource["changes"][number];

function problemsByFile(sources: readonly SourceText[], options: JudgeOptions): Map<string, Problem[]> {
  const byFile = new Map<string, Problem[]>();
  for (const problem of judge(sources, options).problems) {
    const known = byFile.get(problem.file);
    if (known === undefined) byFile.set(problem.file, [problem]);
    else known.push(problem);
  }
  return byFile;
}

function oneRound(text: string, problems: readonly Problem[]): { text: string; changes: Change[] } {
  if (problems.length === 0) return { text, changes: [] };
  const documents = readSyntax(text);
  const starts = lineStarts(text);
  const fixes = problems.flatMap((problem) => {
    const site = siteAt(documents, (starts[problem.line - 1] ?? 0) + problem.column - 1);
    if (site === undefined) return [];
    for (const rule of RULES) {
      const fix = rule(problem, site, text);
      if (fix !== undefined)
        return [{ ...fix, change: { code: problem.code, path: pathOf(site.levels), message: fix.message } }];
    }
    return [];
  });
  const { text: after, applied } = applyEdits(
    text,
    fixes.map(({ edits }) => edits),
  );
  return { text: after, changes: fixes.filter((_, index) => applied[index]).map(({ change }) => change) };
}

/** Whether a file is worse YAML than before. Judged alone: only its syntax is looked at. */
function breaks(draft: SourceText, before: readonly Problem[], options: JudgeOptions): boolean {
  const faults = (problems: readonly Problem[]): number =>
    problems.filter(({ code }) => SYNTAX_FAULTS.has(code)).length;
  return faults(judge([draft], options).problems) > faults(before);
}

const SYNTAX_FAULTS = new Set([
  "yaml-syntax",
  "yaml-directive",
  "unknown-anchor",
  "alias-loop",
  "bad-merge",
  "bad-key",
  "bad-tag",
  "no-document",
  "not-an-object",
  "no-kind",
  "duplicate-key",
]);

function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function startsWithBom(source: SourceText | undefined): boolean {
  const text = source?.text ?? "";
  return typeof text === "string"
    ? text.startsWith(BOM)
    : text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf;
}
