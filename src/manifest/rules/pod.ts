/**
 * The pod's part of a revision. Source: knative/serving pkg/apis/serving/k8s_validation.go, fieldmask.go.
 * Findings carry Knative's paths, quirks included; see finding.ts.
 */
import { bounds, found, foundAt, join, missing, via, type Finding } from "../finding.ts";
import { servingPort } from "../defaults.ts";
import { dns1123Subdomain } from "../names.ts";
import { REVISION_SPEC } from "../fields/revision.ts";
import type { Container, RevisionSpec } from "../spec.ts";
import { containerFindings, initContainerFindings, sidecarFindings, type Volumes } from "./container.ts";
import { flagHint, isEnabled, isOn, type RuleContext } from "./context.ts";
import { podSecurityFindings } from "./security.ts";
import { volumeFindings } from "./volumes.ts";

/** Findings whose paths are moved; see withDuplicate. */
const MAX_MOVED = 50;

export function podFindings(spec: RevisionSpec, context: RuleContext): Finding[] {
  const containers = spec.containers ?? [];
  const volumes: Volumes = new Map((spec.volumes ?? []).map((volume) => [volume.name, volume]));
  return [
    ...flaggedFields(spec, context),
    ...via("securityContext", podSecurityFindings(spec.securityContext, context)),
    ...via("volumes", volumeFindings(spec, context)),
    ...initContainers(spec, volumes, context),
    ...portCount(containers),
    ...containersFindings(containers, volumes, context),
    ...serviceAccount(spec.serviceAccountName ?? "", context),
  ];
}

/** Fields of the pod that a feature flag opens. */
function flaggedFields(spec: RevisionSpec, context: RuleContext): Finding[] {
  const findings: Finding[] = [];
  for (const [name, field] of REVISION_SPEC.fields) {
    if (field.flag === undefined || isOn(context, field.flag) || !(name in spec)) continue;
    findings.push({
      ...found(
        "needs-flag",
        name,
        `\`${name}\` needs the feature flag ${field.flag}, which is off by default.`,
        flagHint(field.flag),
      ),
      atKey: true,
    });
  }
  if (spec.automountServiceAccountToken === true) {
    findings.push(
      found(
        "not-allowed",
        "automountServiceAccountToken",
        "Only false is allowed for automountServiceAccountToken.",
        "Remove it.",
      ),
    );
  }
  return findings;
}

function initContainers(spec: RevisionSpec, volumes: Volumes, context: RuleContext): Finding[] {
  const inits = spec.initContainers ?? [];
  // Said already, with a path, by the check of flagged fields.
  if (inits.length === 0 || !isEnabled(context, "kubernetes.podspec-init-containers")) return [];
  const others = new Set((spec.containers ?? []).map((container) => container.name));
  let findings: Finding[] = [];
  // Knative names these `containers`, though they are initContainers.
  inits.forEach((container, index) => {
    const at = `containers[${index}]`;
    if (others.has(container.name))
      findings = withDuplicate(findings, container.name, at, `initContainers[${index}]`);
    const own = via(at, initContainerFindings(container, volumes, context));
    findings.push(
      ...own.map((finding) =>
        placed(finding, (place) => `init${place.charAt(0).toUpperCase()}${place.slice(1)}`),
      ),
    );
  });
  return findings;
}

/**
 * Knative puts the place of a duplicate before the findings of the containers before it, too. So that paths do not
 * grow with every one of thousands, this stops beyond what anybody writes.
 */
function withDuplicate(before: Finding[], name: string, at: string, place: string): Finding[] {
  const duplicate = {
    ...found(
      "duplicate-name",
      "name",
      `Two containers are called "${name}".`,
      "Give each a name of its own.",
    ),
    place: `${place}.name`,
  };
  const own = { ...duplicate, paths: [join(at, "name")] };
  if (before.length > MAX_MOVED) {
    before.push(own);
    return before;
  }
  const moved = before.map((finding) => ({
    ...placed(finding),
    paths: finding.paths.map((path) => join(at, path)),
  }));
  return [...moved, own];
}

/** Fixes the place in the file before the path is changed into what Knative calls it. */
function placed(finding: Finding, change: (place: string) => string = (place) => place): Finding {
  return { ...finding, place: change(finding.place ?? finding.paths[0] ?? "") };
}

