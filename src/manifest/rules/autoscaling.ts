/**
 * Autoscaling annotations. Source: knative/serving pkg/apis/autoscaling/{register,annotation_validation}.go.
 * Paths are relative to the annotations.
 */
import { found, foundAt, type Finding } from "../finding.ts";
import { parseGoDuration } from "../go-duration.ts";
import type { WebhookSettings } from "../platform.ts";
import { didYouMean } from "../suggest.ts";
import { aliased, goFloat, goInt32, isGoFloat, type Annotations } from "./annotation-values.ts";
import { AUTOSCALING, autoscalingKeys, KNOWN_AUTOSCALING_KEYS } from "./autoscaling-keys.ts";

const DOMAIN = "autoscaling.knative.dev";
const KPA = `kpa.${DOMAIN}`;
const HPA = `hpa.${DOMAIN}`;
const MAX_INT32 = 2_147_483_647;
const SECOND = 1_000_000_000n;

/** What is wrong with a value, as the end of a sentence that begins with its name. */
interface Fault {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

export function autoscalingAnnotations(annotations: Annotations, settings: WebhookSettings): Finding[] {
  return [
    ...classFindings(annotations),
    ...scaleFindings(annotations, settings),
    ...floatFindings(annotations),
    ...durationFindings(annotations),
    ...metricFindings(annotations),
    ...algorithmFindings(annotations),
    ...initialScaleFindings(annotations, settings),
    ...unknownKeys(annotations),
  ];
}

/** On a Service or Configuration they have no effect, and Knative says so. Path is that of the annotations. */
export function misplacedAutoscaling(annotations: Annotations): Finding[] {
  return Object.keys(annotations)
    .filter((key) => key.startsWith(DOMAIN))
    .map((key) => ({
      ...found(
        "misplaced-annotation",
        "",
        `${key} has no effect here: it belongs to the revisions.`,
        "Move it to spec.template.metadata.annotations.",
      ),
      place: key,
      atKey: true,
    }));
}

function classFindings(annotations: Annotations): Finding[] {
  const entry = aliased(annotations, autoscalingKeys("class"));
  if (entry === undefined || !entry.value.endsWith(DOMAIN) || entry.value === KPA || entry.value === HPA)
    return [];
  return [
    found(
      "bad-value",
      entry.key,
      `There is no autoscaler class "${entry.value}".`,
      didYouMean(entry.value, [KPA, HPA]) ?? `Write ${KPA} or ${HPA}.`,
    ),
  ];
}

function scaleFindings(annotations: Annotations, settings: WebhookSettings): Finding[] {
  const min = scale(annotations, "min-scale");
  const max = scale(annotations, "max-scale");
  const findings = [...min.findings, ...max.findings];
  if (max.value !== 0 && max.value < min.value) {
    const message = `max-scale (${max.value}) is less than min-scale (${min.value}).`;
    // Knative names the first spelling of each, whichever is written.
    const paths = [`${DOMAIN}/max-scale`, `${DOMAIN}/min-scale`];
    const place = max.key ?? min.key ?? "";
    findings.push({
      ...found("scale-bounds", paths, message, "Raise max-scale, or lower min-scale."),
      place,
    });
  }
  if (max.key !== undefined && settings.maxScaleLimit > 0)
    findings.push(...limitFindings(max.key, max.value, settings.maxScaleLimit));
  return [...findings, ...activationFindings(annotations, min.value, max.value)];
}

function scale(annotations: Annotations, name: string): { key?: string; value: number; findings: Finding[] } {
  const entry = aliased(annotations, autoscalingKeys(name));
  if (entry === undefined) return { value: 0, findings: [] };
  const { key } = entry;
  const value = goInt32(entry.value);
  if (value === "syntax")
    return {
      key,
      value: 0,
      findings: [
        found(
          "bad-number",
          key,
          `${name} must be a whole number, not "${entry.value}".`,
          'Write e.g. "1", in quotes.',
        ),
      ],
    };
  if (value === "range" || value < 0) {
    return {
      key,
      value: 0,
      findings: [
        found(
          "out-of-bounds",
          key,
          `${name} is out of bounds: it must be from 0 to ${MAX_INT32}, not ${entry.value}.`,
        ),
      ],
    };
  }
  return { key, value, findings: [] };
}

function limitFindings(key: string, value: number, limit: number): Finding[] {
  if (value > limit)
    return [
      found(
        "out-of-bounds",
        key,
        `max-scale is ${value}; the platform's max-scale-limit is ${limit}.`,
        `Write at most ${limit}.`,
      ),
    ];
  return value === 0
    ? [
        found(
          "out-of-bounds",
          key,
          `max-scale 0 means no limit, but the platform's max-scale-limit is ${limit}.`,
          `Write 1 to ${limit}.`,
        ),
      ]
    : [];
}

function activationFindings(annotations: Annotations, min: number, max: number): Finding[] {
  const entry = aliased(annotations, autoscalingKeys("activation-scale"));
  const wrong = entry === undefined ? undefined : activationFault(entry.value, min, max);
  return entry === undefined || wrong === undefined
    ? []
    : [found(wrong.code, entry.key, `activation-scale ${wrong.message}.`, wrong.hint)];
}

function activationFault(text: string, min: number, max: number): Fault | undefined {
  const value = goInt32(text);
  if (typeof value !== "number") {
    return { code: "bad-number", message: `must be a whole number, not "${text}"`, hint: 'Write e.g. "2".' };
  }
  if (min > value) {
    return {
      code: "scale-bounds",
      message: `(${value}) is less than min-scale (${min})`,
      hint: "Raise it to min-scale at least.",
    };
  }
  if (max < value && max !== 0) {
    return {
      code: "scale-bounds",
      message: `(${value}) is greater than max-scale (${max})`,
      hint: "Lower it to max-scale at most.",
    };
  }
  if (value >= 2) return undefined;
  return {
    code: "out-of-bounds",
    message: `must be 2 or more, not ${value}`,
    hint: "Write 2 or more, or remove it: one instance is started anyway.",
  };
}

function floatFindings(annotations: Annotations): Finding[] {
  const findings: Finding[] = [];
  for (const { name, bounds } of AUTOSCALING) {
    if (bounds === undefined) continue;
    const entry = aliased(annotations, autoscalingKeys(name));
    if (entry === undefined) continue;
    const wrong = floatFault(entry.value, bounds);
    if (wrong !== undefined)
      findings.push(
        found(
          isGoFloat(entry.value) ? "out-of-bounds" : "bad-number",
          entry.key,
          `${name} ${wrong}, not "${entry.value}".`,
        ),
      );
  }
  return findings;
}

function floatFault(
  text: string,
  { min, max, also }: { min: number; max: number; also?: number },
): string | undefined {
  const wanted =
    max === Infinity
      ? `must be a number of at least ${min}${also === undefined ? "" : `, or ${also}`}`
      : `must be a number from ${min} to ${max}`;
  if (!isGoFloat(text)) return wanted;
  const value = goFloat(text);
  return (value < min || value > max) && value !== also ? wanted : undefined;
}

function durationFindings(annotations: Annotations): Finding[] {
  const findings: Finding[] = [];
  for (const { name, seconds } of AUTOSCALING) {
    if (seconds === undefined) continue;
    const entry = aliased(annotations, autoscalingKeys(name));
    if (entry === undefined) continue;
    const wrong = durationFault(entry.value, seconds);
    if (wrong !== undefined)
      findings.push(
        found(wrong.code, entry.key, `${name} ${wrong.message}, not "${entry.value}".`, wrong.hint),
      );
  }
  return findings;
}

function durationFault(
  text: string,
  { min, max, whole }: { min: number; max: number; whole: boolean },
): Fault | undefined {
  const nanos = parseGoDuration(text);
  if (nanos === undefined) {
    const bare = /^\d+$/.test(text);
    return {
      code: "bad-duration",
      message: "must be a duration with a unit",
      hint: bare ? `Did you mean "${text}s"?` : "Write e.g. 60s or 5m.",
    };
  }
  if (nanos < BigInt(min) * SECOND || nanos > BigInt(max) * SECOND)
    return { code: "out-of-bounds", message: `must be from ${min}s to ${max}s` };
  return whole && nanos % SECOND !== 0n
    ? { code: "bad-duration", message: "must be whole seconds" }
    : undefined;
}

function metricFindings(annotations: Annotations): Finding[] {
  const entry = aliased(annotations, autoscalingKeys("metric"));
  if (entry === undefined) return [];
  const autoscaler = aliased(annotations, autoscalingKeys("class"))?.value ?? KPA;
  if (autoscaler === KPA && !["concurrency", "rps"].includes(entry.value)) {
    const hint = ["cpu", "memory"].includes(entry.value)
      ? `${entry.value} needs the annotation ${DOMAIN}/class: ${HPA}.`
      : (didYouMean(entry.value, ["concurrency", "rps"]) ?? "Write concurrency or rps.");
    return [
      found(
        "bad-value",
        entry.key,
        `The autoscaler does not know the metric "${entry.value}"; it knows concurrency and rps.`,
        hint,
      ),
    ];
  }
  return autoscaler === HPA && entry.value === ""
    ? [
        found(
          "bad-value",
          entry.key,
          "The metric is empty.",
          "Write cpu, memory or the name of a custom metric.",
        ),
      ]
    : [];
}

function algorithmFindings(annotations: Annotations): Finding[] {
  if (aliased(annotations, autoscalingKeys("class"))?.value !== KPA) return [];
  const entry = aliased(annotations, autoscalingKeys("metric-aggregation-algorithm"));
  const known = ["", "linear", "weighted-exponential", "weightedExponential"];
  if (entry === undefined || known.includes(entry.value)) return [];
  return [
    found(
      "bad-value",
      entry.key,
      `There is no aggregation algorithm "${entry.value}".`,
      didYouMean(entry.value, known) ?? "Write linear or weighted-exponential.",
    ),
  ];
}

function initialScaleFindings(annotations: Annotations, settings: WebhookSettings): Finding[] {
  const entry = aliased(annotations, autoscalingKeys("initial-scale"));
  if (entry === undefined) return [];
  const { key } = entry;
  // Go's Atoi is 64 bits wide.
  if (!/^[-+]?\d{1,18}$/.test(entry.value))
    return [
      found(
        "bad-number",
        key,
        `initial-scale must be a whole number, not "${entry.value}".`,
        'Write e.g. "1".',
      ),
    ];
  const value = Number(entry.value);
  if (value < 0)
    return [foundAt("out-of-bounds", key, `initial-scale must not be negative: ${entry.value}.`)];
  if (value !== 0 || settings.allowZeroInitialScale) return [];
  return [
    foundAt(
      "out-of-bounds",
      key,
      "initial-scale 0 is not allowed by the platform.",
      'Set `allow-zero-initial-scale: "true"` in the ConfigMap config-autoscaler, or write 1 or more.',
    ),
  ];
}

/** The platform ignores them, which is never what was meant. */
function unknownKeys(annotations: Annotations): Finding[] {
  return Object.keys(annotations)
    .filter((key) => key.startsWith(`${DOMAIN}/`) && !KNOWN_AUTOSCALING_KEYS.has(key))
    .map((key) => ({
      ...found(
        "unknown-annotation",
        key,
        `Knative does not know the annotation ${key} and ignores it.`,
        didYouMean(key, KNOWN_AUTOSCALING_KEYS) ?? "Remove it.",
      ),
      severity: "warning",
      atKey: true,
    }));
}
