/** The template of revisions. Source: knative/serving pkg/apis/serving/v1/revision_validation.go. */
import { found, via, type Finding } from "../finding.ts";
import { dns1035Label, maskTrailingDash } from "../names.ts";
import type { DecodedMeta, RevisionTemplate } from "../spec.ts";
import { templateAnnotations } from "./annotations.ts";
import { autoscalingAnnotations } from "./autoscaling.ts";
import type { RuleContext } from "./context.ts";
import { shorten } from "../shorten.ts";
import { nameHint } from "./object-meta.ts";
import { revisionFindings } from "./pod.ts";

export function templateFindings(
  template: RevisionTemplate,
  parent: string,
  context: RuleContext,
): Finding[] {
  const meta: DecodedMeta = template.metadata ?? {};
  const annotations = meta.annotations ?? {};
  return [
    ...via("spec", revisionFindings(template.spec, context)),
    ...via("metadata.annotations", [
      ...autoscalingAnnotations(annotations, context.settings),
      ...templateAnnotations(annotations),
    ]),
    ...via("metadata", revisionName(meta, parent)),
  ];
}

function revisionName({ name = "", generateName = "" }: DecodedMeta, parent: string): Finding[] {
  const wrongPrefix = generateName === "" ? undefined : dns1035Label(maskTrailingDash(generateName));
  if (wrongPrefix !== undefined)
    return [found("bad-name", "generateName", `The name prefix "${shorten(generateName)}" ${wrongPrefix}.`)];
  if (name === "") return [];
  const wrong = dns1035Label(name);
  if (wrong !== undefined)
    return [found("bad-name", "name", `The revision name "${shorten(name)}" ${wrong}.`, nameHint(name))];
  if (name.startsWith(`${parent}-`)) return [];
  const message = `The revision name "${name}" must begin with the name of its Service and a dash: "${parent}-".`;
  return [
    found(
      "bad-name",
      "name",
      message,
      `Write e.g. "${parent}-${name}", or remove it to get a generated name.`,
    ),
  ];
}
