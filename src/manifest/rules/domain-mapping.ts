/** DomainMapping. Source: knative/serving pkg/apis/serving/v1beta1/domainmapping_validation.go. */
import { found, missing, type Finding } from "../finding.ts";
import type { DecodedMeta, DomainMapping } from "../spec.ts";

export function domainMappingFindings({ metadata, spec }: DomainMapping): Finding[] {
  return [...nameFindings(metadata), ...referenceFindings(spec.ref, metadata.namespace)];
}

function nameFindings(metadata: DecodedMeta): Finding[] {
  const findings: Finding[] = [];
  const { name = "", generateName = "" } = metadata;
  if (generateName !== "") {
    const message = "A DomainMapping is named after its domain, so its name cannot be generated.";
    findings.push(found("not-allowed", "metadata.generateName", message, "Write `name: www.example.com`."));
  }
  if (!name.includes(".")) {
    const message = `"${name}" is not a domain: it has no dot.`;
    findings.push(
      found("bad-name", "metadata.name", message, "Write the whole domain, e.g. www.example.com."),
    );
  }
  if (name.endsWith(".cluster.local")) {
    const message = "A domain inside the cluster, under cluster.local, cannot be mapped.";
    findings.push(found("bad-name", "metadata.name", message, "Write a domain of your own."));
  }
  return findings;
}

function referenceFindings(reference: DomainMapping["spec"]["ref"], home: string): Finding[] {
  const hint = "Write `ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: ...}`.";
  const findings: Finding[] = (["apiVersion", "kind", "name"] as const)
    .filter((field) => reference[field] === "")
    .map((field) => missing(`spec.ref.${field}`, `The reference has no ${field}.`, hint));
  const { namespace = "" } = reference;
  if (namespace !== "" && namespace !== home) {
    const message = `The Service must be in the namespace of the DomainMapping, "${home}".`;
    findings.push(found("bad-value", "spec.ref.namespace", message, "Remove it."));
  }
  return findings;
}
