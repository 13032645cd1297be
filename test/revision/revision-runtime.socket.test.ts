import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/kernel/clock.ts";
import type { PlatformEventBody } from "../../src/resources/events.ts";
import type { RevisionPlan } from "../../src/revision/plan.ts";
import { RevisionRuntime } from "../../src/revision/revision-runtime.ts";
import type { ScalingSettings } from "../../src/scaling/settings.ts";
import { settingsWith } from "../scaling/settings-with.ts";
import { FakeClock, settle } from "../support/fake-clock.ts";
import { FakeEngine } from "../support/fake-engine.ts";
import { GKE, planOf, Watched } from "./rig.ts";

class RuntimeRig extends Watched {
  readonly clock = new FakeClock();
  readonly engine = new FakeEngine({ clock: this.clock });
  readonly events: PlatformEventBody[] = [];
  readonly runtime: RevisionRuntime;
  counts = { desired: -1, actual: -1 };

  constructor(settings: Partial<ScalingSettings> = {}, plan: Partial<RevisionPlan> = {}) {
    super();
    this.runtime = new RevisionRuntime(planOf(plan), {
      engine: this.engine,
      clock: this.clock,
      realClock: systemClock(),
      random: Math.random,
      settings: settingsWith(settings),
      termination: GKE,
      startDeadlineMs: 240_000,
      emit: (event) => {
        this.events.push(event);
        this.wake();
      },
      onReplicas: (counts) => {
        this.counts = counts;
        this.wake();
      },
    });
  }

  ready(count: number): Promise<void> {
    return this.until(() => this.runtime.ready.length === count);
  }

  empty(): Promise<void> {
    return this.until(() => this.runtime.instances.length === 0);
  }

  get scaled(): ReadonlyArray<readonly [number, string]> {
    return this.events.flatMap((event) =>
      event.type === "revision.scaled" ? [[event.desired, event.reason] as const] : [],
    );
  }
}

let rig = new RuntimeRig();
const fresh = (settings: Partial<ScalingSettings> = {}, plan: Partial<RevisionPlan> = {}): RuntimeRig => {
  rig = new RuntimeRig(settings, plan);
  return rig;
};
afterEach(() => rig.runtime.close("the test is over", { now: true }));

async function outcomeOf(promise: Promise<unknown>): Promise<"resolved" | "rejected" | "pending"> {
  let outcome: "resolved" | "rejected" | "pending" = "pending";
  promise.then(
    () => (outcome = "resolved"),
    () => (outcome = "rejected"),
  );
  await settle();
  return outcome;
}