/** Knative names `containers[*].ports` here, which is no field. */
function portCount(containers: readonly Container[]): Finding[] {
  const counts = containers.map((container) => container.ports?.length ?? 0);
  const count = counts.reduce((sum, some) => sum + some, 0);
  if (count === 0 && containers.length > 1) {
    return [
      foundAt(
        "missing-field",
        "containers",
        "With several containers, exactly one of them must have a port: it gets the requests.",
        "Add `ports: [{containerPort: 8080}]` to the container that serves.",
      ),
    ];
  }
  if (count <= 1) return [];
  const first = counts.findIndex((some) => some > 0);
  const place =
    (counts[first] ?? 0) > 1
      ? `containers[${first}].ports[1]`
      : `containers[${counts.findIndex((some, index) => index > first && some > 0)}].ports`;
  return [
    foundAt(
      "several-ports",
      place,
      `${count} container ports are given; a Service has exactly one.`,
      "Keep the port that serves requests. Others, such as metrics, need no declaration.",
    ),
  ];
}

function containersFindings(
  containers: readonly Container[],
  volumes: Volumes,
  context: RuleContext,
): Finding[] {
  const port = servingPort(containers);
  const first = containers[0];
  if (first === undefined)
    return [missing("containers", "The list of containers is empty.", "Add one: `- image: ...`.")];
  if (containers.length === 1) return via("containers[0]", containerFindings(first, volumes, port, context));
  if (!isEnabled(context, "multi-container")) {
    return [
      foundAt(
        "needs-flag",
        "containers[1]",
        `There are ${containers.length} containers, but the feature flag multi-container is off.`,
        flagHint("multi-container"),
      ),
    ];
  }
  const names = new Set<string>();
  let findings: Finding[] = [];
  containers.forEach((container, index) => {
    const at = `containers[${index}]`;
    if (names.has(container.name)) findings = withDuplicate(findings, container.name, at, at);
    names.add(container.name);
    const serves = (container.ports?.length ?? 0) > 0;
    const own = serves
      ? containerFindings(container, volumes, port, context)
      : sidecarFindings(container, volumes, context);
    findings.push(...via(at, own));
  });
  return findings;
}

function serviceAccount(name: string, context: RuleContext): Finding[] {
  if (name === "") return [];
  if (context.profile.serviceAccountEmail && /^[a-z0-9-]+@[a-z0-9.-]+$/.test(name)) return [];
  const wrong = dns1123Subdomain(name);
  if (wrong === undefined) return [];
  const hint = name.includes("@")
    ? "An e-mail address is Cloud Run's form. Write the name of a Kubernetes ServiceAccount."
    : undefined;
  return [found("bad-name", "serviceAccountName", `The service account "${name}" ${wrong}.`, hint)];
}

/** Bounds that only Knative has: those of the revision itself. */
export function revisionFindings(spec: RevisionSpec, context: RuleContext): Finding[] {
  return [...podFindings(spec, context), ...timeout(spec, context), ...concurrency(spec, context)];
}

function timeout(spec: RevisionSpec, { settings, profile }: RuleContext): Finding[] {
  const seconds = spec.timeoutSeconds ?? 0;
  const max = Math.max(profile.maxTimeoutSeconds ?? 0, settings.maxRevisionTimeoutSeconds);
  if (seconds < 0 || seconds > max) {
    const raise =
      "Raise `max-revision-timeout-seconds` in the ConfigMap config-defaults, here and on the cluster.";
    return [bounds(seconds, 0, max, "timeoutSeconds", seconds > 0 ? raise : undefined)];
  }
  const warn = Math.max(profile.warnTimeoutSeconds ?? Infinity, settings.maxRevisionTimeoutSeconds);
  if (seconds <= warn) return [];
  const message = `timeoutSeconds is ${seconds}; plain Knative allows ${warn} unless it is configured otherwise.`;
  return [
    {
      ...found(
        "long-timeout",
        "timeoutSeconds",
        message,
        "Set `max-revision-timeout-seconds` in config-defaults on the cluster.",
      ),
      severity: "warning",
    },
  ];
}

function concurrency(spec: RevisionSpec, { settings }: RuleContext): Finding[] {
  const value = spec.containerConcurrency;
  if (value === undefined) return [];
  const min = settings.allowContainerConcurrencyZero ? 0 : 1;
  const max = settings.containerConcurrencyMaxLimit;
  return value < min || value > max
    ? [bounds(value, min, max, "containerConcurrency", "0 means no limit; it is set per instance.")]
    : [];
}
