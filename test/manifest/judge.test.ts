/** What is accepted: the defaulted object, warnings and notices, settings, profiles, other kinds, updates. */
import { describe, expect, it } from "vitest";
import { judge, judgeUpdate } from "../../src/manifest/judge.ts";
import { oncePerPlace } from "../../src/manifest/problem.ts";
import { brief, errorsOf, judgeText, KNATIVE, onlyDocument, problemOf, service } from "./manifests.ts";

const GKE = { profile: "gke" } as const;

function configMap(name: string, data: Readonly<Record<string, string>>): string {
  const lines = Object.entries(data).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`);
  return [
    "apiVersion: v1",
    "kind: ConfigMap",
    `metadata: {name: ${name}, namespace: knative-serving}`,
    "data:",
    ...lines,
    "---",
    "",
  ].join("\n");
}

function revisionSpec(text: string, options = KNATIVE): unknown {
  const { documents } = judgeText(text, options);
  const object = documents.at(-1)?.object;
  return object?.kind === "Service" ? object.spec.template.spec : undefined;
}

describe("defaults", () => {
  it("fills in a plain Service", () => {
    expect(onlyDocument(service()).object).toEqual({
      apiVersion: "serving.knative.dev/v1",
      kind: "Service",
      metadata: { name: "hello", namespace: "default" },
      spec: {
        template: {
          metadata: {},
          spec: {
            containerConcurrency: 0,
            containers: [
              {
                name: "user-container",
                image: "registry.local/app",
                resources: {},
                readinessProbe: { successThreshold: 1, tcpSocket: { port: 0 } },
              },
            ],
            enableServiceLinks: false,
            timeoutSeconds: 300,
          },
        },
        traffic: [{ latestRevision: true, percent: 100 }],
      },
    });
  });

  it("takes the platform's settings from its ConfigMaps", () => {
    const config = configMap("config-defaults", {
      _example: "text",
      "revision-timeout-seconds": "100",
      "container-concurrency": "7",
      "container-name-template": "c-{{.Name}}",
      "revision-cpu-request": "0.4",
      "revision-memory-limit": "256Mi",
      "revision-response-start-timeout-seconds": "50",
      "enable-service-links": "default",
    });
    const { documents, platform } = judgeText(config + service());
    expect(platform.defaults["container-concurrency"]).toBe("7");
    expect(documents.map(({ valid }) => valid)).toEqual([true, true]);
    expect(revisionSpec(config + service())).toMatchObject({
      timeoutSeconds: 100,
      responseStartTimeoutSeconds: 50,
      containerConcurrency: 7,
      containers: [
        { name: "c-hello", resources: { requests: { cpu: "400m" }, limits: { memory: "256Mi" } } },
      ],
    });
    expect(revisionSpec(config + service())).not.toHaveProperty("enableServiceLinks");
  });

  it("lets options win over documents, and reports settings that Knative refuses", () => {
    const config = configMap("config-defaults", {
      "container-concurrency": "7",
      "revision-timeout-seconds": "soon",
    });
    expect(
      revisionSpec(config + service(), {
        ...KNATIVE,
        defaults: { "container-concurrency": "9" },
      }),
    ).toMatchObject({ containerConcurrency: 9, timeoutSeconds: 300 });
    expect(errorsOf(config + service())).toEqual(["bad-setting data.revision-timeout-seconds 6:29"]);
  });

  it("obeys feature flags, from a ConfigMap or from options", () => {
    const text = service({ spec: "nodeSelector: {a: b}" });
    expect(errorsOf(text)).toHaveLength(1);
    expect(
      errorsOf(configMap("config-features", { "kubernetes.podspec-nodeselector": "Enabled" }) + text),
    ).toEqual([]);
    expect(
      errorsOf(text, { ...KNATIVE, features: { "kubernetes.podspec-nodeselector": "allowed" } }),
    ).toEqual([]);
    expect(
      problemOf(
        configMap("config-features", { "kubernetes.podspec-nodeselektor": "Enabled" }),
        "bad-setting",
      ),
    ).toMatchObject({
      severity: "warning",
      hint: 'Did you mean "kubernetes.podspec-nodeselector"?',
    });
  });

  it("adds what secure-pod-defaults adds", () => {
    const options = { ...KNATIVE, features: { "secure-pod-defaults": "enabled" } };
    expect(revisionSpec(service({ container: "ports: [{containerPort: 80}]" }), options)).toMatchObject({
      containers: [
        {
          securityContext: {
            allowPrivilegeEscalation: false,
            runAsNonRoot: true,
            seccompProfile: { type: "RuntimeDefault" },
            capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
          },
        },
      ],
    });
  });

  it("names containers, and init containers, without clashes", () => {
    const text = service({
      container: "name: user-container-0\nports: [{containerPort: 1}]",
      spec: "- image: registry.local/aa\n- image: registry.local/bb\ninitContainers:\n- image: registry.local/cc",
    });
    expect(
      revisionSpec(text, {
        ...KNATIVE,
        features: { "kubernetes.podspec-init-containers": "enabled" },
      }),
    ).toMatchObject({
      containers: [{ name: "user-container-0" }, { name: "user-container-1" }, { name: "user-container-2" }],
      initContainers: [{ name: "init-container" }],
    });
  });
});

describe("warnings and notices", () => {
  it("says one thing about a plain Service", () => {
    expect(onlyDocument(service()).problems.map(({ severity, code }) => `${severity} ${code}`)).toEqual([
      "notice secure-defaults",
    ]);
  });

  it("says nothing about a Service that is secure", () => {
    const container =
      "securityContext:\n  runAsNonRoot: true\n  allowPrivilegeEscalation: false\n  seccompProfile: {type: RuntimeDefault}\n  capabilities: {drop: [ALL]}";
    const codes = onlyDocument(service({ container })).problems.map(({ code }) => code);
    expect(codes).not.toContain("secure-defaults");
  });

  it("makes one notice of each field that is accepted and not acted on", () => {
    const container = "livenessProbe: {tcpSocket: {port: 1}}\nterminationMessagePath: /why";
    const text = service({
      container: `ports: [{containerPort: 1}]\n${container}`,
      spec: "idleTimeoutSeconds: 5\nserviceAccountName: me",
    });
    const notices = onlyDocument(text).problems.filter(({ code }) => code === "not-emulated");
    expect(notices.map(({ path }) => path)).toEqual([
      "spec.template.spec.containers[0].terminationMessagePath",
      "spec.template.spec.serviceAccountName",
    ]);
  });

  it("says nothing about values that ask for nothing", () => {
    const codes = (spec: string) => onlyDocument(service({ spec })).problems.map(({ code }) => code);
    expect(
      codes(
        "enableServiceLinks: false\nserviceAccountName: default\nidleTimeoutSeconds: 0\ntimeoutSeconds: 600",
      ),
    ).toEqual(["secure-defaults"]);
    const port = (name: string) =>
      onlyDocument(service({ container: `ports: [{name: ${name}}]` })).problems.map(({ path }) => path);
    expect(port("http1")).not.toContain("spec.template.spec.containers[0].ports[0].name");
    expect(port("h2c")).toContain("spec.template.spec.containers[0].ports[0].name");
  });

  it.each([
    ["name: A_b", "name"],
    ["imagePullPolicy: always", "imagePullPolicy"],
    ["resources: {limits: {cpu: -1}}", "resources.limits.cpu"],
    ["resources: {limits: {cpu: 1}, requests: {cpu: 2}}", "resources.requests.cpu"],
    ["resources: {limits: {disk: 1Gi}}", "resources.limits.disk"],
    ["readinessProbe: {httpGet: {scheme: FTP}}", "readinessProbe.httpGet.scheme"],
    ["livenessProbe: {tcpSocket: {}, periodSeconds: -1}", "livenessProbe.periodSeconds"],
    ["env: [{name: A, value: x, valueFrom: {secretKeyRef: {name: s, key: k}}}]", "env[0].valueFrom"],
    ["env: [{name: A, valueFrom: {secretKeyRef: {name: s}}}]", "env[0].valueFrom.secretKeyRef"],
    ["envFrom: [{secretRef: {}}]", "envFrom[0]"],
  ])("warns of what only the pod fails on: %s", (container, path) => {
    const { problems, valid } = onlyDocument(service({ container }));
    expect(valid).toBe(true);
    expect(problems.filter(({ code }) => code === "pod-would-fail").map(({ path }) => path)).toEqual([
      `spec.template.spec.containers[0].${path}`,
    ]);
  });
});

describe("profiles", () => {
  it("gke allows long requests and warns of them", () => {
    const text = service({ spec: "timeoutSeconds: 3600" });
    expect(errorsOf(text)).toHaveLength(1);
    expect(errorsOf(text, GKE)).toEqual([]);
    expect(problemOf(text, "long-timeout", GKE)).toMatchObject({ severity: "warning", line: 10, column: 23 });
    expect(errorsOf(service({ spec: "timeoutSeconds: 86401" }), GKE)).toHaveLength(1);
  });

  it("gke takes an e-mail address for a service account", () => {
    const text = service({ spec: "serviceAccountName: me@project.iam.gserviceaccount.com" });
    expect([errorsOf(text).length, errorsOf(text, GKE).length]).toEqual([1, 0]);
  });
});

describe("other kinds", () => {
  it.each([
    ["serving.kserve.io/v1beta1", "InferenceService", "KServe"],
    ["apps/v1", "Deployment", "plain Kubernetes"],
    ["v1", "Pod", "plain Kubernetes"],
    ["v1", "Service", "Kubernetes' own Service"],
    ["run.googleapis.com/v1", "Job", "Cloud Run job"],
    ["run.googleapis.com/v1", "WorkerPool", "worker pool"],
    ["serving.knative.dev/v1alpha1", "Service", "no longer served"],
    ["serving.knative.dev/v1", "Servise", 'no kind "Servise"'],
    ["example.com/v1", "Thing", "neither"],
  ])("refuses %s %s and says what it is", (apiVersion, kind, words) => {
    const problem = problemOf(
      `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: a}\n`,
      "foreign-kind",
    );
    expect(problem).toMatchObject({ severity: "error", line: 1, column: 13 });
    expect(problem?.message).toContain(words);
    expect(problem?.hint).toBeDefined();
  });

  it("leaves companions of a Service alone", () => {
    const manifest = judgeText(`apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\n${service()}`);
    expect(manifest.valid).toBe(true);
    expect(manifest.documents[0]?.problems.map(({ severity, code }) => `${severity} ${code}`)).toEqual([
      "notice foreign-kind",
    ]);
  });

  it.each([
    ["apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: aGk=}\n", []],
    ["apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: 'hi!'}\n", ["bad-base64 data.a 4:11"]],
    [
      "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ntype: kubernetes.io/tls\n",
      ["missing-field data[tls.crt] 1:1", "missing-field data[tls.key] 1:1"],
    ],
    ["apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: 1}\n", ["wrong-type data.a 4:11"]],
    ["apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a b: x}\n", ["bad-key data.a b 4:8"]],
    [
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: x}\nbinaryData: {a: aGk=}\n",
      ["duplicate-entry data.a 4:11"],
    ],
    ["apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\nspec: {}\n", ["unknown-field spec 4:1"]],
    [
      "apiVersion: serving.knative.dev/v1\nkind: Route\nmetadata: {name: r}\nspec: {traffic: [{percent: 100}]}\n",
      ["one-of spec.traffic[0].configurationName 4:18", "one-of spec.traffic[0].revisionName 4:18"],
    ],
    [
      "apiVersion: serving.knative.dev/v1\nkind: Configuration\nmetadata: {name: c}\nspec: {traffic: []}\n",
      ["unknown-field spec.traffic 4:8"],
    ],
    [
      "apiVersion: serving.knative.dev/v1\nkind: Revision\nmetadata: {name: r}\nspec: {containers: [{image: App}]}\n",
      ["bad-image spec.containers[0].image 4:29"],
    ],
    [
      "apiVersion: serving.knative.dev/v1beta1\nkind: DomainMapping\nmetadata: {name: example}\nspec: {ref: {name: a, kind: Service, apiVersion: serving.knative.dev/v1}}\n",
      ["bad-name metadata.name 3:18"],
    ],
  ])("%s", (text, errors) => {
    expect(errorsOf(text)).toEqual(errors);
  });
});

describe("updates", () => {
  function update(before: string, after: string): string[] {
    const [stored, next] = [onlyDocument(before), onlyDocument(after)];
    return judgeUpdate(stored, next, KNATIVE).map(brief);
  }

  it("wants a new name for a changed revision that brings its own", () => {
    const named = (args: string) => service({ template: "name: hello-v1", container: `args: [${args}]` });
    expect(update(named("a"), named("a"))).toEqual([]);
    expect(update(named("a"), named("b"))).toEqual(["same-revision-name spec.template.metadata.name 8:13"]);
    expect(update(service(), service({ container: "args: [a]" }))).toEqual([]);
  });

  it("keeps the creator, and Revisions as they are", () => {
    const created = service({ meta: "annotations: {serving.knative.dev/creator: me}" });
    expect(update(service(), created)).toEqual([
      "immutable metadata.annotations.serving.knative.dev/creator 5:46",
    ]);
    expect(update(created, created)).toEqual([]);
    const revision = (image: string) =>
      `apiVersion: serving.knative.dev/v1\nkind: Revision\nmetadata: {name: r}\nspec: {containers: [{image: ${image}}]}\n`;
    expect(update(revision("app"), revision("other"))).toEqual(["immutable spec 4:1"]);
  });
});

it("keeps problems in the order of the file, and merges those that say the same for people", () => {
  const text = service({ spec: "volumes:\n- {name: v}\ntimeoutSeconds: -1" });
  const { problems } = judge([{ file: "a", text }], KNATIVE);
  expect(problems.map(({ line }) => line)).toEqual(
    problems.map(({ line }) => line).toSorted((a, b) => a - b),
  );
  const codes = oncePerPlace(problems).map(({ code }) => code);
  expect(codes.filter((code) => code === "one-of")).toHaveLength(1);
  expect(problems.filter(({ code }) => code === "one-of")).toHaveLength(4);
});
