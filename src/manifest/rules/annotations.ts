/**
 * Annotations other than autoscaling. Sources: knative/serving pkg/apis/serving/metadata_validation.go,
 * pkg/apis/serving/v1/revision_validation.go; knative/networking pkg/apis/networking.
 */
import { bounds, found, type Finding } from "../finding.ts";
import { parseGoDuration } from "../go-duration.ts";
import { parseQuantity } from "../quantity.ts";
import { didYouMean } from "../suggest.ts";
import { aliased, isGoFloat, type Annotations } from "./annotation-values.ts";

const SECOND = 1_000_000_000n;
const ROLLOUT_DURATION = ["serving.knative.dev/rollout-duration", "serving.knative.dev/rolloutDuration"];
const PROGRESS_DEADLINE = ["serving.knative.dev/progress-deadline", "serving.knative.dev/progressDeadline"];

const QUEUE = "queue.sidecar.serving.knative.dev";
const QUEUE_PERCENTAGE = [`${QUEUE}/resource-percentage`, `${QUEUE}/resourcePercentage`];
const QUEUE_QUANTITIES = ["cpu", "memory", "ephemeral-storage"].flatMap((resource) =>
  ["request", "limit"].map((end) => `${QUEUE}/${resource}-resource-${end}`),
);

/** Keys of networking.knative.dev that the platform knows; the first of a pair is the one to write. */
const NETWORKING_KEYS = [
  "ingress-class",
  "ingress.class",
  "certificate-class",
  "certificate.class",
  "disable-auto-tls",
  "disableAutoTLS",
  "disable-external-domain-tls",
  "disableExternalDomainTLS",
  "http-protocol",
  "http-option",
  "httpOption",
].map((name) => `networking.knative.dev/${name}`);

/** Paths relative to the annotations. */
export function templateAnnotations(annotations: Annotations): Finding[] {
  return [
    ...duration(annotations, PROGRESS_DEADLINE, "progress-deadline"),
    ...queueSidecar(annotations),
    ...networking(annotations),
  ];
}

export function rolloutDuration(annotations: Annotations): Finding[] {
  return duration(annotations, ROLLOUT_DURATION, "rollout-duration");
}

function duration(annotations: Annotations, keys: readonly string[], name: string): Finding[] {
  const entry = aliased(annotations, keys);
  if (entry === undefined || entry.value === "") return [];
  const nanos = parseGoDuration(entry.value);
  if (nanos === undefined) {
    return [
      found(
        "bad-duration",
        entry.key,
        `${name} is not a duration: "${entry.value}".`,
        "Write e.g. 60s or 5m.",
      ),
    ];
  }
  if (nanos % SECOND !== 0n)
    return [
      found(
        "bad-duration",
        entry.key,
        `${name} must be whole seconds, not ${entry.value}.`,
        "Write e.g. 60s.",
      ),
    ];
  return nanos < 0n
    ? [found("out-of-bounds", entry.key, `${name} must not be negative: ${entry.value}.`, "Write e.g. 60s.")]
    : [];
}

function queueSidecar(annotations: Annotations): Finding[] {
  const findings: Finding[] = [];
  const percentage = aliased(annotations, QUEUE_PERCENTAGE);
  if (percentage !== undefined) {
    const at = `[${percentage.key}]`;
    const message = "The annotation resource-percentage is deprecated.";
    findings.push({
      ...found("deprecated", [], message, `Use ${QUEUE}/cpu-resource-request and its siblings.`),
      place: at,
      severity: "warning",
    });
    const value = Number(percentage.value);
    if (!isGoFloat(percentage.value))
      findings.push(
        found("bad-number", at, `"${percentage.value}" is not a number.`, "Write a number from 0.1 to 100."),
      );
    else if (value < 0.1 || value > 100) findings.push(bounds(percentage.value, 0.1, 100, at));
  }
  for (const key of QUEUE_QUANTITIES) {
    const value = annotations[key];
    if (value === undefined || typeof parseQuantity(value) !== "string") continue;
    findings.push(
      found(
        "bad-quantity",
        `[${key}]`,
        `"${value}" is not a quantity.`,
        "Write e.g. 25m for cpu or 64Mi for memory.",
      ),
    );
  }
  return findings;
}

function networking(annotations: Annotations): Finding[] {
  return Object.keys(annotations)
    .filter((key) => key.startsWith("networking.knative.dev/") && !NETWORKING_KEYS.includes(key))
    .map((key) => ({
      ...found(
        "unknown-annotation",
        "",
        `Knative does not know the annotation ${key}.`,
        didYouMean(key, NETWORKING_KEYS) ?? `It knows ${NETWORKING_KEYS.join(", ")}.`,
      ),
      place: key,
      atKey: true,
    }));
}
