import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/kernel/clock.ts";
import { InstanceSet } from "../../src/revision/instance-set.ts";
import type { Instance } from "../../src/revision/instance.ts";
import { FakeClock, settle } from "../support/fake-clock.ts";
import { FakeEngine } from "../support/fake-engine.ts";
import { GKE, type Move, planOf, Watched } from "./rig.ts";

class SetRig extends Watched {
  readonly clock = new FakeClock();
  readonly engine = new FakeEngine({ clock: this.clock });
  readonly moves: Move[] = [];
  readonly failures: number[] = [];
  readonly set: InstanceSet;

  constructor() {
    super();
    let count = 0;
    this.set = new InstanceSet(planOf(), {
      engine: this.engine,
      clock: this.clock,
      realClock: systemClock(),
      // Each name is another one.
      random: () => ((count += 7) % 97) / 97,
      termination: GKE,
      startDeadlineMs: 240_000,
      onLog: () => undefined,
      onState: (instance, from, to, reason) => {
        this.moves.push({ instance: instance.name, from, to, reason });
        this.wake();
      },
      onFailure: (_instance, attempt) => {
        this.failures.push(attempt);
        this.wake();
      },
    });
  }

  ready(count: number): Promise<void> {
    return this.until(() => this.set.ready.length === count);
  }

  gone(count: number): Promise<void> {
    return this.until(() => this.moves.filter((move) => move.to === "gone").length === count);
  }

  get starts(): number {
    return this.engine.calls.filter((call) => call.kind === "start").length;
  }

  /** Who is asked to go, in that order. */
  get leaving(): readonly string[] {
    return this.moves
      .filter((move) => move.to === "draining" || move.to === "terminating")
      .map((move) => move.instance);
  }
}

let rig = new SetRig();
const fresh = (): SetRig => {
  rig = new SetRig();
  return rig;
};
afterEach(() => rig.set.close("the test is over", { now: true }));

describe("scaleTo", () => {
  it("starts as many as are missing, under names of their own, and none twice", async () => {
    const { set } = fresh();
    set.scaleTo(3, "");
    set.scaleTo(3, "");
    await rig.ready(3);
    expect(rig.starts).toBe(3);
    expect(new Set(set.all.map((instance) => instance.name)).size).toBe(3);
  });

  it("lets those go first that are not ready, then the least busy, then the youngest", async () => {
    const { set, engine } = fresh();
    set.scaleTo(4, "");
    await rig.ready(4);
    engine.behaviour.neverListens = true;
    set.scaleTo(5, "");
    await engine.startedInstances(5);
    const [busiest, oldest, younger, busy, starting] = set.all as [
      Instance,
      Instance,
      Instance,
      Instance,
      Instance,
    ];
    const releases = [busiest.reserve(), busiest.reserve(), busy.reserve()];
    const order: string[] = [];
    for (const left of [4, 3, 2, 1]) {
      set.scaleTo(left, "less traffic");
      order.push(rig.leaving.find((name) => !order.includes(name)) ?? "nobody");
    }
    expect(order).toEqual([starting, younger, oldest, busy].map((instance) => instance.name));
    expect(set.live).toEqual([busiest]);
    for (const release of releases) release();
    await rig.gone(4);
  });

  it("does not count those that are going, so a rise during a drain starts another", async () => {
    const { set } = fresh();
    set.scaleTo(1, "");
    await rig.ready(1);
    const draining = set.ready[0];
    const release = draining?.reserve();
    set.scaleTo(0, "no traffic");
    expect(draining?.state).toBe("draining");
    set.scaleTo(1, "");
    await rig.ready(1);
    expect(set.ready[0]).not.toBe(draining);
    expect(set.all).toHaveLength(2);
    release?.();
    await rig.gone(1);
  });
});

