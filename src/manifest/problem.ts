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

/**
 * For people: one entry a fact. A rule about several fields together ("exactly one of these") gives a problem for
 * each of them; here those that say the same about the same place become the first of them.
 */
export function oncePerPlace(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>();
  return problems.filter(({ file, document, code, message, line, column }) => {
    const identity = JSON.stringify([file, document, code, message, line, column]);
    const first = !seen.has(identity);
    seen.add(identity);
    return first;
  });
}
