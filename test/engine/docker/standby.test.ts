import { describe, expect, it } from "vitest";
import { Standby } from "../../../src/engine/docker/standby.ts";
import type { WaitingApp } from "../../../src/engine/docker/waiting-app.ts";
import type { StandbyRun } from "../../../src/engine/engine.ts";
import { fakeArtifact } from "../../support/fake-engine.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";

const NEVER = new AbortController().signal;

function runOf(name: string, env: StandbyRun["main"]["env"] = []): StandbyRun {
  const main = { name: "c", artifact: fakeArtifact(), env, files: [], emptyDirs: [] };
  return { name, service: "s", revision: `${name}-1`, port: 8080, main };
}

/** Counts what is alive by name; two of one name at once are an error, as the engine says. */
class Apps {
  readonly clock = new FakeClock();
  readonly alive = new Map<string, () => void>();
  readonly notices: string[] = [];
  failure: Error | undefined;
  /** What preparations wait for. */
  gate: Promise<void> = Promise.resolve();
  prepared = 0;
  readonly standby: Standby;

  constructor(most: number) {
    this.standby = new Standby({
      most,
      clock: this.clock,
      onNotice: (message) => void this.notices.push(message),
      prepare: (run, signal) => this.#prepare(run, signal),
    });
  }

  async #prepare({ name }: StandbyRun, signal: AbortSignal): Promise<WaitingApp> {
    this.prepared += 1;
    if (this.alive.has(name)) throw new Error(`${name} exists`);
    await this.gate;
    signal.throwIfAborted();
    if (this.failure !== undefined) throw this.failure;
    let lose: () => void = () => undefined;
    const lost = new Promise<void>((resolve) => (lose = resolve));
    this.alive.set(name, lose);
    const discard = async (): Promise<void> => {
      await settle();
      this.alive.delete(name);
    };
    return { id: name, lost, discard } as unknown as WaitingApp;
  }

  async keep(...names: string[]): Promise<void> {
    for (const name of names) this.standby.keep(runOf(name));
    await this.clock.advance(1000);
  }

  get names(): string[] {
    return [...this.alive.keys()];
  }
}

describe("what waits", () => {
  it("is what was hinted at last, a repeated hint counting as a new one", async () => {
    const apps = new Apps(2);
    await apps.keep("a", "b", "a", "c");
    expect(apps.names).toEqual(["a", "c"]);
    await apps.keep("b");
    await settle();
    expect(apps.names).toEqual(["c", "b"]);
  });

  it("begins a moment after the hint, and not at all where the start comes first", async () => {
    const apps = new Apps(1);
    apps.standby.keep(runOf("a"));
    expect(await apps.standby.take(runOf("a"), NEVER)).toBeUndefined();
    await apps.clock.advance(10_000);
    expect(apps.prepared).toBe(0);
    expect(apps.clock.pending).toBe(0);
  });

  it("is used once", async () => {
    const apps = new Apps(1);
    await apps.keep("a");
    expect((await apps.standby.take(runOf("a"), NEVER))?.id).toBe("a");
    expect(await apps.standby.take(runOf("a"), NEVER)).toBeUndefined();
    await apps.standby.close();
    expect(apps.names).toEqual(["a"]);
  });

  it("is not used for another run of the same name, and made anew by a hint with it", async () => {
    const apps = new Apps(1);
    const changed = runOf("a", [["SECRET", "new"]]);
    await apps.keep("a");
    apps.standby.keep(changed);
    await apps.clock.advance(1000);
    expect(apps.prepared).toBe(2);
    expect(await apps.standby.take(runOf("a"), NEVER)).toBeUndefined();
    expect(apps.names).toEqual([]);
  });

  it("is made anew under the name that was given up a moment ago", async () => {
    const apps = new Apps(1);
    await apps.keep("a");
    const takeBack = apps.standby.keep(runOf("a"));
    void takeBack();
    await apps.keep("a");
    expect(apps.names).toEqual(["a"]);
    expect(apps.notices).toHaveLength(1);
  });

  it("is let go of when it is lost, and the name is free", async () => {
    const apps = new Apps(1);
    await apps.keep("a");
    apps.alive.get("a")?.();
    await settle();
    expect(await apps.standby.take(runOf("a"), NEVER)).toBeUndefined();
    expect(apps.names).toEqual([]);
  });

  it("does not outlive a start that was given up while it was prepared", async () => {
    const apps = new Apps(1);
    let open: () => void = () => undefined;
    apps.gate = new Promise((resolve) => (open = resolve));
    await apps.keep("a");
    const controller = new AbortController();
    const taken = apps.standby.take(runOf("a"), controller.signal);
    const reason = new Error("enough");
    controller.abort(reason);
    open();
    await expect(taken).rejects.toBe(reason);
    expect(apps.names).toEqual([]);
  });

  it("is tried three times with an engine that refuses, told once", async () => {
    const apps = new Apps(3);
    apps.failure = new Error("no such driver");
    await apps.keep("a");
    await apps.keep("b");
    await apps.keep("c");
    await apps.keep("d");
    expect(apps.prepared).toBe(3);
    expect(apps.notices).toEqual([expect.stringContaining("no such driver")]);
    expect(await apps.standby.take(runOf("a"), NEVER)).toBeUndefined();
  });

  it("is nothing after the end", async () => {
    const apps = new Apps(2);
    await apps.keep("a", "b");
    await apps.standby.close();
    expect(apps.names).toEqual([]);
    await apps.keep("c");
    expect(apps.names).toEqual([]);
    expect(apps.clock.pending).toBe(0);
  });
});
