/**
 * What Knative's webhook lets through and the pod then fails on: on a cluster `kubectl apply` succeeds and the
 * revision does not. Warnings, so that the verdict stays that of apply.
 * Source: kubernetes pkg/apis/core/validation/validation.go.
 */
import { found, via, type Finding } from "../finding.ts";
import { dns1123Label } from "../names.ts";
import { parseQuantity } from "../quantity.ts";
import type { Container, EnvVar, Probe, RevisionSpec, Volume } from "../spec.ts";
import { didYouMean } from "../suggest.ts";

const STANDARD_RESOURCES = ["cpu", "memory", "ephemeral-storage"];
const PULL_POLICIES = ["Always", "IfNotPresent", "Never"];

export function podLevelFindings(spec: RevisionSpec): Finding[] {
  return [
    ...spec.containers.flatMap((container, index) =>
      via(`containers[${index}]`, containerWarnings(container)),
    ),
    ...(spec.volumes ?? []).flatMap((volume, index) => via(`volumes[${index}]`, volumeWarnings(volume))),
  ];
}

function containerWarnings(container: Container): Finding[] {
  const findings: Finding[] = [];
  const wrongName = dns1123Label(container.name);
  if (wrongName !== undefined)
    findings.push(fails("name", `the container name "${container.name}" ${wrongName}`));
  const policy = container.imagePullPolicy ?? "";
  if (policy !== "" && !PULL_POLICIES.includes(policy)) {
    findings.push(
      fails(
        "imagePullPolicy",
        `there is no pull policy "${policy}"`,
        didYouMean(policy, PULL_POLICIES) ?? `Write ${PULL_POLICIES.join(", ")}.`,
      ),
    );
  }
  (container.env ?? []).forEach((variable, index) =>
    findings.push(...via(`env[${index}]`, envWarnings(variable))),
  );
  (container.envFrom ?? []).forEach(({ configMapRef, secretRef }, index) => {
    if ((configMapRef ?? secretRef)?.name === "")
      findings.push(fails(`envFrom[${index}]`, "the reference has no name"));
  });
  findings.push(...via("resources", resourceWarnings(container)));
  for (const name of ["readinessProbe", "livenessProbe", "startupProbe"] as const) {
    const probe = container[name];
    if (probe !== undefined) findings.push(...via(name, probeWarnings(probe, name)));
  }
  (container.volumeMounts ?? []).forEach(({ mountPath, subPath = "" }, index) => {
    if (mountPath.includes(":"))
      findings.push(fails(`volumeMounts[${index}].mountPath`, "a mount path cannot contain a colon"));
    if (subPath.startsWith("/") || subPath.split("/").includes(".."))
      findings.push(fails(`volumeMounts[${index}].subPath`, "a subPath must be relative, without `..`"));
  });
  return findings;
}

function envWarnings({ name, value = "", valueFrom }: EnvVar): Finding[] {
  const findings: Finding[] = [];
  if (!/^[\x20-\x3c\x3e-\x7e]+$/.test(name))
    findings.push(fails("name", "a variable's name consists of printable ASCII characters other than `=`"));
  if (valueFrom === undefined) return findings;
  if (value !== "")
    findings.push(fails("valueFrom", "a variable has either value or valueFrom", "Keep one."));
  const count = Object.keys(valueFrom).length;
  if (count !== 1) findings.push(fails("valueFrom", `valueFrom takes exactly one source, not ${count}`));
  for (const source of ["configMapKeyRef", "secretKeyRef"] as const) {
    for (const field of ["name", "key"] as const) {
      if (valueFrom[source]?.[field] === "")
        findings.push(fails(`valueFrom.${source}`, `the reference has no ${field}`));
    }
  }
  return findings;
}

function resourceWarnings({ resources = {} }: Container): Finding[] {
  const findings: Finding[] = [];
  for (const part of ["limits", "requests"] as const) {
    for (const [name, written] of Object.entries(resources[part] ?? {})) {
      const at = `${part}.${name}`;
      if (!STANDARD_RESOURCES.includes(name) && !name.includes("/") && !name.startsWith("hugepages-")) {
        findings.push(fails(at, `there is no resource "${name}"`, didYouMean(name, STANDARD_RESOURCES)));
      }
      if (nanos(written) < 0n) findings.push(fails(at, `${name} cannot be negative`));
      const limit = resources.limits?.[name];
      if (part === "requests" && limit !== undefined && nanos(written) > nanos(limit)) {
        findings.push(
          fails(
            at,
            `the request (${written}) is greater than the limit (${limit})`,
            "Raise the limit, or lower the request.",
          ),
        );
      }
    }
  }
  return findings;
}

function nanos(written: string | number): bigint {
  const quantity = parseQuantity(String(written));
  return typeof quantity === "string" ? 0n : quantity.nanos;
}

function probeWarnings(probe: Probe, name: string): Finding[] {
  const findings: Finding[] = [];
  const scheme = probe.httpGet?.scheme ?? "";
  if (!["", "HTTP", "HTTPS"].includes(scheme))
    findings.push(
      fails(
        "httpGet.scheme",
        `there is no scheme "${scheme}"`,
        didYouMean(scheme, ["HTTP", "HTTPS"]) ?? "Write HTTP or HTTPS.",
      ),
    );
  if (probe.exec !== undefined && (probe.exec.command ?? []).length === 0)
    findings.push(fails("exec.command", "the command is empty"));
  if (name === "readinessProbe") return findings;
  for (const field of [
    "initialDelaySeconds",
    "periodSeconds",
    "timeoutSeconds",
    "failureThreshold",
  ] as const) {
    if ((probe[field] ?? 0) < 0) findings.push(fails(field, `${field} cannot be negative`));
  }
  if (![0, 1].includes(probe.successThreshold ?? 0))
    findings.push(fails("successThreshold", `a ${name} can only have the successThreshold 1`));
  return findings;
}

function volumeWarnings(volume: Volume): Finding[] {
  const findings: Finding[] = [];
  if (volume.secret !== undefined && (volume.secret.secretName ?? "") === "")
    findings.push(fails("secret", "the Secret has no name", "Add `secretName: ...`."));
  if (volume.configMap?.name === "")
    findings.push(fails("configMap", "the ConfigMap has no name", "Add `name: ...`."));
  for (const source of ["secret", "configMap"] as const) {
    (volume[source]?.items ?? []).forEach(({ path }, index) => {
      if (path.startsWith("/") || path.split("/").includes(".."))
        findings.push(fails(`${source}.items[${index}].path`, "the path must be relative, without `..`"));
    });
    const mode = volume[source]?.defaultMode;
    if (mode !== undefined && (mode < 0 || mode > 0o777))
      findings.push(
        fails(
          `${source}.defaultMode`,
          `the mode ${mode} is not from 0 to 0777`,
          "YAML reads 0644 as octal; in decimal it is 420.",
        ),
      );
  }
  return findings;
}

function fails(path: string, what: string, hint?: string): Finding {
  return {
    ...found(
      "pod-would-fail",
      path,
      `kubectl apply accepts this, but the revision fails on it: ${what}.`,
      hint,
    ),
    severity: "warning",
  };
}
