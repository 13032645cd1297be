/** The rest of the rules, as in rules.test.ts: what is refused, by which code, and where in the file. Paths are Knative's own. */
import { describe, expect, it } from "vitest";
import { errorsOf, KNATIVE, service } from "./manifests.ts";

const C = "spec.template.spec.containers[0]";
const S = "spec.template.spec";

type Row = [what: string, text: string, errors: string[]];

function check(rows: readonly Row[], options = KNATIVE): void {
  it.each(rows)("%s", (_, text, errors) => {
    expect(errorsOf(text, options)).toEqual(errors);
  });
}

describe("environment", () => {
  const env = (rest: string) => service({ container: `env:\n- ${rest}` });
  check([
    ["reserved", env('{name: PORT, value: "1"}'), [`reserved-variable ${C}.env[0].name 11:18`]],
    ["no name", env("value: x"), [`missing-field ${C}.env[0].name 11:11`]],
    ["a number", env("{name: A, value: 1}"), [`wrong-type ${C}.env[0].value 11:28`]],
    [
      "given twice",
      service({ container: "env:\n- name: A\n- name: A" }),
      [`duplicate-entry ${C}.env[1] 12:11`],
    ],
    [
      "a field of the pod",
      env("{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}"),
      [`needs-flag ${C}.env[0].valueFrom.fieldRef 11:33`],
    ],
    [
      "envFrom with both",
      service({ container: "envFrom:\n- {configMapRef: {name: a}, secretRef: {name: b}}" }),
      [`one-of ${C}.envFrom.configMapRef 11:11`, `one-of ${C}.envFrom.secretRef 11:11`],
    ],
    [
      "envFrom with none",
      service({ container: "envFrom:\n- prefix: a" }),
      [`one-of ${C}.envFrom.configMapRef 11:11`, `one-of ${C}.envFrom.secretRef 11:11`],
    ],
    [
      "envFrom: a later reference moves the path, not the place",
      service({ container: "envFrom:\n- {}\n- secretRef: {name: a}" }),
      [
        `one-of ${C}.envFrom.secretRef[1].configMapRef 11:11`,
        `one-of ${C}.envFrom.secretRef[1].secretRef 11:11`,
      ],
    ],
  ]);
});

describe("probes", () => {
  const ready = (rest: string) => service({ container: `readinessProbe:\n  ${rest}` });
  const P = `${C}.readinessProbe`;
  check([
    [
      "none of the handlers",
      service({ container: "livenessProbe: {}" }),
      ["exec", "grpc", "httpGet", "tcpSocket"].map((name) => `one-of ${C}.livenessProbe.${name} 10:9`),
    ],
    ["readiness has a default", ready("initialDelaySeconds: 1"), []],
    [
      "two handlers",
      ready("tcpSocket: {}\n  exec: {command: [a]}"),
      [`one-of ${P}.tcpSocket 11:11`, `one-of ${P}.exec 12:11`],
    ],
    ["an unknown port name", ready("httpGet: {port: web}"), [`bad-port ${P}.httpGet.port 11:27`]],
    ["timeout without period", ready("timeoutSeconds: 1"), [`needs-period ${P}.timeoutSeconds 11:27`]],
    ["timeout with period", ready("timeoutSeconds: 1\n  periodSeconds: 5"), []],
    ["negative", ready("initialDelaySeconds: -1"), [`out-of-bounds ${P}.initialDelaySeconds 11:32`]],
    ["a success threshold", ready("successThreshold: -1"), [`out-of-bounds ${P}.successThreshold 11:29`]],
    [
      "a failure threshold",
      ready("periodSeconds: 1\n  failureThreshold: -1"),
      [`out-of-bounds ${P}.failureThreshold 12:29`],
    ],
  ]);
});