describe("replacing what died", () => {
  it("is immediate the first time, after 10, 20 ... seconds the next, and at most after 5 minutes", async () => {
    const { set, engine, clock } = fresh();
    engine.behaviour.crashOnStart = 1;
    set.scaleTo(1, "");
    await rig.until(() => rig.failures.length === 1);
    await clock.advance(0);
    await rig.until(() => rig.failures.length === 2);
    expect(rig.starts).toBe(2);
    for (const [index, delay] of [10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000].entries()) {
      await clock.advance(delay - 1);
      expect(rig.starts).toBe(index + 2);
      await clock.advance(1);
      await rig.until(() => rig.failures.length === index + 3);
      expect(rig.starts).toBe(index + 3);
    }
    expect(rig.failures).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("starts the count anew after an instance that lived for 10 s", async () => {
    const { set, engine, clock } = fresh();
    engine.behaviour.crashOnStart = 1;
    set.scaleTo(1, "");
    await rig.until(() => rig.failures.length === 1);
    await clock.advance(0);
    await rig.until(() => rig.failures.length === 2);
    engine.behaviour.crashOnStart = undefined;
    await clock.advance(10_000);
    await rig.ready(1);
    await clock.advance(10_000);
    engine.running[0]?.exit(1);
    await rig.until(() => rig.failures.length === 3);
    expect(rig.failures).toEqual([1, 2, 1]);
    await clock.advance(0);
    await rig.ready(1);
  });

  it("fills up to what is wanted by then, also where that has risen", async () => {
    const { set, engine, clock } = fresh();
    set.scaleTo(1, "");
    await rig.ready(1);
    engine.running[0]?.exit(1);
    await rig.until(() => rig.failures.length === 1);
    set.scaleTo(2, "");
    await clock.advance(0);
    await rig.ready(2);
    expect(set.wanted).toBe(2);
  });

  it("is off once nothing is wanted: the next start is a fresh one, as of a new pod", async () => {
    const { set, engine, clock } = fresh();
    engine.behaviour.crashOnStart = 1;
    set.scaleTo(1, "");
    await rig.until(() => rig.failures.length === 1);
    await clock.advance(0);
    await rig.until(() => rig.failures.length === 2);
    await settle();
    set.scaleTo(0, "no traffic");
    expect(clock.pending).toBe(0);
    engine.behaviour.crashOnStart = undefined;
    set.scaleTo(1, "a request");
    await rig.ready(1);
  });
});

describe("close", () => {
  it("drains, waits until nothing is left, and starts nothing any more", async () => {
    const { set, engine, clock } = fresh();
    set.scaleTo(2, "");
    await rig.ready(2);
    const release = set.ready[0]?.reserve();
    let closed = false;
    const closing = set.close("Ctrl-C").then(() => (closed = true));
    await settle();
    expect(closed).toBe(false);
    set.scaleTo(3, "too late");
    release?.();
    await closing;
    expect(set.all).toEqual([]);
    expect(engine.running).toEqual([]);
    expect(rig.starts).toBe(2);
    expect(clock.pending).toBe(0);
  });

  it("hurries what drains when it is called again with `now`", async () => {
    const { set } = fresh();
    set.scaleTo(1, "");
    await rig.ready(1);
    set.ready[0]?.reserve();
    const slow = set.close("Ctrl-C");
    await settle();
    await set.close("Ctrl-C", { now: true });
    await slow;
    expect(set.all).toEqual([]);
  });

  it("also waits for those that were going already", async () => {
    const { set, engine } = fresh();
    set.scaleTo(1, "");
    await rig.ready(1);
    engine.running[0]?.onTerminate(() => undefined);
    set.scaleTo(0, "no traffic");
    await settle();
    expect(set.all.map((instance) => instance.state)).toEqual(["terminating"]);
    const closing = set.close("Ctrl-C");
    engine.running[0]?.exit(0);
    await closing;
    expect(set.all).toEqual([]);
  });

  it("takes back a replacement that is due", async () => {
    const { set, engine, clock } = fresh();
    engine.behaviour.crashOnStart = 1;
    set.scaleTo(1, "");
    await rig.until(() => rig.failures.length === 1);
    await set.close("Ctrl-C");
    await clock.advance(1_000_000);
    expect(rig.starts).toBe(1);
    expect(clock.pending).toBe(0);
  });
});
