/** Rights of processes. Source: knative/serving pkg/apis/serving/{k8s_validation,fieldmask}.go. */
import { bounds, found, type Finding } from "../finding.ts";
import type { PodSecurityContext, SecurityContext } from "../spec.ts";
import { flagHint, isOn, type RuleContext } from "./context.ts";

const MAX_ID = 2_147_483_647;
const ADD = "kubernetes.containerspec-addcapabilities";
const POD = "kubernetes.podspec-securitycontext";
/** What Knative lets through of the pod's context once its flag is on. */
const POD_FIELDS = new Set([
  "runAsUser",
  "runAsGroup",
  "runAsNonRoot",
  "fsGroup",
  "supplementalGroups",
  "seccompProfile",
]);

export function securityFindings(context: SecurityContext | undefined, rules: RuleContext): Finding[] {
  if (context === undefined) return [];
  const findings = ids(context, ["runAsUser", "runAsGroup"]);
  if (context.privileged === true)
    findings.push(found("not-allowed", "privileged", "A privileged container is not allowed.", "Remove it."));
  const added = context.capabilities?.add ?? [];
  // What secure-pod-defaults adds for low ports is allowed along with it.
  const byDefault = rules.settings.securePodDefaults !== "disabled" && added.join() === "NET_BIND_SERVICE";
  if (added.length > 0 && !byDefault && !isOn(rules, ADD)) {
    findings.push(
      found(
        "needs-flag",
        "capabilities.add",
        `Adding capabilities needs the feature flag ${ADD}, which is off by default.`,
        flagHint(ADD),
      ),
    );
  }
  return findings;
}

export function podSecurityFindings(context: PodSecurityContext | undefined, rules: RuleContext): Finding[] {
  if (context === undefined) return [];
  const on = isOn(rules, POD);
  const masked = Object.keys(context).filter((name) => !on || !POD_FIELDS.has(name));
  const findings = masked.map((name) =>
    found(
      "needs-flag",
      name,
      on ? `Knative does not take \`${name}\`.` : `\`${name}\` of the pod needs the feature flag ${POD}.`,
      on ? "Remove it." : "Put it into the container's securityContext if it has such a field.",
    ),
  );
  findings.push(...ids(context, ["runAsUser", "runAsGroup", "fsGroup"]));
  for (const [index, group] of (context.supplementalGroups ?? []).entries()) {
    if (group < 0 || group > MAX_ID) findings.push(bounds(group, 0, MAX_ID, `supplementalGroups[${index}]`));
  }
  return findings;
}

function ids(
  context: PodSecurityContext,
  names: ReadonlyArray<"runAsUser" | "runAsGroup" | "fsGroup">,
): Finding[] {
  return names.flatMap((name) => {
    const value = context[name];
    return value !== undefined && (value < 0 || value > MAX_ID) ? [bounds(value, 0, MAX_ID, name)] : [];
  });
}
