import { expect, test } from "vitest";
import { judge } from "../../src/manifest/judge.ts";

const service = (own: string, template: string): string => `apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: hello, annotations: {${own}}}
spec:
  template:
    metadata: {annotations: {${template}}}
    spec: {containers: [{image: hello}]}
`;

test.each([
  [
    `serving.knative.dev/rollout-duration: 60s`,
    "",
    ["metadata.annotations[serving.knative.dev/rollout-duration]"],
  ],
  [
    "",
    "autoscaling.knative.dev/class: hpa.autoscaling.knative.dev",
    ["spec.template.metadata.annotations[autoscaling.knative.dev/class]"],
  ],
  ["", "autoscaling.knative.dev/class: kpa.autoscaling.knative.dev", []],
])("annotations that nothing acts on are said: %s%s", (own, template, paths) => {
  const { problems, valid } = judge([{ file: "service.yaml", text: service(own, template) }], {
    profile: "knative",
  });
  expect(valid).toBe(true);
  expect(problems.filter(({ code }) => code === "not-emulated").map(({ path }) => path)).toEqual(paths);
});
