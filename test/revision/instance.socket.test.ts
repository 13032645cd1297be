import { describe, expect, it } from "vitest";
import type { Engine } from "../../src/engine/engine.ts";
import { KserveLocalError } from "../../src/kernel/errors.ts";
import type { InstanceState } from "../../src/resources/instance-state.ts";
import { describeExit, Instance, TRANSITIONS } from "../../src/revision/instance.ts";
import { FakeEngine } from "../support/fake-engine.ts";
import { InstanceRig } from "./rig.ts";

const STATES = Object.keys(TRANSITIONS) as InstanceState[];

describe("the transition table", () => {
  it("leads from everywhere to gone, and from gone nowhere", () => {
    expect(TRANSITIONS.gone).toEqual([]);
    for (const state of STATES) {
      const seen = new Set<InstanceState>([state]);
      for (const at of seen) for (const next of TRANSITIONS[at]) seen.add(next);
      expect(seen, state).toContain("gone");
    }
  });

  it("lets an instance fail until it is being terminated, and never come back from an end", () => {
    const mayFail = STATES.filter((state) => TRANSITIONS[state].includes("failed"));
    expect(mayFail).toEqual(["pending", "starting", "ready", "unready", "draining"]);
    const mayServe = STATES.filter((state) => TRANSITIONS[state].includes("ready"));
    expect(mayServe).toEqual(["starting", "unready"]);
    for (const state of ["draining", "terminating", "failed"] as const) {
      expect(TRANSITIONS[state].filter((to) => to === "ready" || to === "starting")).toEqual([]);
    }
  });

  it("is what an instance keeps to: every move that it makes stands in the table", async () => {
    const served = new InstanceRig();
    await served.instance.start();
    await served.instance.stop("done");
    const crashed = new InstanceRig();
    crashed.engine.behaviour.crashOnStart = 1;
    await crashed.instance.start();
    for (const { from, to } of [...served.moves, ...crashed.moves]) expect(TRANSITIONS[from]).toContain(to);
    expect(served.path).toBe("pending starting ready draining terminating gone");
    expect(crashed.path).toBe("pending starting failed gone");
  });

  it("refuses any other move, aloud", async () => {
    const rig = new InstanceRig();
    await rig.instance.start();
    await rig.instance.start();
    expect(rig.instance.failure?.code).toBe("internal");
    expect(rig.instance.failure?.message).toBe("hello-00001-a cannot go from ready to starting");
    expect(rig.engine.running).toEqual([]);
  });
});

describe("starting", () => {
  it("is ready once the port answers, and takes requests only then", async () => {
    const rig = new InstanceRig();
    rig.engine.behaviour.neverListens = true;
    const started = rig.instance.start();
    const [engineInstance] = await rig.engine.startedInstances(1);
    expect(rig.instance.state).toBe("starting");
    expect(() => rig.instance.reserve()).toThrow(KserveLocalError);
    await engineInstance?.listen();
    await started;
    expect(rig.instance.state).toBe("ready");
    expect(rig.instance.address).toEqual(engineInstance?.address);
    expect(rig.instance.readyAt).toBe(rig.clock.now());
    // The next look at its readiness.
    expect(rig.clock.pending).toBe(1);
    await rig.instance.stop("over");
    expect(rig.clock.pending).toBe(0);
  });

  it("tells of an app that ends at once: exit code and last lines", async () => {
    const rig = new InstanceRig();
    rig.engine.behaviour.program = (host) => {
      host.write("stderr", "Error: no DATABASE_URL\n    at server.js:3\n");
      return undefined;
    };
    rig.engine.behaviour.crashOnStart = 3;
    await rig.instance.start();
    expect(rig.path).toBe("pending starting failed gone");
    expect(rig.instance.failure?.code).toBe("start-failed");
    expect(rig.instance.failure?.message).toBe("hello-00001-a exited with code 3");
    expect(rig.instance.failure?.why).toBe("Error: no DATABASE_URL\n    at server.js:3");
    expect(rig.instance.failure?.fix).toContain("$PORT");
    expect(rig.clock.pending).toBe(0);
  });

  it("passes on what the engine says when it cannot start", async () => {
    const rig = new InstanceRig();
    const refusal = new KserveLocalError("start-failed", { what: "no such file: /app" });
    rig.engine.behaviour.startFailure = refusal;
    await rig.instance.start();
    expect(rig.instance.failure).toBe(refusal);
    expect(rig.path).toBe("pending starting failed gone");
  });

  it("gives up at the start deadline, says what the probe saw and what was printed, and kills", async () => {
    const rig = new InstanceRig();
    rig.engine.behaviour.neverListens = true;
    rig.engine.behaviour.program = (host) => {
      host.write("stdout", "loading the model\n");
      host.onTerminate(() => undefined);
      return () => undefined;
    };
    const started = rig.instance.start();
    await rig.engine.startedInstances(1);
    await rig.clock.advance(239_999);
    expect(rig.instance.state).toBe("starting");
    await rig.clock.advance(1);
    await started;
    const { failure } = rig.instance;
    expect(failure?.code).toBe("not-ready");
    expect(failure?.message).toContain("was not ready within 240 s");
    expect(failure?.why).toMatch(/^the last probe said: .*ECONNREFUSED.*\nloading the model$/);
    expect(failure?.fix).toContain("PORT is 8080");
    expect(rig.path).toBe("pending starting failed gone");
    expect(rig.engine.running).toEqual([]);
    expect(rig.clock.pending).toBe(0);
  });

  it("counts a slow engine against the deadline and leaves nothing of the start", async () => {
    const rig = new InstanceRig();
    rig.engine.behaviour.startDelayMs = 1_000_000;
    const started = rig.instance.start();
    await rig.clock.advance(240_000);
    await started;
    expect(rig.path).toBe("pending starting failed gone");
    expect(rig.engine.instances).toEqual([]);
    expect(rig.clock.pending).toBe(0);
  });

  it("is not ready when the app ends in the same turn in which its probe passes", async () => {
    const rig = new InstanceRig({
      plan: { readinessProbe: { exec: { command: ["check"] }, periodSeconds: 0 } },
      engine: (clock) => endsWithItsProbe(clock),
    });
    await rig.instance.start();
    expect(rig.path).toBe("pending starting failed gone");
    expect(rig.instance.failure?.message).toContain("exited with code 9");
  });
});

