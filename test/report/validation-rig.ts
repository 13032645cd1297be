/** Reports made by the real judge, for the tests of the formats. */
import { judge } from "../../src/manifest/judge.ts";
import {
  type ReportOptions,
  type ValidationReport,
  validationReport,
} from "../../src/report/validation-report.ts";

export const GOOD = `apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: good}
spec: {template: {spec: {containers: [{image: a/b}]}}}
`;

/** An error with a hint, on line 7, column 21. */
export const WRONG = `apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: wrong}
spec:
  template:
    spec:
      containers: [{imag: "a <b> & 'c'"}]
`;

/** A warning: the last \`name\` counts. */
export const DOUBTFUL = GOOD.replace("metadata: {name: good}", "metadata: {name: first, name: second}");

export function reportOn(
  files: Readonly<Record<string, string>>,
  options: Partial<ReportOptions> = {},
): ValidationReport {
  const sources = Object.entries(files).map(([file, text]) => ({ file, text }));
  return validationReport(judge(sources, { profile: "knative" }), Object.keys(files), {
    strict: false,
    showDefaults: false,
    ...options,
  });
}
