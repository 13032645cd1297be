/** Small manifests for tests. */
import { judge, type JudgeOptions, type Manifest, type ManifestDocument } from "../../src/manifest/judge.ts";
import type { Problem } from "../../src/manifest/problem.ts";

export const KNATIVE: JudgeOptions = { profile: "knative" };

/** `container` is indented for an entry of containers, `spec` for the revision, `after` for the Service's spec. */
export function service(
  parts: { container?: string; spec?: string; template?: string; meta?: string; after?: string } = {},
): string {
  return [
    "apiVersion: serving.knative.dev/v1",
    "kind: Service",
    "metadata:",
    "  name: hello",
    ...indented(parts.meta, 2),
    "spec:",
    "  template:",
    ...(parts.template === undefined ? [] : ["    metadata:", ...indented(parts.template, 6)]),
    "    spec:",
    "      containers:",
    "      - image: registry.local/app",
    ...indented(parts.container, 8),
    ...indented(parts.spec, 6),
    ...indented(parts.after, 2),
    "",
  ].join("\n");
}

function indented(text: string | undefined, by: number): string[] {
  return (text ?? "")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => " ".repeat(by) + line);
}

export function judgeText(text: string | Uint8Array, options: JudgeOptions = KNATIVE): Manifest {
  return judge([{ file: "service.yaml", text }], options);
}

export function onlyDocument(text: string, options: JudgeOptions = KNATIVE): ManifestDocument {
  const { documents } = judgeText(text, options);
  const [document] = documents;
  if (document === undefined || documents.length !== 1) throw new Error(`${documents.length} documents`);
  return document;
}

/** `code path line:column` of every error. */
export function errorsOf(text: string, options: JudgeOptions = KNATIVE): string[] {
  return judgeText(text, options)
    .problems.filter((problem) => problem.severity === "error")
    .map(brief);
}

export function brief(problem: Problem): string {
  return `${problem.code} ${problem.path} ${problem.line}:${problem.column}`;
}

export function problemOf(text: string, code: string, options: JudgeOptions = KNATIVE): Problem | undefined {
  return judgeText(text, options).problems.find((problem) => problem.code === code);
}
