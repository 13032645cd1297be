/** The report as one JSON object; docs/validate.md has its fields. */
import type { Problem } from "../manifest/problem.ts";
import type { ReportedDocument, ValidationReport } from "./validation-report.ts";

export function validationJson({ valid, documents, fixes }: ValidationReport): string {
  const object = { valid, documents: documents.map(document), ...(fixes === undefined ? {} : { fixes }) };
  return `${JSON.stringify(object, undefined, 2)}\n`;
}

function document({ problems, defaulted, ...identity }: ReportedDocument): unknown {
  return {
    ...identity,
    problems: problems.map(problem),
    ...(defaulted === undefined ? {} : { defaulted }),
  };
}

function problem({ severity, code, path, message, hint, line, column }: Problem): unknown {
  return { severity, code, path, message, ...(hint === undefined ? {} : { hint }), line, column };
}
