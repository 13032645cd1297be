import { describe, expect, it } from "vitest";
import type { Container, RevisionSpec } from "../../src/manifest/spec.ts";
import { LABELS, type StoredRevision } from "../../src/resources/objects.ts";
import { type PlanOptions, planRevision, type RevisionPlan } from "../../src/revision/plan.ts";
import { fakeArtifact } from "../support/fake-engine.ts";

function revision(container: Partial<Container> = {}, spec: Partial<RevisionSpec> = {}): StoredRevision {
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Revision",
    metadata: {
      name: "hello-00003",
      namespace: "shop",
      uid: "u",
      generation: 1,
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00.000Z",
      labels: { [LABELS.configuration]: "hello", [LABELS.service]: "hello" },
      annotations: { "autoscaling.knative.dev/min-scale": "1" },
    },
    spec: { containers: [{ name: "user-container", image: "hello", ...container }], ...spec },
  };
}

function plan(
  container: Partial<Container> = {},
  spec: Partial<RevisionSpec> = {},
  options: Partial<PlanOptions> = {},
): RevisionPlan {
  const lookup = { configMap: () => undefined, secret: () => undefined };
  return planRevision(revision(container, spec), {
    artifact: fakeArtifact(),
    lookup,
    extraEnv: [],
    ...options,
  });
}

describe("planRevision", () => {
  it("fills in what a bare revision leaves open", () => {
    expect(plan()).toMatchObject({
      name: "hello-00003",
      service: "hello",
      namespace: "shop",
      port: 8080,
      h2c: false,
      readinessProbe: { tcpSocket: {}, periodSeconds: 0, successThreshold: 1 },
      containerConcurrency: 0,
      timeoutMs: 300_000,
      annotations: { "autoscaling.knative.dev/min-scale": "1" },
    });
    const bare = plan();
    expect("responseStartTimeoutMs" in bare || "idleTimeoutMs" in bare).toBe(false);
    const { main } = bare.run;
    for (const key of [
      "command",
      "args",
      "workingDir",
      "user",
      "cpuMillis",
      "memoryBytes",
      "readOnlyRootFilesystem",
    ])
      expect(main).not.toHaveProperty(key);
  });

  it("takes times, limits and the port from the spec", () => {
    const made = plan(
      {
        ports: [{ containerPort: 9000, name: "h2c" }],
        resources: { limits: { cpu: "1500m", memory: "256Mi" } },
        workingDir: "/srv",
        securityContext: { readOnlyRootFilesystem: true },
      },
      { timeoutSeconds: 30, responseStartTimeoutSeconds: 10, idleTimeoutSeconds: 5, containerConcurrency: 4 },
    );
    expect(made).toMatchObject({
      port: 9000,
      h2c: true,
      timeoutMs: 30_000,
      responseStartTimeoutMs: 10_000,
      idleTimeoutMs: 5_000,
      containerConcurrency: 4,
    });
    expect(made.run.main).toMatchObject({
      cpuMillis: 1500,
      memoryBytes: 268_435_456,
      workingDir: "/srv",
      readOnlyRootFilesystem: true,
    });
    expect(made.run.port).toBe(9000);
    expect(new Map(made.run.main.env).get("PORT")).toBe("9000");
  });

  it.each([
    [{ containerPort: 0 }, { timeoutSeconds: 0, idleTimeoutSeconds: 0 }],
    [{}, {}],
  ])("counts 0 as absent: %j %j", (port, spec) => {
    const made = plan({ ports: [port] }, spec);
    expect(made.port).toBe(8080);
    expect(made.timeoutMs).toBe(300_000);
    expect(made).not.toHaveProperty("idleTimeoutMs");
  });

  it("hands the probes on, and none where there is none", () => {
    const livenessProbe = { httpGet: { path: "/alive" }, periodSeconds: 5 };
    const startupProbe = { tcpSocket: {} };
    expect(plan({ livenessProbe, startupProbe })).toMatchObject({ livenessProbe, startupProbe });
    expect(plan({})).not.toHaveProperty("livenessProbe");
    expect(plan({})).not.toHaveProperty("startupProbe");
  });

  it("expands command and args, where PORT and K_SERVICE are known", () => {
    const made = plan({
      command: ["/server", "--port=$(PORT)"],
      args: ["$(NAME)", "$(K_SERVICE)", "$(NO)"],
      env: [{ name: "NAME", value: "x" }],
    });
    expect(made.run.main).toMatchObject({
      command: ["/server", "--port=8080"],
      args: ["x", "hello", "$(NO)"],
    });
  });

  it("puts the command after `--` in place of both", () => {
    const made = plan({ command: ["/server"], args: ["--x"] }, {}, { command: ["node", "$(PORT).js"] });
    expect(made.run.main.command).toEqual(["node", "$(PORT).js"]);
    expect(made.run.main).not.toHaveProperty("args");
  });

  it.each([
    [{ runAsUser: 0 }, undefined, "0"],
    [{ runAsUser: 1000, runAsGroup: 2000 }, undefined, "1000:2000"],
    [undefined, { runAsUser: 7 }, "7"],
    [{ runAsUser: 1 }, { runAsUser: 7, runAsGroup: 8 }, "1:8"],
  ])("runs container %j in pod %j as %s", (container, pod, user) => {
    const made = plan(
      container === undefined ? {} : { securityContext: container },
      pod === undefined ? {} : { securityContext: pod },
    );
    expect(made.run.main.user).toBe(user);
  });

  it("maps env values before they are used", () => {
    const made = plan(
      { env: [{ name: "BACKEND", value: "http://b.default" }], args: ["$(BACKEND)"] },
      {},
      { mapEnvValue: (value) => value.replace("b.default", "10.0.0.1:99") },
    );
    expect(made.run.main.args).toEqual(["http://10.0.0.1:99"]);
  });

  it("says so where there is more than one container", () => {
    const containers = [
      { name: "log", image: "log" },
      { name: "web", image: "web", ports: [{ containerPort: 80 }] },
    ];
    expect(() => plan({}, { containers })).toThrow(
      expect.objectContaining({
        code: "manifest-invalid",
        why: "they are log, web; the manifest itself is valid on a cluster",
      }),
    );
  });
});
