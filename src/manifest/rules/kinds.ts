/** Knative's validating webhook, kind by kind. Source: knative/serving pkg/apis/serving/{v1,v1beta1}/*_validation.go. */
import { found, missing, via, type Finding } from "../finding.ts";
import type {
  DecodedMeta,
  DomainMapping,
  KnativeConfiguration,
  KnativeRevision,
  KnativeRoute,
  KnativeService,
  ManifestObject,
} from "../spec.ts";
import { rolloutDuration } from "./annotations.ts";
import { autoscalingAnnotations, misplacedAutoscaling } from "./autoscaling.ts";
import { configMapFindings, secretFindings } from "./config-and-secrets.ts";
import type { RuleContext } from "./context.ts";
import { knativeName } from "./object-meta.ts";
import { revisionFindings } from "./pod.ts";
import { templateFindings } from "./revision-template.ts";
import { trafficFindings } from "./traffic.ts";

export function webhookFindings(object: ManifestObject, context: RuleContext): Finding[] {
  switch (object.kind) {
    case "Service":
      return serviceFindings(object, context);
    case "Configuration":
      return configurationFindings(object, context);
    case "Revision":
      return revisionKindFindings(object, context);
    case "Route":
      return routeFindings(object);
    case "DomainMapping":
      return domainMappingFindings(object);
    case "ConfigMap":
      return configMapFindings(object);
    case "Secret":
      return secretFindings(object);
  }
}

function serviceFindings(service: KnativeService, context: RuleContext): Finding[] {
  const { metadata, spec } = service;
  return [
    ...knativeName(metadata),
    ...via("metadata.annotations", [
      ...misplacedAutoscaling(metadata.annotations ?? {}),
      ...rolloutDuration(metadata.annotations ?? {}),
    ]),
    ...via("spec.template", templateFindings(spec.template, metadata.name, context)),
    ...via("spec.traffic", trafficFindings(spec.traffic, true)),
  ];
}

function configurationFindings({ metadata, spec }: KnativeConfiguration, context: RuleContext): Finding[] {
  return [
    ...knativeName(metadata),
    ...via("metadata.annotations", misplacedAutoscaling(metadata.annotations ?? {})),
    ...via("spec.template", templateFindings(spec.template, metadata.name, context)),
  ];
}

function revisionKindFindings({ metadata, spec }: KnativeRevision, context: RuleContext): Finding[] {
  return [
    ...knativeName(metadata),
    ...via("metadata.annotations", autoscalingAnnotations(metadata.annotations ?? {}, context.settings)),
    ...via("spec", revisionFindings(spec, context)),
  ];
}

function routeFindings({ metadata, spec }: KnativeRoute): Finding[] {
  return [
    ...knativeName(metadata),
    ...via("metadata.annotations", [
      ...misplacedAutoscaling(metadata.annotations ?? {}),
      ...rolloutDuration(metadata.annotations ?? {}),
    ]),
    ...via("spec.traffic", trafficFindings(spec.traffic ?? [], false)),
  ];
}

function domainMappingFindings({ metadata, spec }: DomainMapping): Finding[] {
  const findings: Finding[] = [];
  if (((metadata as DecodedMeta).generateName ?? "") !== "") {
    findings.push(
      found(
        "not-allowed",
        "metadata.generateName",
        "A DomainMapping is named after its domain, so its name cannot be generated.",
        "Write `name: www.example.com`.",
      ),
    );
  }
  if (!metadata.name.includes(".")) {
    findings.push(
      found(
        "bad-name",
        "metadata.name",
        `"${metadata.name}" is not a domain: it has no dot.`,
        "Write the whole domain, e.g. www.example.com.",
      ),
    );
  }
  for (const field of ["apiVersion", "kind", "name"] as const) {
    if (spec.ref[field] === "")
      findings.push(
        missing(
          `spec.ref.${field}`,
          `The reference has no ${field}.`,
          "Write `ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: ...}`.",
        ),
      );
  }
  const namespace = spec.ref.namespace ?? "";
  if (namespace !== "" && namespace !== metadata.namespace) {
    findings.push(
      found(
        "bad-value",
        "spec.ref.namespace",
        `The Service must be in the namespace of the DomainMapping, "${metadata.namespace}".`,
        "Remove it.",
      ),
    );
  }
  return findings;
}
