/** Environment variables. Source: knative/serving pkg/apis/serving/k8s_validation.go (validateEnv, validateEnvFrom). */
import { found, join, missing, via, type Finding } from "../finding.ts";
import type { EnvFromSource, EnvVar } from "../spec.ts";
import { flagHint, isOn, type RuleContext } from "./context.ts";

const RESERVED = new Set(["PORT", "K_SERVICE", "K_CONFIGURATION", "K_REVISION"]);

export function envFindings(env: readonly EnvVar[], serving: boolean, context: RuleContext): Finding[] {
  return env.flatMap((variable, index) => via(`[${index}]`, variableFindings(variable, serving, context)));
}

function variableFindings(variable: EnvVar, serving: boolean, context: RuleContext): Finding[] {
  const findings: Finding[] = [];
  if (variable.name === "")
    findings.push(
      missing("name", "An environment variable has no name.", "Write `- name: ...` and `value: ...`."),
    );
  // A sidecar does not serve, so it may have a PORT of its own.
  else if (RESERVED.has(variable.name) && (serving || variable.name !== "PORT")) {
    const hint =
      variable.name === "PORT"
        ? "Remove it. To choose the port, set ports[0].containerPort; the app finds it in PORT."
        : "Remove it: the app finds the platform's value there.";
    findings.push(
      found(
        "reserved-variable",
        "name",
        `The platform sets ${variable.name}, so it cannot be set here.`,
        hint,
      ),
    );
  }
  const from = variable.valueFrom;
  if (from === undefined || isOn(context, "kubernetes.podspec-fieldref")) return findings;
  for (const name of ["fieldRef", "resourceFieldRef"] as const) {
    if (from[name] === undefined) continue;
    const message = `\`${name}\` needs the feature flag kubernetes.podspec-fieldref, which is off by default.`;
    findings.push({
      ...found("needs-flag", `valueFrom.${name}`, message, flagHint("kubernetes.podspec-fieldref")),
      atKey: true,
    });
  }
  return findings;
}

/**
 * Knative loses the index here, and a later entry with a reference puts its own place before the findings of the
 * entries before it. The paths keep that; the place in the file does not.
 */
export function envFromFindings(sources: readonly EnvFromSource[]): Finding[] {
  let findings: Finding[] = [];
  sources.forEach((source, index) => {
    if (source.secretRef !== undefined) findings = moved(`secretRef[${index}]`, findings);
    if (source.configMapRef !== undefined) findings = moved(`configMapRef[${index}]`, findings);
    const both = source.secretRef !== undefined && source.configMapRef !== undefined;
    const neither = source.secretRef === undefined && source.configMapRef === undefined;
    if (!both && !neither) return;
    const message = both
      ? "An entry of envFrom has both configMapRef and secretRef; it takes one."
      : "An entry of envFrom has neither configMapRef nor secretRef.";
    findings.push({
      ...found(
        "one-of",
        ["configMapRef", "secretRef"],
        message,
        both ? "Make two entries of it." : "Write `- configMapRef: {name: ...}`.",
      ),
      place: `[${index}]`,
    });
  });
  return findings;
}

/** Beyond what anybody writes, paths stay as they are, so that they do not grow with every entry. */
const MAX_MOVED = 50;

function moved(prefix: string, findings: Finding[]): Finding[] {
  if (findings.length > MAX_MOVED) return findings;
  return findings.map((finding) => ({ ...finding, paths: finding.paths.map((path) => join(prefix, path)) }));
}
