/** Documents that are not Knative's: what they are, and what to do with them. */
import { didYouMean } from "./suggest.ts";

export interface Foreign {
  /** Refused, or left to others with a notice. */
  readonly verdict: "refused" | "ignored";
  readonly message: string;
  readonly hint?: string;
}

interface Row {
  readonly group: RegExp;
  readonly kind: RegExp;
  readonly verdict: Foreign["verdict"];
  readonly message: string;
  readonly hint?: string;
}

const FROM_POD =
  "A Knative Service for it: apiVersion serving.knative.dev/v1, kind Service, the containers under spec.template.spec.containers; bounds on instances are the annotations autoscaling.knative.dev/min-scale and max-scale on spec.template.metadata.";

const ROWS: readonly Row[] = [
  {
    group: /^serving\.kserve\.io\//,
    kind: /./,
    verdict: "refused",
    message:
      "This belongs to KServe, which serves machine-learning models. kserve-local is for Knative Serving, another project.",
    hint: "Describe the model server's container as a Knative Service.",
  },
  {
    group: /^serving\.knative\.dev\/v1alpha1$/,
    kind: /^(Service|Configuration|Revision|Route)$/,
    verdict: "refused",
    message: "serving.knative.dev/v1alpha1 is no longer served.",
    hint: "Write apiVersion: serving.knative.dev/v1. The fields have changed: see spec.template.",
  },
  {
    group: /^serving\.knative\.dev\//,
    kind: /^(Service|Configuration|Revision|Route)$/,
    verdict: "refused",
    message: "Knative does not serve this version.",
    hint: "Write apiVersion: serving.knative.dev/v1.",
  },
  {
    group: /^serving\.knative\.dev\//,
    kind: /^DomainMapping$/,
    verdict: "refused",
    message: "Knative serves DomainMapping as v1beta1.",
    hint: "Write apiVersion: serving.knative.dev/v1beta1.",
  },
  {
    group: /^run\.googleapis\.com\//,
    kind: /^(Job|Execution|Task)$/,
    verdict: "refused",
    message:
      "This is a Cloud Run job: it runs to its end and serves no requests. Knative Serving has no such kind.",
    hint: "Run it with docker, or as a Kubernetes Job.",
  },
  {
    group: /^run\.googleapis\.com\//,
    kind: /^WorkerPool$/,
    verdict: "refused",
    message: "This is a Cloud Run worker pool: it serves no requests. Knative Serving has no such kind.",
    hint: "Run it with docker, or as a Kubernetes Deployment.",
  },
  {
    group: /^run\.googleapis\.com\//,
    kind: /./,
    verdict: "refused",
    message: "This is Cloud Run's own API group.",
    hint: "Cloud Run takes Services as apiVersion: serving.knative.dev/v1; so does Knative.",
  },
  {
    group: /^(apps|extensions)\//,
    kind: /^(Deployment|StatefulSet|DaemonSet|ReplicaSet)$/,
    verdict: "refused",
    message: "This is plain Kubernetes, which Knative Serving does not run.",
    hint: FROM_POD,
  },
  {
    group: /^batch\//,
    kind: /^(Job|CronJob)$/,
    verdict: "refused",
    message: "A Job runs to its end and serves no requests; Knative Serving does not run it.",
    hint: "Run it with docker, or leave it out.",
  },
  {
    group: /^v1$/,
    kind: /^(Pod|ReplicationController)$/,
    verdict: "refused",
    message: "This is plain Kubernetes, which Knative Serving does not run.",
    hint: FROM_POD,
  },
  {
    group: /^v1$/,
    kind: /^Service$/,
    verdict: "refused",
    message: "This is Kubernetes' own Service, an address for pods; Knative's has another apiVersion.",
    hint: "Did you mean apiVersion: serving.knative.dev/v1? Knative makes the Kubernetes Services itself.",
  },
  {
    group: /^v1$/,
    kind: /^List$/,
    verdict: "refused",
    message: "The API server has no kind List; kubectl takes lists apart before it sends them.",
    hint: "Write the items as documents separated by ---, or use --profile gke.",
  },
  {
    group: /^(networking\.k8s\.io|extensions)\//,
    kind: /^Ingress$/,
    verdict: "refused",
    message: "Knative makes its own ingress; a Kubernetes Ingress has no effect here.",
    hint: "Leave it out, or use a DomainMapping.",
  },
  {
    group: /^v1$/,
    kind: /^(Namespace|ServiceAccount|PersistentVolumeClaim|PersistentVolume|LimitRange|ResourceQuota)$/,
    verdict: "ignored",
    message: "The emulator has nothing to do with this document and leaves it out.",
  },
  {
    group:
      /^(rbac\.authorization\.k8s\.io|policy|networking\.k8s\.io|networking\.internal\.knative\.dev|autoscaling|monitoring\.coreos\.com|cert-manager\.io|eventing\.knative\.dev|sources\.knative\.dev|messaging\.knative\.dev|flows\.knative\.dev|apiextensions\.k8s\.io|iam\.cnrm\.cloud\.google\.com|external-secrets\.io)\//,
    kind: /./,
    verdict: "ignored",
    message: "The emulator has nothing to do with this document and leaves it out.",
  },
];

const OUR_KINDS: Readonly<Record<string, readonly string[]>> = {
  "serving.knative.dev/v1": ["Service", "Configuration", "Revision", "Route"],
  "serving.knative.dev/v1beta1": ["DomainMapping"],
};

export function foreign(apiVersion: string, kind: string): Foreign {
  const meant = didYouMean(kind, OUR_KINDS[apiVersion] ?? []);
  if (meant !== undefined)
    return { verdict: "refused", message: `${apiVersion} has no kind "${kind}".`, hint: meant };
  const row = ROWS.find((candidate) => candidate.group.test(apiVersion) && candidate.kind.test(kind));
  const what = apiVersion === "" ? kind : `${kind} (${apiVersion})`;
  if (row !== undefined) {
    return {
      verdict: row.verdict,
      message: `${what}: ${row.message}`,
      ...(row.hint === undefined ? {} : { hint: row.hint }),
    };
  }
  if (apiVersion === "") {
    const known = kind === "ConfigMap" || kind === "Secret" ? "v1" : "serving.knative.dev/v1";
    return {
      verdict: "refused",
      message: `The document of the kind ${kind} has no apiVersion.`,
      hint: `Add \`apiVersion: ${known}\`.`,
    };
  }
  return {
    verdict: "refused",
    message: `${what} is neither Knative Serving's nor a ConfigMap or Secret.`,
    hint: "Kinds: Service, Configuration, Route, Revision (serving.knative.dev/v1), DomainMapping (v1beta1), ConfigMap, Secret (v1).",
  };
}