describe("volumes", () => {
  const mounted = (volume: string, mount = "mountPath: /v") =>
    service({ container: `volumeMounts:\n- {name: v, ${mount}}`, spec: `volumes:\n- ${volume}` });
  const V = `${S}.volumes[0]`;
  const M = `${C}.volumeMounts[0]`;
  check([
    ["emptyDir", mounted("{name: v, emptyDir: {}}"), []],
    [
      "no source",
      mounted("{name: v}"),
      ["secret", "configMap", "projected", "emptyDir"].map((name) => `one-of ${V}.${name} 13:9`),
    ],
    [
      "two sources",
      mounted("{name: v, secret: {}, configMap: {}}"),
      [`one-of ${V}.secret 13:19`, `one-of ${V}.configMap 13:31`],
    ],
    [
      "a bad name",
      mounted("{name: A_, emptyDir: {}}"),
      [`no-volume ${M}.name 11:18`, `not-mounted ${V}.name 13:16`, `bad-name ${V}.name 13:16`],
    ],
    [
      "not mounted",
      service({ spec: "volumes:\n- {name: v, emptyDir: {}}" }),
      [`not-mounted ${V}.name 11:16`],
    ],
    [
      "given twice",
      service({ spec: "volumes:\n- {name: v, emptyDir: {}}\n- {name: v, emptyDir: {}}" }),
      [`duplicate-entry ${S}.volumes[1] 12:9`],
    ],
    ["a medium", mounted("{name: v, emptyDir: {medium: Disk}}"), [`bad-value ${V}.emptyDir.medium 13:38`]],
    [
      "a size",
      mounted("{name: v, emptyDir: {sizeLimit: -1Mi}}"),
      [`out-of-bounds ${V}.emptyDir.sizeLimit 13:41`],
    ],
    [
      "a claim",
      mounted("{name: v, persistentVolumeClaim: {claimName: c}}"),
      [`needs-flag ${V}.persistentVolumeClaim 13:19`],
    ],
    [
      "an item without a path",
      mounted("{name: v, configMap: {name: c, items: [{key: k}]}}"),
      [`missing-field ${V}.items[0].path 13:48`],
    ],
    [
      "a projection without a source",
      mounted("{name: v, projected: {sources: [{}]}}"),
      ["configMap", "downwardAPI", "secret", "serviceAccountToken"].map(
        (name) => `one-of ${V}.projected[0].${name} 13:41`,
      ),
    ],
    [
      "a reserved path",
      mounted("{name: v, emptyDir: {}}", "mountPath: /dev/"),
      [`reserved-path ${M}.mountPath 11:32`],
    ],
    [
      "a relative path",
      mounted("{name: v, emptyDir: {}}", "mountPath: v"),
      [`bad-path ${M}.mountPath 11:32`],
    ],
    ["no path", mounted("{name: v, emptyDir: {}}", "subPath: v"), [`missing-field ${M}.mountPath 11:11`]],
    [
      "mount propagation",
      mounted("{name: v, emptyDir: {}}", "mountPath: /v, mountPropagation: None"),
      [`needs-flag ${M}.mountPropagation 11:54`],
    ],
  ]);
});

describe("rights", () => {
  const context = (rest: string) => service({ container: `securityContext: {${rest}}` });
  const X = `${C}.securityContext`;
  check([
    ["a user out of bounds", context("runAsUser: 2147483648"), [`out-of-bounds ${X}.runAsUser 10:38`]],
    ["privileged", context("privileged: true"), [`not-allowed ${X}.privileged 10:39`]],
    ["not privileged", context("privileged: false"), []],
    [
      "adding capabilities",
      context("capabilities: {add: [NET_ADMIN]}"),
      [`needs-flag ${X}.capabilities.add 10:42`],
    ],
    [
      "the pod's",
      service({ spec: "securityContext: {runAsUser: -1}" }),
      [
        `needs-flag ${S}.securityContext 10:7`,
        `needs-flag ${S}.securityContext.runAsUser 10:36`,
        `out-of-bounds ${S}.securityContext.runAsUser 10:36`,
      ],
    ],
    [
      "a service account",
      service({ spec: "serviceAccountName: A_b" }),
      [`bad-name ${S}.serviceAccountName 10:27`],
    ],
    [
      "the token",
      service({ spec: "automountServiceAccountToken: true" }),
      [`not-allowed ${S}.automountServiceAccountToken 10:37`],
    ],
  ]);
});

describe("the revision", () => {
  check([
    [
      "a mapping for a node label",
      service({ spec: "nodeSelector: {a: {b: c}}" }),
      [`unknown-field ${S}.nodeSelector.a.b 10:26`],
    ],
    [
      "concurrency",
      service({ spec: "containerConcurrency: 1001" }),
      [`out-of-bounds ${S}.containerConcurrency 10:29`],
    ],
    ["timeout", service({ spec: "timeoutSeconds: 601" }), [`out-of-bounds ${S}.timeoutSeconds 10:23`]],
    ["its name", service({ template: "name: v1" }), ["bad-name spec.template.metadata.name 8:13"]],
    [
      "its name's form",
      service({ template: "name: hello-V1" }),
      ["bad-name spec.template.metadata.name 8:13"],
    ],
    [
      "a pull secret given twice",
      service({ spec: "imagePullSecrets: [{name: a}, {name: a}]" }),
      [`duplicate-entry ${S}.imagePullSecrets[1] 10:37`],
    ],
  ]);
});

