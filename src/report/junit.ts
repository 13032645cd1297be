/** JUnit's XML, as CI systems read it: a suite for each file, a test case for each document. */
import { oncePerPlace, type Problem } from "../manifest/problem.ts";
import type { ReportedDocument, ValidationReport } from "./validation-report.ts";

export function junitXml({ documents, files }: ValidationReport): string {
  const suites = files.map((file) =>
    suite(
      file,
      documents.filter((document) => document.file === file),
    ),
  );
  const failures = documents.filter(({ valid }) => !valid).length;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="kserve-local validate" tests="${documents.length}" failures="${failures}" errors="0">`,
    ...suites,
    "</testsuites>",
    "",
  ].join("\n");
}

function suite(file: string, documents: readonly ReportedDocument[]): string {
  const failures = documents.filter(({ valid }) => !valid).length;
  return [
    `  <testsuite name=${attribute(file)} tests="${documents.length}" failures="${failures}" errors="0" skipped="0">`,
    ...documents.map(testCase),
    "  </testsuite>",
  ].join("\n");
}

function testCase(document: ReportedDocument): string {
  const { file, index } = document;
  const problems = oncePerPlace(document.problems);
  const errors = problems.filter(({ severity }) => severity === "error");
  const others = problems.filter(({ severity }) => severity !== "error");
  const head = `    <testcase classname=${attribute(file)} name=${attribute(nameOf(document, index))} file=${attribute(file)}`;
  const [first] = errors;
  if (problems.length === 0) return `${head}/>`;
  const summary =
    first === undefined || errors.length === 1
      ? (first?.message ?? "")
      : `${first.message} (and ${errors.length - 1} more)`;
  return [
    `${head}>`,
    ...(first === undefined
      ? []
      : [
          `      <failure message=${attribute(summary)} type=${attribute(first.code)}>${text(errors.map(sentence).join("\n"))}</failure>`,
        ]),
    ...(others.length === 0
      ? []
      : [`      <system-out>${text(others.map(sentence).join("\n"))}</system-out>`]),
    "    </testcase>",
  ].join("\n");
}

function nameOf({ kind, name }: ReportedDocument, index: number): string {
  const named = [kind, name].filter((part) => part !== "").join(" ");
  return named === "" ? `document ${index}` : named;
}

function sentence({ severity, code, file, line, column, path, message, hint }: Problem): string {
  const at = path === "" ? "" : ` ${path}:`;
  return `${file}:${line}:${column}: ${severity}:${at} ${message} [${code}]${hint === undefined ? "" : `\n  ${hint}`}`;
}

function text(value: string): string {
  return printable(value).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function attribute(value: string): string {
  return `"${text(value).replaceAll('"', "&quot;").replaceAll("\n", "&#10;").replaceAll("\t", "&#9;")}"`;
}

/** XML 1.0, section 2.2: other control characters and lone surrogates can't be written at all. */
function printable(value: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  return value.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f\ufffe\uffff]|\p{Surrogate}/gu, "\ufffd");
}
