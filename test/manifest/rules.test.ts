/** Each rule once: what is refused, by which code, and where in the file. Paths are Knative's own. */
import { describe, expect, it } from "vitest";
import { errorsOf, KNATIVE, service } from "./manifests.ts";

const C = "spec.template.spec.containers[0]";
const S = "spec.template.spec";
const A = "spec.template.metadata.annotations";

type Row = [what: string, text: string, errors: string[]];

function check(rows: readonly Row[], options = KNATIVE): void {
  it.each(rows)("%s", (_, text, errors) => {
    expect(errorsOf(text, options)).toEqual(errors);
  });
}

describe("types", () => {
  check([
    ["a number for a string", service({ container: "workingDir: 1" }), [`wrong-type ${C}.workingDir 10:21`]],
    ["a string for a list", service({ container: "args: --x" }), [`wrong-type ${C}.args 10:15`]],
    ["a list for a mapping", service({ container: "resources: [a]" }), [`wrong-type ${C}.resources 10:9`]],
    [
      "a fraction for a whole number",
      service({ spec: "timeoutSeconds: 1.5" }),
      [`wrong-type ${S}.timeoutSeconds 10:23`],
    ],
    ["a whole float", service({ spec: "timeoutSeconds: 10.0" }), []],
    [
      "beyond 32 bits",
      service({ container: "ports: [{containerPort: 3000000000}]" }),
      [`wrong-type ${C}.ports[0].containerPort 10:33`],
    ],
    [
      "several at once",
      service({ container: "command: x\nargs: y" }),
      [`wrong-type ${C}.command 10:18`, `wrong-type ${C}.args 11:15`],
    ],
    [
      "an annotation's number",
      service({ template: "annotations:\n  autoscaling.knative.dev/min-scale: 1" }),
      [`wrong-type ${A}.autoscaling.knative.dev/min-scale 9:44`],
    ],
    [
      "a time",
      service({ meta: "creationTimestamp: yesterday" }),
      ["wrong-type metadata.creationTimestamp 5:22"],
    ],
    [
      "a quantity",
      service({ container: "resources: {limits: {cpu: lots}}" }),
      [`bad-quantity ${C}.resources.limits.cpu 10:35`],
    ],
    ["null counts as absent", service({ container: "args: null\nports: ~\nresources:" }), []],
  ]);
});

describe("unknown fields", () => {
  check([
    ["at the top", `${service()}extra: 1\n`, ["unknown-field extra 10:1"]],
    ["in metadata", service({ meta: "colour: red" }), ["unknown-field metadata.colour 5:3"]],
    ["in a list's entry", service({ container: "env:\n- nam: A" }), [`unknown-field ${C}.env[0].nam 11:11`]],
    [
      "a mapping where a list is wanted",
      service({ container: "ports:\n  containerPort: 80" }),
      [`unknown-field ${C}.ports.containerPort 11:11`],
    ],
    [
      "a mapping where a value is wanted",
      service({ container: "workingDir: {a: 1}" }),
      [`unknown-field ${C}.workingDir.a 10:22`],
    ],
    [
      "known to Kubernetes only",
      service({ container: "lifecycle: {}" }),
      [`unknown-field ${C}.lifecycle 10:9`],
    ],
    ["in the status", `${service()}status:\n  foo: 1\n`, ["unknown-field status.foo 11:3"]],
    ["before wrong types", service({ container: "foo: 1\nworkingDir: 1" }), [`unknown-field ${C}.foo 10:9`]],
  ]);
});

describe("the template's metadata", () => {
  check([
    ["an unknown name is dropped", service({ template: "foo: 1" }), []],
    [
      "a mapping for a label",
      service({ template: "labels: {a: {b: c}}" }),
      ["unknown-field spec.template.metadata.labels.a.b 8:20"],
    ],
    [
      "a list for a label",
      service({ template: "labels: {a: [b]}" }),
      ["wrong-type spec.template.metadata.labels.a 8:16"],
    ],
    [
      "any case of a name",
      service({ template: "Labels: {a: b}\nNAME: x" }),
      ["bad-name spec.template.metadata.name 7:5"],
    ],
  ]);
});

