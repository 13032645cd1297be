/** SARIF 2.1.0, for code scanning. https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html */
import { oncePerPlace, type Problem } from "../manifest/problem.ts";
import { repositoryPath } from "./github.ts";
import type { ValidationReport } from "./validation-report.ts";

const LEVELS = { error: "error", warning: "warning", notice: "note" } as const;

export interface SarifOptions {
  /** Of kserve-local. */
  readonly version: string;
  /** Paths of files are relative to it. */
  readonly cwd: string;
  /** Root of the repository; paths in the log are relative to it. */
  readonly root: string;
}

export function sarifLog({ documents }: ValidationReport, options: SarifOptions): string {
  const problems = oncePerPlace(documents.flatMap((document) => document.problems));
  const codes = [...new Set(problems.map(({ code }) => code))].toSorted((a, b) => (a < b ? -1 : 1));
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "kserve-local",
            version: options.version,
            rules: codes.map((code) => ({
              id: code,
              name: title(code),
              shortDescription: { text: words(code) },
            })),
          },
        },
        // Columns are counted as JavaScript counts characters.
        columnKind: "utf16CodeUnits",
        results: problems.map((problem) => result(problem, codes.indexOf(problem.code), options)),
      },
    ],
  };
  return `${JSON.stringify(log, undefined, 2)}\n`;
}

function result(problem: Problem, ruleIndex: number, { cwd, root }: SarifOptions): unknown {
  const { severity, code, file, line, column, path, message, hint } = problem;
  return {
    ruleId: code,
    ruleIndex,
    level: LEVELS[severity],
    message: { text: hint === undefined ? message : `${message} ${hint}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: location(file, cwd, root),
          region: { startLine: line, startColumn: column },
        },
        ...(path === "" ? {} : { logicalLocations: [{ fullyQualifiedName: path }] }),
      },
    ],
  };
}

/** A relative reference below the root, an absolute URI elsewhere. */
function location(file: string, cwd: string, root: string): { uri: string; uriBaseId?: string } {
  if (file === "<stdin>") return { uri: "stdin" };
  const name = repositoryPath(file, cwd, root);
  const uri = name.split("/").map(encodeURIComponent).join("/");
  if (name.startsWith("/")) return { uri: `file://${uri}` };
  return /^[A-Za-z]:/.test(name) ? { uri: `file:///${uri}` } : { uri, uriBaseId: "%SRCROOT%" };
}

/** `UnknownField`. */
function title(code: string): string {
  return code.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function words(code: string): string {
  const text = code.replaceAll("-", " ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
