/**
 * The offline judge: the verdict of `kubectl apply` against a cluster with Knative's webhook, with the place in the
 * user's file. Pure; never throws, whatever the input.
 */
import { foreign } from "./foreign-kinds.ts";
import { KINDS, type Kind } from "./fields/kinds.ts";
import { found, join, via, type Finding } from "./finding.ts";
import { judgeObject, kindFinding, refuses } from "./judge-object.ts";
import { platformConfig, settingFindings } from "./platform-documents.ts";
import { webhookSettings, type PlatformConfig, type SettingFault } from "./platform.ts";
import { PROFILES, type ProfileName } from "./profiles.ts";
import type { Problem } from "./problem.ts";
import { isRawList, isRawObject, nameOfRaw, type Raw, type RawObject } from "./raw.ts";
import { readSource, type SourceDocument } from "./source-documents.ts";
import type { SourceText } from "./source-text.ts";
import type { RuleContext } from "./rules/context.ts";
import type { ManifestObject } from "./spec.ts";

export type { SourceText } from "./source-text.ts";
export { judgeUpdate } from "./judge-update.ts";

export interface JudgeOptions {
  readonly profile: ProfileName;
  /** Data of config-features; flags given here win over the documents. */
  readonly features?: Readonly<Record<string, string>>;
  /** Data of config-defaults; the same. */
  readonly defaults?: Readonly<Record<string, string>>;
}

export interface ManifestDocument {
  readonly file: string;
  /** Among the documents of the file that are not empty, from 0. Items of one List share it. */
  readonly index: number;
  /** "" where the document has none. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  /** No problem is an error. */
  readonly valid: boolean;
  readonly problems: readonly Problem[];
  /** Defaulted. Only when valid, and only for kinds that the emulator knows. */
  readonly object?: ManifestObject;
  /** Of the field, or of its nearest existing parent; line and column from 1. */
  positionOf(path: string): { readonly line: number; readonly column: number };
}

export interface Manifest {
  readonly documents: readonly ManifestDocument[];
  /** Of all documents, and of files that hold none. */
  readonly problems: readonly Problem[];
  readonly valid: boolean;
  readonly platform: PlatformConfig;
}

export function judge(sources: readonly SourceText[], options: JudgeOptions): Manifest {
  const profile = PROFILES[options.profile];
  const read = sources.map((source) => readSource(source));
  const candidates = read
    .flatMap((source) => source.documents)
    .flatMap((document) => open(document, profile.opensLists));
  const platform = platformConfig(
    candidates.map(({ raw }) => raw),
    options,
  );
  const { settings, faults } = webhookSettings(platform);
  const context: RuleContext = { settings, profile };
  const documents = candidates.map((candidate) => judgeCandidate(candidate, context, faults));
  const problems = [
    ...read.flatMap((source) => source.problems),
    ...documents.flatMap((document) => document.problems),
  ];
  return { documents, problems, valid: problems.every((problem) => problem.severity !== "error"), platform };
}

interface Candidate {
  readonly source: SourceDocument;
  readonly raw: Raw | undefined;
  /** Path of the object in its document: "" or `items[0]`. */
  readonly prefix: string;
}

function open(source: SourceDocument, opensLists: boolean): Candidate[] {
  const { value } = source;
  const items =
    isRawObject(value) && value.get("kind") === "List" && value.get("apiVersion") === "v1"
      ? value.get("items")
      : undefined;
  if (!opensLists || !isRawList(items)) return [{ source, raw: value, prefix: "" }];
  return items.map((raw, index) => ({ source, raw, prefix: `items[${index}]` }));
}

function judgeCandidate(
  candidate: Candidate,
  context: RuleContext,
  settingFaults: readonly SettingFault[],
): ManifestDocument {
  const { source, raw, prefix } = candidate;
  const identity = identify(raw);
  const verdict = raw === undefined ? { findings: [] } : judgeRaw(raw, identity, context, settingFaults);
  // What is wrong with the document as a whole is said once, with the first of its items.
  const faults = prefix === "" || prefix === "items[0]" ? source.faults : [];
  const problems = [...faults, ...source.toProblems(via(prefix, verdict.findings), prefix)];
  const valid = problems.every((problem) => problem.severity !== "error");
  return {
    file: source.file,
    index: source.index,
    ...identity,
    valid,
    problems,
    ...(valid && verdict.object !== undefined ? { object: verdict.object } : {}),
    positionOf: (path) => source.positionOf(join(prefix, path)),
  };
}

function judgeRaw(
  raw: Raw,
  identity: Identity,
  context: RuleContext,
  faults: readonly SettingFault[],
): { findings: readonly Finding[]; object?: ManifestObject } {
  if (!isRawObject(raw)) {
    return {
      findings: [
        found(
          "not-an-object",
          "",
          `The document is ${nameOfRaw(raw)}, not a Kubernetes object.`,
          "Write apiVersion, kind, metadata and spec.",
        ),
      ],
    };
  }
  const noKind = kindFinding(raw);
  if (noKind !== undefined) return { findings: [noKind] };
  const kind = knownKind(identity);
  if (kind === undefined) return { findings: [foreignFinding(identity)] };
  const verdict = judgeObject(kind, raw, context);
  const settings = kind.kind === "ConfigMap" ? settingFindings(identity.name, raw, faults) : [];
  const findings = [...verdict.findings, ...settings];
  return refuses(findings) || verdict.object === undefined
    ? { findings }
    : { findings, object: verdict.object };
}

function knownKind({ apiVersion, kind }: Identity): Kind | undefined {
  return KINDS.find((known) => known.apiVersion === apiVersion && known.kind === kind);
}

function foreignFinding({ apiVersion, kind }: Identity): Finding {
  const { verdict, message, hint } = foreign(apiVersion, kind);
  const finding = {
    ...found("foreign-kind", "", message, hint),
    place: apiVersion === "" ? "kind" : "apiVersion",
  };
  return verdict === "refused" ? finding : { ...finding, severity: "notice" };
}

interface Identity {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
}

function identify(raw: Raw | undefined): Identity {
  const object: RawObject = isRawObject(raw) ? raw : new Map();
  const metadata = object.get("metadata");
  const meta: RawObject = isRawObject(metadata) ? metadata : new Map();
  return {
    apiVersion: text(object.get("apiVersion")),
    kind: text(object.get("kind")),
    name: text(meta.get("name")) || text(meta.get("generateName")),
    namespace: text(meta.get("namespace")) || "default",
  };
}

function text(value: Raw | undefined): string {
  return typeof value === "string" ? value : "";
}