describe("becoming ready", () => {
  it("takes the whole initial scale", async () => {
    const { runtime, engine } = fresh({ initialScale: 2 });
    engine.behaviour.neverListens = true;
    runtime.start();
    const [one, two] = await engine.startedInstances(2);
    await one?.listen();
    await rig.ready(1);
    expect(await outcomeOf(runtime.becameReady)).toBe("pending");
    await two?.listen();
    await runtime.becameReady;
    expect(rig.counts).toEqual({ desired: 2, actual: 2 });
  });

  it("is at once with an initial scale of 0, and nothing runs", async () => {
    const { runtime, engine, clock } = fresh({ initialScale: 0 });
    runtime.start();
    await runtime.becameReady;
    expect(engine.calls).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it("takes an initial scale above max-scale, which bounds it only afterwards", async () => {
    const { runtime, clock } = fresh({ initialScale: 3, maxScale: 2 });
    runtime.start();
    await runtime.becameReady;
    expect(rig.counts).toEqual({ desired: 3, actual: 3 });
    for (let n = 0; n < 500; n += 1) runtime.arrive();
    await clock.advance(10_000);
    expect(rig.counts.desired).toBe(2);
  });

  it("fails with the first instance's failure, which is a problem event with its evidence", async () => {
    const { runtime, engine } = fresh();
    engine.behaviour.crashOnStart = 3;
    runtime.start();
    await expect(runtime.becameReady).rejects.toThrow("exited with code 3");
    const problem = rig.events.find((event) => event.type === "problem");
    expect(problem).toMatchObject({ severity: "error", code: "start-failed", why: "it printed nothing" });
  });

  it("fails when it is closed before", async () => {
    const { runtime, engine } = fresh();
    engine.behaviour.neverListens = true;
    runtime.start();
    await engine.startedInstances(1);
    await runtime.close("Ctrl-C");
    await expect(runtime.becameReady).rejects.toThrow("was stopped before it was ready");
    expect(engine.running).toEqual([]);
    expect(rig.clock.pending).toBe(0);
  });
});

describe("a life with traffic", () => {
  it("goes to zero a minute after the last request, sleeps without a timer, and wakes for the next", async () => {
    const { runtime, engine, clock } = fresh();
    runtime.start();
    await runtime.becameReady;
    const leave = runtime.arrive();
    await clock.advance(3_000);
    leave();
    leave();
    expect(runtime.inFlight).toBe(0);
    await clock.advance(58_000);
    expect(runtime.ready).toHaveLength(1);
    await clock.advance(6_000);
    await rig.empty();
    expect(engine.running).toEqual([]);
    expect(clock.pending).toBe(0);
    expect(rig.counts).toEqual({ desired: 0, actual: 0 });

    const now = clock.now();
    const second = runtime.arrive();
    await rig.ready(1);
    expect(clock.now()).toBe(now);
    second();
    expect(rig.scaled.map(([desired]) => desired)).toEqual([1, 0, 1]);
    expect(rig.scaled[1]?.[1]).toBe("no traffic");
  });

  it("tells its listeners of each change after `ready` has followed it", async () => {
    const { runtime } = fresh();
    const seen: string[] = [];
    const unsubscribe = runtime.onInstance((_instance, state) =>
      seen.push(`${state} ${runtime.ready.length}`),
    );
    runtime.start();
    await runtime.becameReady;
    unsubscribe();
    await runtime.close("over");
    expect(seen).toEqual(["starting 0", "ready 1"]);
  });

  it("passes the app's lines on as events", async () => {
    const { runtime, engine } = fresh();
    engine.behaviour.program = (host) => {
      host.write("stdout", "hello\n");
      return (_request, response) => void response.end();
    };
    runtime.start();
    await runtime.becameReady;
    expect(rig.events.filter((event) => event.type === "log")).toEqual([
      {
        type: "log",
        instance: runtime.ready[0]?.name,
        revision: "hello-00001",
        container: "user-container",
        stream: "stdout",
        line: "hello",
      },
    ]);
  });

  it("replaces an instance that dies, and says how often in a row", async () => {
    const { runtime, engine, clock } = fresh();
    runtime.start();
    await runtime.becameReady;
    engine.behaviour.crashOnStart = 1;
    engine.running[0]?.exit(1);
    await rig.until(() => rig.events.filter((event) => event.type === "problem").length === 1);
    expect(runtime.ready).toEqual([]);
    await clock.advance(0);
    await rig.until(() => rig.events.filter((event) => event.type === "problem").length === 2);
    expect(rig.events.findLast((event) => event.type === "problem")).toMatchObject({
      message: expect.stringContaining("(2 times in a row)"),
    });
    engine.behaviour.crashOnStart = undefined;
    await clock.advance(10_000);
    await rig.ready(1);
  });
});

describe("probes", () => {
  it("that fail for liveness bring a new instance at once, with the reason as a problem", async () => {
    const { runtime, engine, clock } = fresh({}, { livenessProbe: { exec: { command: ["alive"] } } });
    runtime.start();
    await runtime.becameReady;
    const first = runtime.ready[0]?.name;
    await clock.advance(20_000);
    engine.behaviour.exec = () => ({ exitCode: 1, output: "deadlock" });
    const failed = (): boolean => rig.events.some((event) => event.type === "problem");
    while (!failed()) await clock.advance(1_000);
    engine.behaviour.exec = () => ({ exitCode: 0, output: "" });
    await clock.advance(0);
    await rig.ready(1);
    expect(runtime.ready[0]?.name).not.toBe(first);
    expect(rig.events.find((event) => event.type === "problem")).toMatchObject({
      message: `${first} failed its liveness probe 3 times in a row`,
      why: expect.stringContaining("deadlock"),
    });
  });

  it("that fail for readiness take the instance out, and no other is started in its place", async () => {
    const { runtime, engine, clock } = fresh();
    runtime.start();
    await runtime.becameReady;
    await engine.running[0]?.unlisten();
    while (runtime.ready.length > 0) await clock.advance(1_000);
    expect(rig.counts).toEqual({ desired: 1, actual: 0 });
    expect(runtime.mode).toBe("Proxy");
    expect(await runtime.health()).toBe(false);
    await engine.running[0]?.listen();
    while (runtime.ready.length === 0) await clock.advance(100);
    expect(engine.instances).toHaveLength(1);
    expect(await runtime.health()).toBe(true);
  });
});

describe("the activator's place", () => {
  it.each([
    [211, {}, "Proxy"],
    [0, {}, "Serve"],
    [-1, {}, "Proxy"],
    [211, { class: "hpa" }, "Serve"],
  ] as const)(
    "with a target-burst-capacity of %i, %j, one instance: %s",
    async (targetBurstCapacity, rest, mode) => {
      const { runtime } = fresh({ targetBurstCapacity, ...rest });
      expect(runtime.mode).toBe("Proxy");
      runtime.start();
      await runtime.becameReady;
      expect(runtime.mode).toBe(mode);
    },
  );
});

describe("reachability", () => {
  it("lets min-scale go when no route leads here any more, and takes it up again when one does", async () => {
    const { runtime, clock, engine } = fresh({ minScale: 1 });
    runtime.start();
    await runtime.becameReady;
    await clock.advance(300_000);
    expect(engine.running).toHaveLength(1);
    runtime.setReachable(false);
    await clock.advance(100_000);
    await rig.empty();
    expect(clock.pending).toBe(0);
    runtime.setReachable(true);
    await rig.ready(1);
    await clock.advance(300_000);
    expect(engine.running).toHaveLength(1);
  });
});

describe("close", () => {
  it("leaves no instance and no timer, and later requests start nothing", async () => {
    const { runtime, engine, clock } = fresh();
    runtime.start();
    await runtime.becameReady;
    await runtime.close("Ctrl-C");
    runtime.arrive();
    await clock.advance(100_000);
    expect(engine.running).toEqual([]);
    expect(engine.instances).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});

it("explains its count", async () => {
  const { runtime } = fresh();
  runtime.start();
  await runtime.becameReady;
  expect(runtime.explain()).toMatch(/^1 instance\b.+/);
  await rig.clock.advance(100_000);
  await rig.empty();
  expect(rig.events.findLast((event) => event.type === "revision.scaled")).toMatchObject({
    desired: 0,
    reason: "no traffic",
    explanation: expect.stringMatching(/^0 instances: none in flight/),
  });
});
