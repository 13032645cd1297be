import { describe, expect, it } from "vitest";
import { createSerialRunner, type SerialRunner } from "../../src/devloop/serial.ts";
import { settle } from "../support/fake-clock.ts";

interface Run {
  readonly input: readonly string[];
  readonly signal: AbortSignal;
  finish(): void;
  fail(error: Error): void;
}

/** Runs that end when told; an abort rejects them unless they are past the point of no return. */
function setUp(
  options: {
    stubborn?: boolean;
    supersedes?: (running: readonly string[], next: readonly string[]) => boolean;
  } = {},
) {
  const runs: Run[] = [];
  const errors: unknown[] = [];
  let active = 0;
  let mostActive = 0;
  const runner: SerialRunner<readonly string[]> = createSerialRunner<readonly string[]>({
    run: async (input, signal) => {
      active += 1;
      mostActive = Math.max(mostActive, active);
      try {
        await new Promise<void>((resolve, reject) => {
          runs.push({ input, signal, finish: resolve, fail: reject });
          if (options.stubborn !== true)
            signal.addEventListener("abort", () => reject(signal.reason as Error));
        });
      } finally {
        active -= 1;
      }
    },
    merge: (first, second) => [...first, ...second],
    ...(options.supersedes === undefined ? {} : { supersedes: options.supersedes }),
    onError: (error) => errors.push(error),
  });
  const run = (index: number): Run => runs[index] as Run;
  return { runner, runs, run, errors, mostActive: () => mostActive };
}

describe("the serial runner", () => {
  it("makes one run of what is submitted in one turn", async () => {
    const { runner, runs, run } = setUp();
    runner.submit(["a"]);
    runner.submit(["b"]);
    await settle();
    expect(runs).toHaveLength(1);
    expect(run(0).input).toEqual(["a", "b"]);
    run(0).finish();
    await runner.idle();
    expect(runs).toHaveLength(1);
  });

  it("aborts a run that was overtaken and does its work in the next one", async () => {
    const { runner, runs, run, errors, mostActive } = setUp();
    runner.submit(["a"]);
    await settle();
    runner.submit(["b"]);
    runner.submit(["c"]);
    await settle();
    expect(run(0).signal.aborted).toBe(true);
    expect(runs.map((each) => each.input)).toEqual([["a"], ["a", "b", "c"]]);
    run(1).finish();
    await runner.idle();
    expect(errors).toEqual([]);
    expect(mostActive()).toBe(1);
  });

  it("does not repeat a run that finished in spite of being overtaken", async () => {
    const { runner, runs, run, mostActive } = setUp({ stubborn: true });
    runner.submit(["a"]);
    await settle();
    runner.submit(["b"]);
    await settle();
    expect(runs).toHaveLength(1);
    run(0).finish();
    await settle();
    expect(runs.map((each) => each.input)).toEqual([["a"], ["b"]]);
    run(1).finish();
    await runner.idle();
    expect(mostActive()).toBe(1);
  });

  it("leaves a run alone that the newer change has nothing to do with", async () => {
    const { runner, runs, run } = setUp({ supersedes: (running, next) => running[0] === next[0] });
    runner.submit(["a"]);
    await settle();
    runner.submit(["b"]);
    await settle();
    expect(run(0).signal.aborted).toBe(false);
    run(0).finish();
    await settle();
    expect(runs.map((each) => each.input)).toEqual([["a"], ["b"]]);
  });

  it("lets a run through after it has cut four short in a row", async () => {
    const { runner, runs } = setUp();
    runner.submit(["0"]);
    await settle();
    for (let change = 1; change <= 10; change += 1) {
      runner.submit([String(change)]);
      await settle();
    }
    expect(runs.map((each) => each.signal.aborted)).toEqual([true, true, true, true, false]);
  });

  it("reports a run that failed by itself, and goes on", async () => {
    const { runner, run, errors } = setUp();
    runner.submit(["a"]);
    await settle();
    run(0).fail(new Error("build failed"));
    await runner.idle();
    expect(errors).toEqual([new Error("build failed")]);
    runner.submit(["b"]);
    await settle();
    expect(run(1).input).toEqual(["b"]);
  });

  it("ends what runs and forgets what waits when it is closed", async () => {
    const { runner, runs, run, errors } = setUp({ supersedes: () => false });
    runner.submit(["a"]);
    await settle();
    runner.submit(["b"]);
    await runner.close();
    expect(run(0).signal.aborted).toBe(true);
    runner.submit(["c"]);
    await settle();
    expect(runs).toHaveLength(1);
    expect(errors).toEqual([]);
  });
});
