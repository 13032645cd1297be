import { afterEach, describe, expect, it } from "vitest";
import type { Engine, StandbyRun } from "../../src/engine/engine.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { resolveSettings } from "../../src/scaling/settings.ts";
import { RevisionRuntime } from "../../src/revision/revision-runtime.ts";
import { FakeClock, settle } from "../support/fake-clock.ts";
import { FakeEngine } from "../support/fake-engine.ts";
import { GKE, planOf, Watched } from "./rig.ts";

/** A revision on the fake engine, with a record of the hints that the engine holds. */
class Hinted extends Watched {
  readonly clock = new FakeClock();
  readonly fake = new FakeEngine({ clock: this.clock });
  readonly expected: string[] = [];
  readonly runtime: RevisionRuntime;
  readonly states: string[] = [];

  constructor() {
    super();
    let count = 0;
    const standby = (run: StandbyRun): (() => Promise<void>) => {
      if (!this.expected.includes(run.name)) this.expected.push(run.name);
      return () => {
        this.expected.splice(this.expected.indexOf(run.name), 1);
        return Promise.resolve();
      };
    };
    const engine: Engine = {
      description: this.fake.description,
      prepare: this.fake.prepare.bind(this.fake),
      start: this.fake.start.bind(this.fake),
      sweep: this.fake.sweep.bind(this.fake),
      close: this.fake.close.bind(this.fake),
      standby,
    };
    this.runtime = new RevisionRuntime(planOf(), {
      engine,
      clock: this.clock,
      realClock: systemClock(),
      random: () => ((count += 7) % 97) / 97,
      settings: resolveSettings({ annotations: {}, containerConcurrency: 0, config: {} }),
      termination: GKE,
      startDeadlineMs: 240_000,
      emit: (event) => {
        if (event.type === "instance.state") this.states.push(event.to);
        this.wake();
      },
      onReplicas: () => undefined,
    });
  }

  get started(): string[] {
    return this.fake.calls.flatMap((call) => (call.kind === "start" ? [call.run.name] : []));
  }

  state(wanted: string): Promise<void> {
    return this.until(() => this.states.includes(wanted));
  }
}

describe("what the engine may expect", () => {
  let hinted: Hinted;
  afterEach(() => hinted.runtime.close("done", { now: true }));

  it("is another instance when one is ready, and its name is the next one's", async () => {
    hinted = new Hinted();
    hinted.runtime.start();
    expect(hinted.expected).toEqual([]);
    await hinted.state("ready");
    expect(hinted.expected).toHaveLength(1);
    expect(hinted.started).not.toContain(hinted.expected[0]);
    await hinted.clock.advance(90_000);
    await hinted.state("gone");
    const [next] = hinted.expected;
    hinted.runtime.arrive();
    await settle();
    expect(hinted.started[1]).toBe(next);
  });

  it("is nothing where the app fails", async () => {
    hinted = new Hinted();
    hinted.fake.behaviour.crashOnStart = 1;
    hinted.runtime.start();
    await hinted.state("gone");
    expect(hinted.expected).toEqual([]);
  });

  it("is nothing once no route names the revision", async () => {
    hinted = new Hinted();
    hinted.runtime.start();
    await hinted.state("ready");
    hinted.runtime.setReachable(false);
    expect(hinted.expected).toEqual([]);
    await hinted.clock.advance(90_000);
    await hinted.state("gone");
    expect(hinted.expected).toEqual([]);
  });

  it("is nothing when the revision has ended", async () => {
    hinted = new Hinted();
    hinted.runtime.start();
    await hinted.state("ready");
    await hinted.runtime.close("done");
    expect(hinted.expected).toEqual([]);
  });
});
