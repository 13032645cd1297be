import { describe, expect, it } from "vitest";
import { sleepOn, systemClock } from "../../src/kernel/clock.ts";
import { FakeClock, settle } from "../support/fake-clock.ts";

describe("systemClock", () => {
  it.each([0, -1, Number.NaN, Infinity])("refuses a scale of %d", (scale) => {
    expect(() => systemClock(scale)).toThrow(RangeError);
  });

  it("runs as many times as fast as its scale says", async () => {
    const clock = systemClock(1_000);
    const [began, wall] = [clock.now(), performance.now()];
    await clock.sleep(20_000);
    expect(clock.now() - began).toBeGreaterThanOrEqual(19_000);
    expect(performance.now() - wall).toBeLessThan(5_000);
  });

  it("cancels, also twice, also when it has run", async () => {
    const clock = systemClock();
    let ran = "";
    const cancel = clock.after(0, () => (ran += "cancelled"));
    cancel();
    cancel();
    await new Promise<void>((resolve) => {
      const late = clock.after(-5, () => {
        ran += "negative";
        queueMicrotask(() => late());
        resolve();
      });
    });
    expect(ran).toBe("negative");
  });

  it("makes a wait beyond 31 bits of several timers instead of running at once", async () => {
    const clock = systemClock();
    let ran = false;
    const cancel = clock.after(2 ** 31 + 1_000, () => (ran = true));
    await clock.sleep(20);
    cancel();
    expect(ran).toBe(false);
  });
});

describe("a sleep", () => {
  const on = (clock: FakeClock, signal: AbortSignal): Promise<void> =>
    sleepOn((ms, run) => clock.after(ms, run), 1_000, signal);

  it("ends with the signal's reason and leaves no timer", async () => {
    const clock = new FakeClock();
    const controller = new AbortController();
    const sleeping = on(clock, controller.signal);
    expect(clock.pending).toBe(1);
    controller.abort(new Error("enough"));
    await expect(sleeping).rejects.toThrow("enough");
    expect(clock.pending).toBe(0);
  });

  it("does not begin on an aborted signal, and makes an error of any reason", async () => {
    const clock = new FakeClock();
    await expect(on(clock, AbortSignal.abort("no"))).rejects.toEqual(new Error("no"));
    expect(clock.pending).toBe(0);
  });

  it("leaves no listener on the signal", async () => {
    const clock = new FakeClock();
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    const sleeping = on(clock, signal);
    expect(listeners).toBe(1);
    await clock.advance(1_000);
    await sleeping;
    await settle();
    expect(listeners).toBe(0);
  });
});