describe("traffic", () => {
  const traffic = (...targets: string[]) =>
    service({ after: `traffic:\n${targets.map((target) => `- ${target}`).join("\n")}` });
  const T = "spec.traffic[0]";
  check([
    ["99", traffic("percent: 99"), ["traffic-sum spec.traffic 10:3"]],
    ["101", traffic("{percent: 50}", "{percent: 51}"), ["traffic-sum spec.traffic 10:3"]],
    [
      "beyond bounds",
      traffic("{percent: -1}", "{percent: 101}"),
      [`out-of-bounds ${T}.percent 11:15`, "out-of-bounds spec.traffic[1].percent 12:15"],
    ],
    [
      "latest and a name",
      traffic("{percent: 100, latestRevision: true, revisionName: a}"),
      [`latest-revision ${T}.latestRevision 11:36`],
    ],
    [
      "neither latest nor a name",
      traffic("{percent: 100, latestRevision: false}"),
      [`latest-revision ${T}.latestRevision 11:36`],
    ],
    [
      "a Configuration",
      traffic("{percent: 100, configurationName: c}"),
      [`not-allowed ${T}.configurationName 11:39`],
    ],
    ["a URL", traffic("{percent: 100, url: http://a}"), [`not-allowed ${T}.url 11:25`]],
    ["a bad tag", traffic("{percent: 100, tag: A}"), ["bad-name spec.traffic.tag[0] 11:25"]],
    [
      "a tag given twice",
      traffic("{percent: 50, tag: a}", "{percent: 50, tag: a}"),
      [`duplicate-name ${T}.tag 11:24`, "duplicate-name spec.traffic[1].tag 12:24"],
    ],
    [
      "a bad revision name",
      traffic("{percent: 100, revisionName: a b}"),
      [`bad-name ${T}.revisionName 11:34`],
    ],
  ]);
});

describe("with feature flags", () => {
  const on = (...flags: string[]) => ({
    ...KNATIVE,
    features: Object.fromEntries(flags.map((flag) => [flag, "enabled"])),
  });
  const init = (rest: string) =>
    service({
      container: "ports: [{containerPort: 1}]",
      spec: `initContainers:\n- image: registry.local/init\n  ${rest}`,
    });

  describe("init containers, which Knative calls containers", () => {
    check(
      [
        ["may have PORT", init("env: [{name: PORT, value: x}]"), []],
        [
          "not K_SERVICE",
          init("env: [{name: K_SERVICE, value: x}]"),
          [`reserved-variable ${C}.env[0].name 13:22`],
        ],
        ["have no probes", init("readinessProbe: {tcpSocket: {}}"), [`not-allowed ${C}.readinessProbe 13:9`]],
        ["have no hooks", init("lifecycle: {}"), [`not-allowed ${C}.lifecycle 13:9`]],
        [
          "a reserved port",
          init("ports: [{containerPort: 1}, {containerPort: 8012}]"),
          [`reserved-port ${C}.ports.containerPort 13:53`],
        ],
        [
          "a mount for writing",
          `${init("volumeMounts: [{name: v, mountPath: /v}]")}      volumes: [{name: v, secret: {secretName: s}}]\n`,
          [`read-only ${C}.volumeMounts[0].readOnly 13:24`],
        ],
        ["the default name of the other, which gives way", init("name: user-container"), []],
      ],
      on("kubernetes.podspec-init-containers"),
    );
  });

  describe("others", () => {
    const side = (rest: string) =>
      service({ container: "ports: [{containerPort: 1}]", spec: `- image: registry.local/side\n  ${rest}` });
    check(
      [
        ["a sidecar's probe", side("readinessProbe: {httpGet: {port: 80}}"), []],
        [
          "a sidecar's probe without a port",
          side("readinessProbe: {httpGet: {path: /}}"),
          [`missing-port ${S}.containers[1].readinessProbe.httpGet.port 12:26`],
        ],
        [
          "the pod's groups",
          service({ spec: "securityContext: {fsGroup: -1, supplementalGroups: [1, -1]}" }),
          [
            `out-of-bounds ${S}.securityContext.fsGroup 10:34`,
            `out-of-bounds ${S}.securityContext.supplementalGroups[1] 10:62`,
          ],
        ],
        [
          "what Knative does not take of them",
          service({ spec: "securityContext: {sysctls: [{name: a}]}" }),
          [`needs-flag ${S}.securityContext.sysctls 10:25`],
        ],
        [
          "a list that is none",
          service({ spec: "tolerations: {key: a}" }),
          [`unknown-field ${S}.tolerations.key 10:21`],
        ],
        [
          "a type inside",
          service({ spec: "tolerations: [{key: 1}]" }),
          [`wrong-type ${S}.tolerations[0].key 10:27`],
        ],
        [
          "a later name moves earlier paths, not their places",
          service({
            container: "name: a\nenv: [{name: PORT, value: x}]\nports: [{containerPort: 1}]",
            spec: "- image: registry.local/side\n  name: a",
          }),
          [
            `reserved-variable ${S}.containers[1].containers[0].env[0].name 11:22`,
            `duplicate-name ${S}.containers[1].name 14:15`,
          ],
        ],
      ],
      on("multi-container-probing", "kubernetes.podspec-securitycontext", "kubernetes.podspec-tolerations"),
    );
  });
});
