/** Reads the reference's verdicts and compares ours with them. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { featuresFrom } from "../../src/manifest/features.ts";
import { judge, type Manifest, type ManifestDocument } from "../../src/manifest/judge.ts";

const ROOT = fileURLToPath(new URL("../../../shared/conformance/", import.meta.url));
export const HAS_REFERENCE = existsSync(ROOT);

export interface Verdict {
  readonly file: string;
  readonly valid: boolean;
  readonly stage: string;
  readonly errors: readonly string[];
  readonly fields: readonly string[];
  readonly defaulted?: unknown;
}

export interface Comparison {
  readonly verdicts: number;
  readonly sameVerdict: number;
  readonly named: number;
  readonly sameFields: number;
  readonly defaulted: number;
  readonly sameDefaulted: number;
  readonly differences: readonly string[];
}

/** As the reference was made: every kubernetes.* flag, and probing of sidecars. */
export const ALL_FEATURES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.keys(featuresFrom({}))
    .filter((name) => name.startsWith("kubernetes.") || name === "multi-container-probing")
    .map((name) => [name, "Enabled"]),
);

export function readReference(file: string): string {
  return readFileSync(ROOT + file, "utf8");
}

export function readVerdicts(file: string): Verdict[] {
  const lines = readReference(file)
    .split("\n")
    .filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Verdict);
}

/** The n-th verdict of a file is about its n-th document; a file without documents is one of its own. */
export function compare(
  verdicts: readonly Verdict[],
  features: Readonly<Record<string, string>>,
): Comparison {
  const seen = new Map<string, number>();
  const count = { sameVerdict: 0, named: 0, sameFields: 0, defaulted: 0, sameDefaulted: 0 };
  const differences: string[] = [];
  for (const verdict of verdicts) {
    const index = seen.get(verdict.file) ?? 0;
    seen.set(verdict.file, index + 1);
    const manifest = judge(
      [{ file: verdict.file, text: readFileSync(`${ROOT}validation/${verdict.file}`) }],
      { profile: "knative", features },
    );
    const document = manifest.documents[index];
    const valid = document?.valid ?? manifest.valid;
    const label = `${verdict.file}[${index}] (${verdict.stage})`;
    if (valid === verdict.valid) count.sameVerdict++;
    else
      differences.push(
        `${label}: valid ${String(valid)}, reference ${String(verdict.valid)}: ${[...verdict.errors, ...said(manifest)].join(" | ")}`,
      );
    // What is not YAML has no fields; the reference writes something else there.
    if (!verdict.valid && verdict.stage !== "yaml" && verdict.fields.length > 0) {
      count.named++;
      const ours = namedFields(document);
      if (JSON.stringify(ours) === JSON.stringify([...verdict.fields].sort())) count.sameFields++;
      else differences.push(`${label}: fields ${ours.join(", ")}; reference ${verdict.fields.join(", ")}`);
    }
    if (verdict.valid && verdict.defaulted !== undefined) {
      count.defaulted++;
      const [ours, theirs] = [stable(document?.object), stable(verdict.defaulted)];
      if (ours === theirs) count.sameDefaulted++;
      else differences.push(`${label}: defaulted\n  ours      ${ours}\n  reference ${theirs}`);
    }
  }
  return { verdicts: verdicts.length, ...count, differences };
}

function said(manifest: Manifest): string[] {
  return manifest.problems
    .filter((problem) => problem.severity === "error")
    .map((problem) => `${problem.path}: ${problem.message}`);
}

function namedFields(document: ManifestDocument | undefined): string[] {
  const paths = (document?.problems ?? [])
    .filter((problem) => problem.severity === "error" && problem.path !== "")
    .map((problem) => problem.path);
  return [...new Set(paths)].sort();
}

const CREATORS = new Set(["serving.knative.dev/creator", "serving.knative.dev/lastModifier"]);

/** JSON with sorted keys, without creator annotations. */
export function stable(value: unknown): string {
  return JSON.stringify(normalize(value, ""));
}

function normalize(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return value.map((item) => normalize(item, ""));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value)
    .filter(([name]) => !CREATORS.has(name))
    .map(([name, member]) => [name, normalize(member, name)] as const)
    .filter(
      ([name, member]) =>
        !(key === "metadata" && name === "annotations" && Object.keys(member as object).length === 0),
    );
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
