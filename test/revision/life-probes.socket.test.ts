import { afterEach, describe, expect, it } from "vitest";
import type { Probe } from "../../src/manifest/spec.ts";
import type { RevisionPlan } from "../../src/revision/plan.ts";
import { settle } from "../support/fake-clock.ts";
import { InstanceRig } from "./rig.ts";

let rig = new InstanceRig();
afterEach(() => rig.instance.stop("the test is over", { now: true }));

/** A probe whose command ends as the script says, then as its last entry says. */
function scripted(
  plan: Partial<RevisionPlan>,
  scripts: Readonly<Record<string, readonly boolean[]>>,
): InstanceRig {
  rig = new InstanceRig({ plan });
  const tried = new Map<string, number>();
  rig.engine.behaviour.exec = ([name = ""]) => {
    const script = scripts[name] ?? [true];
    const n = tried.get(name) ?? 0;
    tried.set(name, n + 1);
    const passes = script[Math.min(n, script.length - 1)] === true;
    return { exitCode: passes ? 0 : 1, output: passes ? "" : "not well" };
  };
  return rig;
}

const command = (name: string, rest: Probe = {}): Probe => ({ exec: { command: [name] }, ...rest });
/** The probes that ran, in order. */
const ran = (): readonly string[] =>
  rig.engine.calls.flatMap((call) => (call.kind === "exec" ? [call.command[0] ?? ""] : []));

/** Passes time, and lets the tries that it brings come to their end: each then waits for its next turn. */
async function pass(ms: number, timers = 1): Promise<void> {
  await rig.clock.advance(ms);
  while (rig.clock.pending < timers && rig.instance.state !== "gone") await settle();
}

describe("the startup probe", () => {
  it("holds the other two back until it has passed", async () => {
    scripted(
      {
        startupProbe: command("startup", { periodSeconds: 5 }),
        livenessProbe: command("liveness"),
        readinessProbe: command("readiness", { periodSeconds: 5 }),
      },
      { startup: [false, false, true] },
    );
    const started = rig.instance.start();
    await rig.engine.startedInstances(1);
    // With the start's own deadline.
    await pass(0, 2);
    await pass(4_999, 2);
    expect(ran()).toEqual(["startup"]);
    await pass(1, 2);
    expect(rig.instance.state).toBe("starting");
    await pass(5_000, 2);
    await started;
    expect(rig.instance.state).toBe("ready");
    expect(ran().slice(0, 3)).toEqual(["startup", "startup", "startup"]);
    expect(ran().slice(3).toSorted()).toEqual(["liveness", "readiness"]);
  });

  it("fails the instance after failureThreshold tries, with its field and the last try's words", async () => {
    scripted(
      { startupProbe: command("startup", { periodSeconds: 1, failureThreshold: 2 }) },
      { startup: [false] },
    );
    const started = rig.instance.start();
    await rig.engine.startedInstances(1);
    await pass(0, 2);
    await rig.clock.advance(1_000);
    await started;
    expect(rig.path).toBe("pending starting failed gone");
    const { failure } = rig.instance;
    expect(failure?.message).toBe("hello-00001-a failed its startup probe 2 times in a row");
    expect(failure?.why).toContain("not well");
    expect(failure?.fix).toContain("spec.template.spec.containers[].startupProbe");
    expect(rig.clock.pending).toBe(0);
  });
});

describe("the liveness probe", () => {
  it("ends the container after three failures in a row, 10 s apart, with SIGTERM and its grace", async () => {
    scripted({ livenessProbe: command("liveness") }, { liveness: [true, false, false, true, false] });
    await rig.instance.start();
    // One timer for the next look at its readiness, one for the next at its liveness.
    await pass(0, 2);
    for (let seconds = 10; seconds <= 50; seconds += 10) await pass(10_000, 2);
    expect(rig.instance.state).toBe("ready");
    await rig.clock.advance(10_000);
    await rig.state("gone");
    expect(rig.path).toBe("pending starting ready failed gone");
    expect(rig.reasonOf("failed")).toBe("hello-00001-a failed its liveness probe 3 times in a row");
    expect(rig.engine.calls.filter((call) => call.kind === "stop")).toEqual([
      { kind: "stop", instance: "hello-00001-a", graceMs: 10_000 },
    ]);
    expect(ran()).toHaveLength(7);
    expect(rig.clock.pending).toBe(0);
  });

  it("waits for initialDelaySeconds", async () => {
    scripted({ livenessProbe: command("liveness", { initialDelaySeconds: 30 }) }, {});
    await rig.instance.start();
    await pass(29_999, 2);
    expect(ran()).toEqual([]);
    await pass(1, 2);
    expect(ran()).toEqual(["liveness"]);
  });
});

describe("readiness, once it was reached", () => {
  it("is lost after three failures, 10 s apart, and comes back with the next look, 200 ms later", async () => {
    rig = new InstanceRig();
    await rig.instance.start();
    const [running] = rig.engine.running;
    await pass(10_000);
    await running?.unlisten();
    await pass(10_000);
    await pass(10_000);
    expect(rig.instance.state).toBe("ready");
    await pass(10_000);
    expect(rig.instance.state).toBe("unready");
    expect(rig.reasonOf("unready")).toMatch(/^the readiness probe failed 3 times in a row: .*ECONNREFUSED/);
    expect(() => rig.instance.reserve()).toThrow("unready");
    expect(await rig.instance.healthy()).toBe(false);
    await pass(200);
    expect(rig.instance.state).toBe("unready");
    await running?.listen();
    await pass(200);
    expect(rig.instance.state).toBe("ready");
    expect(await rig.instance.healthy()).toBe(true);
    rig.instance.reserve()();
  });

  it("follows the probe's own figures", async () => {
    scripted(
      {
        readinessProbe: command("readiness", { periodSeconds: 2, failureThreshold: 1, successThreshold: 2 }),
      },
      { readiness: [true, true, false, true, false, true, true] },
    );
    const started = rig.instance.start();
    await rig.engine.startedInstances(1);
    await pass(0, 2);
    await pass(2_000);
    await started;
    const states: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      await pass(2_000);
      states.push(rig.instance.state);
    }
    expect(states).toEqual(["unready", "unready", "unready", "unready", "ready"]);
  });

  it("is no longer asked for once the instance goes", async () => {
    rig = new InstanceRig();
    await rig.instance.start();
    rig.instance.reserve();
    void rig.instance.stop("scaled down");
    await settle();
    expect(rig.instance.state).toBe("draining");
    // The drain's own limit.
    expect(rig.clock.pending).toBe(1);
  });
});
