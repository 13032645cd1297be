/** Annotations: autoscaling and others. */
import { describe, expect, it } from "vitest";
import { judge } from "../../src/manifest/judge.ts";
import { errorsOf, judgeText, onlyDocument, problemOf, service } from "./manifests.ts";

const A = "spec.template.metadata.annotations";

function autoscaling(...entries: string[]): string {
  return service({
    template: `annotations:\n${entries.map((entry) => `  autoscaling.knative.dev/${entry}`).join("\n")}`,
  });
}

describe("autoscaling annotations", () => {
  it.each([
    'min-scale: "0"',
    'min-scale: "+1"',
    'target: "0.01"',
    "target: inf",
    'target-burst-capacity: "-1"',
    "window: 6s",
    "window: 1h",
    "scale-down-delay: 1h",
    "scale-to-zero-pod-retention-period: 1500ms",
    'panic-threshold-percentage: "110"',
    "metric: rps",
    "class: my.autoscaler.example.com\n  autoscaling.knative.dev/metric: anything",
    "class: hpa.autoscaling.knative.dev\n  autoscaling.knative.dev/metric: cpu",
    'initial-scale: "1"',
    'activation-scale: "2"',
  ])("takes %s", (entry) => {
    expect(errorsOf(autoscaling(entry))).toEqual([]);
  });

  it.each([
    ['min-scale: "-1"', "out-of-bounds"],
    ['minScale: "x"', "bad-number"],
    ['max-scale: "2147483648"', "out-of-bounds"],
    ['target: "0"', "out-of-bounds"],
    ['target: "1e999"', "bad-number"],
    ['target: "70%"', "bad-number"],
    ['target-utilization-percentage: "101"', "out-of-bounds"],
    ['target-burst-capacity: "-0.5"', "out-of-bounds"],
    ['panic-window-percentage: "0.5"', "out-of-bounds"],
    ['panicThresholdPercentage: "109"', "out-of-bounds"],
    ["window: 5s", "out-of-bounds"],
    ["window: 6500ms", "bad-duration"],
    ['window: "60"', "bad-duration"],
    ["scale-down-delay: 61m", "out-of-bounds"],
    ["scale-to-zero-pod-retention-period: 2h", "out-of-bounds"],
    ["metric: cpu", "bad-value"],
    ["class: foo.autoscaling.knative.dev", "bad-value"],
    ['activation-scale: "1"', "out-of-bounds"],
    ['initial-scale: "1.0"', "bad-number"],
  ])("refuses %s: %s", (entry, code) => {
    const key = entry.slice(0, entry.indexOf(":"));
    expect(errorsOf(autoscaling(entry))).toEqual([
      `${code} ${A}.autoscaling.knative.dev/${key} 9:${entry.indexOf(" ") + 34}`,
    ]);
  });

  it("compares scales with each other, whichever spelling is used", () => {
    expect(errorsOf(autoscaling('minScale: "5"', 'max-scale: "2"'))).toEqual([
      `scale-bounds ${A}.autoscaling.knative.dev/max-scale 10:44`,
      `scale-bounds ${A}.autoscaling.knative.dev/min-scale 10:44`,
    ]);
    expect(errorsOf(autoscaling('activation-scale: "9"', 'max-scale: "2"'))).toHaveLength(1);
  });

  it("names no field for initial-scale, as Knative, but has its place", () => {
    expect(errorsOf(autoscaling('initial-scale: "0"'))).toEqual(["out-of-bounds  9:48"]);
    const config =
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config-autoscaler, namespace: knative-serving}\ndata:\n  allow-zero-initial-scale: "true"\n';
    expect(errorsOf(`${config}---\n${autoscaling('initial-scale: "0"')}`)).toEqual([]);
  });

  it("has no place on the Service", () => {
    expect(errorsOf(service({ meta: 'annotations:\n  autoscaling.knative.dev/min-scale: "1"' }))).toEqual([
      "misplaced-annotation metadata.annotations 6:5",
    ]);
  });

  it("warns of keys that nobody knows", () => {
    const problem = problemOf(autoscaling('min-scales: "1"'), "unknown-annotation");
    expect(problem).toMatchObject({
      severity: "warning",
      line: 9,
      hint: 'Did you mean "autoscaling.knative.dev/min-scale"?',
    });
  });
});

describe("other annotations", () => {
  const template = (entry: string) => service({ template: `annotations:\n  ${entry}` });
  it.each([
    ["serving.knative.dev/progress-deadline: 10m", []],
    [
      "serving.knative.dev/progress-deadline: 1500ms",
      [`bad-duration ${A}.serving.knative.dev/progress-deadline 9:48`],
    ],
    [
      "serving.knative.dev/progress-deadline: -1s",
      [`out-of-bounds ${A}.serving.knative.dev/progress-deadline 9:48`],
    ],
    ["networking.knative.dev/http-protocol: Enabled", []],
    ["networking.knative.dev/foo: bar", [`unknown-annotation ${A} 9:9`]],
    ["queue.sidecar.serving.knative.dev/cpu-resource-request: 25m", []],
    [
      "queue.sidecar.serving.knative.dev/cpu-resource-request: lots",
      [`bad-quantity ${A}.[queue.sidecar.serving.knative.dev/cpu-resource-request] 9:65`],
    ],
    [
      'queue.sidecar.serving.knative.dev/resource-percentage: "101"',
      [`out-of-bounds ${A}.[queue.sidecar.serving.knative.dev/resource-percentage] 9:64`],
    ],
  ])("%s", (entry, errors) => {
    expect(errorsOf(template(entry))).toEqual(errors);
  });

  it("checks rollout-duration on the Service", () => {
    expect(
      errorsOf(service({ meta: "annotations:\n  serving.knative.dev/rollout-duration: 3800ms" })),
    ).toEqual(["bad-duration metadata.annotations.serving.knative.dev/rollout-duration 6:43"]);
  });

  it("makes one notice of Google's annotations", () => {
    const text = service({
      meta: "annotations:\n  run.googleapis.com/ingress: all\n  run.googleapis.com/client-name: gcloud",
      template: 'annotations:\n  run.googleapis.com/cpu-throttling: "false"',
    });
    const { problems, valid } = judge([{ file: "f", text }], { profile: "gke" });
    expect(valid).toBe(true);
    expect(problems.filter(({ code }) => code === "not-emulated").map(({ message }) => message)).toEqual([
      "Accepted, but the emulator does not act on them: run.googleapis.com/ingress, run.googleapis.com/cpu-throttling.",
    ]);
    expect(onlyDocument(text).valid).toBe(true);
    expect(judgeText(service()).problems.filter(({ severity }) => severity !== "notice")).toEqual([]);
  });
});
