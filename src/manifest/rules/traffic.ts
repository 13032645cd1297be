/** The split of traffic. Source: knative/serving pkg/apis/serving/v1/route_validation.go. */
import { bounds, found, join, via, type Finding } from "../finding.ts";
import { dns1035Label, qualifiedName } from "../names.ts";
import type { TrafficTarget } from "../spec.ts";
import { shorten } from "../shorten.ts";
import { nameHint } from "./object-meta.ts";

/** Paths are relative to `traffic`. In a Service the Configuration goes without saying. */
export function trafficFindings(traffic: readonly TrafficTarget[], inService: boolean): Finding[] {
  const findings: Finding[] = [];
  const tags = new Map<string, number>();
  let sum = 0;
  traffic.forEach((target, index) => {
    findings.push(...via(`[${index}]`, targetFindings(target, inService)));
    sum += target.percent ?? 0;
    findings.push(...tagFindings(target.tag ?? "", index, tags));
  });
  if (sum === 100) return findings;
  const hint =
    traffic.length === 0
      ? "Add an entry, e.g. `{latestRevision: true, percent: 100}`."
      : sum < 100
        ? `${100 - sum} are missing.`
        : `${sum - 100} are too many.`;
  return [
    ...findings,
    found("traffic-sum", "", `The percentages add up to ${sum}; they must make 100.`, hint),
  ];
}

function tagFindings(tag: string, index: number, tags: Map<string, number>): Finding[] {
  if (tag === "") return [];
  const findings: Finding[] = [];
  const wrong = dns1035Label(tag);
  // Knative puts the index behind the name here.
  if (wrong !== undefined)
    findings.push({
      ...found(
        "bad-name",
        `tag[${index}]`,
        `The tag "${shorten(tag)}" ${wrong}: it becomes part of a host name.`,
        nameHint(tag),
      ),
      place: `[${index}].tag`,
    });
  const first = tags.get(tag);
  if (first === undefined) tags.set(tag, index);
  else
    findings.push(
      found(
        "duplicate-name",
        [`[${first}].tag`, `[${index}].tag`],
        `The tag "${shorten(tag)}" is given twice; every tag is a host of its own.`,
        "Choose another tag for one.",
      ),
    );
  return findings;
}

function targetFindings(target: TrafficTarget, inService: boolean): Finding[] {
  const findings = [...latestFindings(target), ...nameFindings(target, inService)];
  const { percent } = target;
  if (percent !== undefined && (percent < 0 || percent > 100))
    findings.push(bounds(percent, 0, 100, "percent"));
  if ((target.url ?? "") !== "")
    findings.push(found("not-allowed", "url", "The URL of a target is set by the platform.", "Remove it."));
  return findings;
}

function latestFindings(target: TrafficTarget): Finding[] {
  const pinned = (target.revisionName ?? "") !== "";
  if (target.latestRevision !== pinned) return [];
  const message = pinned
    ? "A target cannot both name a revision and follow the latest one."
    : "latestRevision is false, but no revision is named.";
  return [
    found(
      "latest-revision",
      "latestRevision",
      message,
      pinned ? "Remove latestRevision or revisionName." : "Add revisionName.",
    ),
  ];
}

function nameFindings(target: TrafficTarget, inService: boolean): Finding[] {
  const revision = target.revisionName ?? "";
  const configuration = target.configurationName ?? "";
  if (inService && configuration !== "")
    return [
      found(
        "not-allowed",
        "configurationName",
        "In a Service the Configuration goes without saying.",
        "Remove it.",
      ),
    ];
  if (revision !== "" && configuration !== "")
    return [
      found(
        "one-of",
        ["configurationName", "revisionName"],
        "A target names either a revision or a Configuration.",
        "Keep one.",
      ),
    ];
  if (revision !== "") return qualified(revision, "revisionName");
  if (configuration !== "") return qualified(configuration, "configurationName");
  return inService
    ? []
    : [
        found(
          "one-of",
          ["configurationName", "revisionName"],
          "The target names neither a revision nor a Configuration.",
          "Add configurationName.",
        ),
      ];
}

function qualified(name: string, field: string): Finding[] {
  const wrong = qualifiedName(name);
  return wrong === undefined
    ? []
    : [found("bad-name", join("", field), `The name "${shorten(name)}" ${wrong}.`)];
}