describe("metadata", () => {
  const named = (name: string) => service().replace("hello", name);
  check([
    ["no name", named('""'), ["missing-name metadata.name 4:9"]],
    ["capitals", named("Hello"), ["bad-name metadata.name 4:9"]],
    ["a dot", named("my.app"), ["bad-name metadata.name 4:9"]],
    ["a digit first", named("1a"), ["bad-name metadata.name 4:9"]],
    ["a namespace with a dot", service({ meta: "namespace: a.b" }), ["bad-name metadata.namespace 5:14"]],
    ["a bad label key", service({ meta: "labels:\n  a b: x" }), ["bad-key metadata.labels 6:5"]],
    ["a bad label value", service({ meta: "labels:\n  a: x y" }), ["bad-label-value metadata.labels 6:8"]],
    [
      "a bad annotation key",
      service({ meta: "annotations:\n  a/b/c: x" }),
      ["bad-key metadata.annotations 6:5"],
    ],
    ["a bad finalizer", service({ meta: "finalizers: [x]" }), ["bad-key metadata.finalizers 5:3"]],
    ["generateName", service().replace("name: hello", "generateName: hello-"), []],
    [
      "a bad generateName",
      service().replace("name: hello", "generateName: my.app-"),
      ["bad-name metadata.generateName 4:17"],
    ],
  ]);
});

describe("containers", () => {
  const second = "- image: registry.local/side\n";
  check([
    ["no image", service().replace("image: registry.local/app", "name: a"), [`missing-field ${C}.image 9:9`]],
    [
      "an empty list",
      service().replace("containers:\n      - image: registry.local/app", "containers: []"),
      [`missing-field ${S}.containers 8:7`],
    ],
    [
      "no list",
      service().replace("containers:\n      - image: registry.local/app", "timeoutSeconds: 1"),
      [`missing-field ${S}.containers 7:5`],
    ],
    [
      "a bad image",
      service({ container: "name: a" }).replace("registry.local/app", "Bad"),
      [`bad-image ${C}.image 9:16`],
    ],
    ["the platform's name", service({ container: "name: queue-proxy" }), [`reserved-name ${C}.name 10:15`]],
    ["two without a port", service({ spec: second }), ["missing-field  8:7"]],
    [
      "two with a port",
      service({ container: "ports: [{containerPort: 1}]", spec: `${second}  ports: [{containerPort: 2}]` }),
      ["several-ports  12:9"],
    ],
    [
      "two of one name",
      service({ container: "name: a\nports: [{containerPort: 1}]", spec: `${second}  name: a` }),
      [`duplicate-name ${S}.containers[1].name 13:15`],
    ],
    [
      "a sidecar's probe",
      service({
        container: "ports: [{containerPort: 1}]",
        spec: `${second}  livenessProbe: {tcpSocket: {port: 1}}`,
      }),
      [`needs-flag ${S}.containers[1].livenessProbe 12:9`],
    ],
    [
      "PORT in a sidecar",
      service({
        container: "ports: [{containerPort: 1}]",
        spec: `${second}  env: [{name: PORT, value: "1"}]`,
      }),
      [],
    ],
    [
      "a termination policy",
      service({ container: "terminationMessagePolicy: file" }),
      [`bad-value ${C}.terminationMessagePolicy 10:35`],
    ],
  ]);
});

describe("ports", () => {
  const port = (rest: string) => service({ container: `ports:\n- ${rest}` });
  check([
    ["too large", port("containerPort: 65536"), [`out-of-bounds ${C}.ports.containerPort 11:26`]],
    ["negative", port("containerPort: -1"), [`out-of-bounds ${C}.ports.containerPort 11:26`]],
    ["0 is the default", port("containerPort: 0"), []],
    ...[8008, 8012, 8013, 8022, 9090, 9091].map((number): Row => [
      `reserved ${number}`,
      port(`containerPort: ${number}`),
      [`reserved-port ${C}.ports.containerPort 11:26`],
    ]),
    ["h2c", port("name: h2c"), []],
    ["another name", port("name: grpc"), [`bad-value ${C}.ports 11:17`]],
    ["UDP", port("protocol: UDP"), [`bad-value ${C}.ports.protocol 11:21`]],
  ]);
});
