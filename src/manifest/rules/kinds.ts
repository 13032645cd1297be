/** Knative's validating webhook, kind by kind. Source: knative/serving pkg/apis/serving/{v1,v1beta1}/*_validation.go. */
import { via, type Finding } from "../finding.ts";
import type {
  KnativeConfiguration,
  KnativeRevision,
  KnativeRoute,
  KnativeService,
  ManifestObject,
} from "../spec.ts";
import { domainMappingFindings } from "./domain-mapping.ts";
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
