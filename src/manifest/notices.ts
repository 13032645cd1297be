/** What is accepted and worth knowing: fields that the emulator does not act on, and defaults that are not secure. */
import type { Json } from "./decode.ts";
import type { Field, Shape } from "./fields/field.ts";
import { found, join, type Finding } from "./finding.ts";
import type { Container, ManifestObject, RevisionSpec } from "./spec.ts";

/** One notice for each field of the table that is set, wherever and however often. */
export function notEmulated(shape: Shape, value: Json): Finding[] {
  const notices = new Map<Field, { name: string; place: string; times: number; note: string }>();
  walk(shape, value, "", (field, name, place) => {
    const known = notices.get(field);
    if (known !== undefined) known.times++;
    else notices.set(field, { name, place, times: 1, note: field.note ?? "the emulator does not act on it" });
  });
  return [...notices.values()].map(({ name, place, times, note }) => {
    const often = times === 1 ? "" : ` (${times} times)`;
    return notice("not-emulated", place, `\`${name}\`${often} is accepted, but ${note}.`);
  });
}

function walk(
  shape: Shape,
  value: Json,
  path: string,
  visit: (field: Field, name: string, place: string) => void,
): void {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return;
  const object = value as { readonly [key: string]: Json };
  for (const [name, field] of shape.fields) {
    const member = object[name];
    if (member === undefined) continue;
    const at = join(path, name);
    if (field.fidelity === "accepted" && !asksNothing(field, member)) visit(field, name, at);
    const { type } = field;
    if (type.kind === "object") walk(type.shape(), member, at, visit);
    if (type.kind !== "list" || !Array.isArray(member)) continue;
    const { of } = type;
    if (of.kind === "object")
      (member as readonly Json[]).forEach((item, index) => walk(of.shape(), item, `${at}[${index}]`, visit));
  }
}

function asksNothing({ quietFor = [] }: Field, value: Json): boolean {
  return typeof value !== "object" && quietFor.includes(value);
}

export function severalContainers(object: ManifestObject): Finding[] {
  const revision = revisionOf(object);
  const count = revision?.spec.containers.length ?? 0;
  if (revision === undefined || count < 2) return [];
  return [
    notice(
      "not-emulated",
      `${revision.path}.containers`,
      `${count} containers are valid, but "up" refuses them: the emulator runs one container for each instance so far.`,
    ),
  ];
}

/** Annotations that a cluster acts on and the emulator does not yet. */
export function idleAnnotations(object: ManifestObject): Finding[] {
  const own = object.metadata.annotations ?? {};
  const template =
    "spec" in object && "template" in object.spec ? object.spec.template.metadata?.annotations : undefined;
  const findings: Finding[] = [];
  for (const key of ["serving.knative.dev/rollout-duration", "serving.knative.dev/rolloutDuration"])
    if (own[key] !== undefined && own[key] !== "0s")
      findings.push(
        notice(
          "not-emulated",
          `metadata.annotations[${key}]`,
          `\`${key}\` is accepted, but the emulator moves traffic at once.`,
        ),
      );
  const autoscaler = template?.["autoscaling.knative.dev/class"];
  if (autoscaler !== undefined && autoscaler !== "kpa.autoscaling.knative.dev")
    findings.push(
      notice(
        "not-emulated",
        "spec.template.metadata.annotations[autoscaling.knative.dev/class]",
        `The class ${autoscaler} is accepted, but the emulator does not measure for it: the number of instances stays at the initial scale.`,
      ),
    );
  return findings;
}

/** Knative warns of these on every apply; here they are one notice. */
export function secureDefaults(object: ManifestObject): Finding[] {
  const revision = revisionOf(object);
  if (revision === undefined) return [];
  const unset = new Set(revision.spec.containers.flatMap((container) => insecure(container, revision.spec)));
  if (unset.size === 0) return [];
  const message = `The Kubernetes defaults of ${[...unset].join(", ")} are insecure; Knative warns of it on every apply and may change them.`;
  const hint =
    "In securityContext of the container: `runAsNonRoot: true`, `allowPrivilegeEscalation: false`, `seccompProfile: {type: RuntimeDefault}`, `capabilities: {drop: [ALL]}`.";
  return [{ ...notice("secure-defaults", `${revision.path}.containers[0]`, message), hint }];
}

function insecure(
  { securityContext: own = {} }: Container,
  { securityContext: pod = {} }: RevisionSpec,
): string[] {
  const unset: string[] = [];
  if (pod.runAsNonRoot === undefined && own.runAsNonRoot === undefined) unset.push("runAsNonRoot");
  if (own.allowPrivilegeEscalation === undefined) unset.push("allowPrivilegeEscalation");
  if ((own.seccompProfile?.type ?? "") === "" && (pod.seccompProfile?.type ?? "") === "")
    unset.push("seccompProfile");
  if (own.capabilities?.drop === undefined) unset.push("capabilities");
  return unset;
}

/** The revision that the object describes, and where in it. */
export function revisionOf(object: ManifestObject): { spec: RevisionSpec; path: string } | undefined {
  if (object.kind === "Service" || object.kind === "Configuration")
    return { spec: object.spec.template.spec, path: "spec.template.spec" };
  return object.kind === "Revision" ? { spec: object.spec, path: "spec" } : undefined;
}

export function notice(code: string, place: string, message: string): Finding {
  return { ...found(code, place, message), severity: "notice", atKey: true };
}
