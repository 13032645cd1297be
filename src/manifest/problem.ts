/** What is wrong, or worth knowing, with a manifest: one entry a fact, with its place in the user's file. */
export interface Problem {
  readonly severity: "error" | "warning" | "notice";
  /** Stable kebab-case id of the rule, e.g. `unknown-field`. */
  readonly code: string;
  readonly file: string;
  /** Which document of the file, from 0. */
  readonly document: number;
  /** Field path as Kubernetes writes it: `spec.template.spec.containers[0].image`; "" = the document. */
  readonly path: string;
  /** What and why, one or two sentences. */
  readonly message: string;
  /** What to do. */
  readonly hint?: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
}
