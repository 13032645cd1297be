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
/** A round reads the whole file: large ones get fewer, so that no file takes minutes. In characters, rounds together. */
const MAX_READ = 4_000_000;
const LEAST_ROUNDS = 8;
const BOM = "\ufeff";
/** Files with settings of the platform are always judged along. */
const SETTINGS = /\bconfig-[a-z]/;

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
  const drafts = sources.flatMap((source) => {
    const { text, fault } = readText(source.text);
    return fault === undefined ? [new Draft(source.file, text, startsWithBom(source.text) ? BOM : "")] : [];
  });
  const open = new Set(drafts);
  for (let round = 0; round <= MAX_ROUNDS && open.size > 0; round++) {
    const problems = problemsByFile(
      drafts.filter((draft) => open.has(draft) || SETTINGS.test(draft.text)),
      options,
    );
    for (const draft of open) if (!draft.advance(problems.get(draft.file) ?? [], round)) open.delete(draft);
  }
  return drafts.map((draft) => draft.result());
}

class Draft {
  readonly file: string;
  readonly #bom: string;
  readonly #before: string;
  #text: string;
  #changes: readonly Change[] = [];
  #faults = Infinity;
  #last: { readonly text: string; readonly changes: readonly Change[] } | undefined;

  constructor(file: string, text: string, bom: string) {
    this.file = file;
    this.#bom = bom;
    this.#before = text;
    this.#text = text;
  }

  get text(): string {
    return this.#text;
  }

  /** One more round, for what is wrong with the text as it is now. False where there is nothing more to do. */
  advance(problems: readonly Problem[], round: number): boolean {
    const faults = problems.filter(({ code }) => SYNTAX_FAULTS.has(code)).length;
    if (this.#last !== undefined && faults > this.#faults) {
      // The last round has made it worse YAML than it was.
      this.#text = this.#last.text;
      this.#changes = this.#last.changes;
      return false;
    }
    this.#faults = faults;
    const rounds = Math.max(LEAST_ROUNDS, Math.min(MAX_ROUNDS, MAX_READ / this.#text.length));
    if (round >= rounds) return false;
    const { text, changes } = oneRound(this.#text, problems);
    if (changes.length === 0) return false;
    this.#last = { text: this.#text, changes: this.#changes };
    this.#text = text;
    this.#changes = [...this.#changes, ...changes];
    return true;
  }

  result(): FixedSource {
    const [before, after] = [this.#bom + this.#before, this.#bom + this.#text];
    return { file: this.file, before, after, changes: this.#changes };
  }
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

/** More of these than before, and a change has broken something. */
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

function startsWithBom(text: SourceText["text"]): boolean {
  return typeof text === "string"
    ? text.startsWith(BOM)
    : text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf;
}
