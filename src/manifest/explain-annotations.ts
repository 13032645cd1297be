/**
 * The annotations that the platform or the emulator reads, for people. The autoscaling ones come from the table that the
 * rules use; a test keeps the others in step with rules/annotations.ts.
 */
import { AUTOSCALING, autoscalingKeys, type AutoscalingAnnotation } from "./rules/autoscaling-keys.ts";

export interface KnownAnnotation {
  /** The spelling to write first, then those that mean the same. */
  readonly keys: readonly [string, ...string[]];
  readonly doc: string;
  readonly default?: string;
  /** In words. */
  readonly bounds?: string;
  /** Read on revisions, so written on the template. */
  readonly onRevision: boolean;
  /** Read on the Service or Route itself. */
  readonly onService: boolean;
  /** Absent: emulated. Otherwise what is missing, as the end of a sentence. */
  readonly note?: string;
}

const REVISION = { onRevision: true, onService: false } as const;
const SERVICE = { onRevision: false, onService: true } as const;
const QUEUE = "queue.sidecar.serving.knative.dev";
const NO_QUEUE_PROXY = "there is no queue-proxy container here";
const NO_CERTIFICATES = "the emulator makes no certificates";

const OTHERS: readonly KnownAnnotation[] = [
  {
    ...REVISION,
    keys: ["serving.knative.dev/progress-deadline", "serving.knative.dev/progressDeadline"],
    doc: "How long a new revision may take to become ready.",
    default: "600s",
    bounds: "a Go duration in whole seconds, not negative, e.g. 5m",
  },
  {
    ...SERVICE,
    keys: ["serving.knative.dev/rollout-duration", "serving.knative.dev/rolloutDuration"],
    doc: "Time over which traffic moves to a new revision.",
    default: "0s: at once",
    bounds: "a Go duration in whole seconds, not negative, e.g. 5m",
    note: "traffic moves at once here",
  },
  {
    ...REVISION,
    keys: ["features.knative.dev/http-full-duplex"],
    doc: "Enabled: the app may answer over HTTP/1 before it has read the whole request.",
    note: "the emulator passes both directions on at all times",
  },
  ...["cpu", "memory", "ephemeral-storage"].flatMap((resource) =>
    ["request", "limit"].map((end): KnownAnnotation => ({
      ...REVISION,
      keys: [`${QUEUE}/${resource}-resource-${end}`],
      doc: `The queue-proxy's ${end} of ${resource}.`,
      bounds: "a quantity, e.g. 25m or 64Mi",
      note: NO_QUEUE_PROXY,
    })),
  ),
  {
    ...REVISION,
    keys: [`${QUEUE}/resource-percentage`, `${QUEUE}/resourcePercentage`],
    doc: "The queue-proxy's share of the container's resources. Deprecated.",
    bounds: "0.1 to 100",
    note: NO_QUEUE_PROXY,
  },
  ...networking(
    "ingress-class",
    ["ingress.class"],
    "Which ingress serves it.",
    "the emulator is the ingress",
  ),
  ...networking("certificate-class", ["certificate.class"], "Who makes its certificates.", NO_CERTIFICATES),
  ...networking(
    "disable-external-domain-tls",
    ["disableExternalDomainTLS", "disable-auto-tls", "disableAutoTLS"],
    "Whether it goes without certificates.",
    NO_CERTIFICATES,
  ),
  ...networking(
    "http-protocol",
    [],
    "What happens to plain HTTP: enabled or redirected.",
    "plain HTTP is always served",
  ),
  ...networking(
    "http-option",
    ["httpOption"],
    "What happens to plain HTTP: Enabled or Redirected.",
    "plain HTTP is always served",
  ),
  emulator("build", "Directory whose Dockerfile the image is built from, relative to the manifest."),
  emulator("dockerfile", "Name of the Dockerfile in that directory.", "Dockerfile"),
  emulator("target", "Stage of the Dockerfile to build.", "the last one"),
  emulator("build-args", "Arguments of the build."),
];

function networking(name: string, others: readonly string[], doc: string, note: string): KnownAnnotation[] {
  const keys = [name, ...others].map((key) => `networking.knative.dev/${key}`);
  const [first = "", ...rest] = keys;
  return [{ keys: [first, ...rest], doc, note, onRevision: true, onService: true }];
}

function emulator(name: string, doc: string, preset?: string): KnownAnnotation {
  return {
    ...REVISION,
    keys: [`kserve-local.dev/${name}`],
    doc: `${doc} The platform ignores it.`,
    ...(preset === undefined ? {} : { default: preset }),
  };
}

function autoscaling(annotation: AutoscalingAnnotation): KnownAnnotation {
  const [first = "", ...rest] = autoscalingKeys(annotation.name);
  const bounds = boundsInWords(annotation);
  return {
    ...REVISION,
    keys: [first, ...rest],
    doc: annotation.doc,
    default: annotation.default,
    ...(bounds === undefined ? {} : { bounds }),
    ...(annotation.name === "class"
      ? { note: "with another class than kpa.autoscaling.knative.dev the emulator keeps the scale fixed" }
      : {}),
  };
}

function boundsInWords({ bounds, seconds }: AutoscalingAnnotation): string | undefined {
  if (bounds !== undefined) {
    const upper = bounds.max === Infinity ? `${bounds.min} or more` : `${bounds.min} to ${bounds.max}`;
    return bounds.also === undefined ? upper : `${upper}, or ${bounds.also}`;
  }
  if (seconds === undefined) return undefined;
  return `${seconds.min}s to ${seconds.max}s${seconds.whole ? ", whole seconds" : ""}`;
}

export const ANNOTATIONS: readonly KnownAnnotation[] = [...AUTOSCALING.map(autoscaling), ...OTHERS];

export function knownAnnotation(key: string): KnownAnnotation | undefined {
  return ANNOTATIONS.find(({ keys }) => keys.includes(key));
}

/** A hover text for each key to write. */
export function annotationTexts(): ReadonlyArray<{
  readonly key: string;
  readonly text: string;
  readonly onRevision: boolean;
  readonly onService: boolean;
}> {
  return ANNOTATIONS.map(({ keys, doc, default: preset, bounds, note, onRevision, onService }) => {
    const parts = [doc];
    if (preset !== undefined) parts.push(`Default: ${preset}.`);
    if (bounds !== undefined) parts.push(`Value: ${bounds}.`);
    if (note !== undefined) parts.push(`Accepted, but ${note}.`);
    return { key: keys[0], text: parts.join(" "), onRevision, onService };
  });
}