/** Its instances end while their exec probe answers, before anybody has read the answer. */
function endsWithItsProbe(clock: ConstructorParameters<typeof FakeEngine>[0]["clock"]): Engine {
  const engine = new FakeEngine({ clock });
  return {
    description: engine.description,
    prepare: (source, options) => engine.prepare(source, options),
    sweep: () => engine.sweep(),
    close: () => engine.close(),
    async start(run, signal) {
      const real = await engine.start(run, signal);
      let end = (_exit: { code: number; reason: "exited"; killed: boolean }): void => undefined;
      const exited = new Promise<{ code: number; reason: "exited"; killed: boolean }>((resolve) => {
        end = resolve;
      });
      return {
        id: real.id,
        address: real.address,
        exited,
        stop: (graceMs) => real.stop(graceMs),
        exec() {
          const answer = Promise.resolve({ exitCode: 0, output: "" });
          end({ code: 9, reason: "exited", killed: false });
          return answer;
        },
      };
    },
  };
}

describe("a crash", () => {
  it("while ready fails the instance with the reason and removes it", async () => {
    const rig = new InstanceRig();
    await rig.instance.start();
    rig.engine.running[0]?.write("stderr", "out of cheese\n");
    rig.engine.running[0]?.exit(70);
    await rig.state("gone");
    expect(rig.path).toBe("pending starting ready failed gone");
    expect(rig.reasonOf("failed")).toBe("hello-00001-a exited with code 70");
    expect(rig.instance.failure?.why).toBe("out of cheese");
  });

  it("while it drains ends the drain", async () => {
    const rig = new InstanceRig();
    await rig.instance.start();
    rig.instance.reserve();
    const stopped = rig.instance.stop("scale down");
    rig.engine.running[0]?.exit(1);
    await stopped;
    expect(rig.path).toBe("pending starting ready draining failed gone");
    expect(rig.clock.pending).toBe(0);
  });

  it.each([
    [{ code: 0, reason: "exited", killed: false }, "a server must keep running"],
    [{ code: 3, reason: "exited", killed: false }, "exited with code 3"],
    [{ code: 137, reason: "exited", killed: false }, "SIGKILL"],
    [{ code: 139, reason: "exited", killed: false }, "ended by a signal (exit code 139)"],
    [{ code: 137, reason: "oom", killed: false }, "resources.limits.memory"],
    [{ reason: "removed", killed: false }, "removed from the engine"],
    [{ reason: "engine-lost", killed: false }, "lost together with the container engine"],
  ] as const)("%j is told as: %s", (exit, words) => {
    expect(describeExit(exit)).toContain(words);
  });
});

it("keeps the last twenty lines", async () => {
  const rig = new InstanceRig();
  await rig.instance.start();
  rig.engine.running[0]?.write("stdout", Array.from({ length: 25 }, (_, n) => `line ${n}\n`).join(""));
  expect(rig.instance).toBeInstanceOf(Instance);
  expect(rig.instance.lastLines).toHaveLength(20);
  expect(rig.instance.lastLines[0]).toBe("line 5");
  expect(rig.lines).toHaveLength(25);
  await rig.instance.stop("over");
});
