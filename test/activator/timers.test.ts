import { describe, expect, it } from "vitest";
import { RequestTimers, TimerFired, type TimeoutSemantics } from "../../src/activator/timers.ts";
import type { Exchange } from "../../src/proxy/exchange.ts";
import type { RevisionPlan } from "../../src/revision/plan.ts";
import { planOf } from "../revision/rig.ts";
import { FakeClock } from "../support/fake-clock.ts";

/** As much of an exchange as timers look at. */
function exchangeOf(): Pick<Exchange, "onWrite"> & { responseStarted: boolean } {
  return { onWrite: undefined, responseStarted: false };
}

function timersOf(plan: Partial<RevisionPlan>, semantics: TimeoutSemantics = "total") {
  const clock = new FakeClock();
  const exchange = exchangeOf();
  const timers = new RequestTimers(
    planOf({ timeoutMs: 300_000, ...plan }),
    semantics,
    clock,
    exchange as Exchange,
  );
  const write = (): void => {
    exchange.responseStarted = true;
    exchange.onWrite?.();
  };
  const fired = (): string | undefined =>
    timers.signal.reason instanceof TimerFired ? timers.signal.reason.message : undefined;
  return { clock, timers, write, fired };
}

describe("timeoutSeconds", () => {
  it.each([
    ["total", false, true],
    ["total", true, true],
    ["first-byte", false, true],
    ["first-byte", true, false],
  ] as const)("with %s semantics, written: %s, fires: %s", async (semantics, written, fires) => {
    const { clock, fired, write } = timersOf({ timeoutMs: 30_000 }, semantics);
    await clock.advance(29_999);
    if (written) write();
    expect(fired()).toBeUndefined();
    await clock.advance(1);
    expect(fired()).toBe(
      fires ? "spec.template.spec.timeoutSeconds (30 s) has passed since the request arrived" : undefined,
    );
  });
});

describe("responseStartTimeoutSeconds", () => {
  it.each([
    [true, false],
    [false, true],
  ])("written: %s, fires: %s", async (written, fires) => {
    const { clock, fired, write } = timersOf({ responseStartTimeoutMs: 5_000 });
    await clock.advance(4_999);
    if (written) write();
    await clock.advance(1);
    expect(fired()?.includes("responseStartTimeoutSeconds (5 s)") ?? false).toBe(fires);
  });
});

describe("idleTimeoutSeconds", () => {
  it("fires before the first byte as well", async () => {
    const { clock, fired } = timersOf({ idleTimeoutMs: 10_000 });
    await clock.advance(9_999);
    expect(fired()).toBeUndefined();
    await clock.advance(1);
    expect(fired()).toContain("idleTimeoutSeconds (10 s)");
  });

  it("counts from the last write", async () => {
    const { clock, fired, write } = timersOf({ idleTimeoutMs: 10_000 });
    for (let n = 0; n < 5; n += 1) {
      await clock.advance(9_000);
      write();
    }
    await clock.advance(9_999);
    expect(fired()).toBeUndefined();
    await clock.advance(1);
    expect(fired()).toContain("idleTimeoutSeconds");
  });
});

it("leaves no timer after clear, not even one that was re-armed", async () => {
  const { clock, timers, write } = timersOf({ idleTimeoutMs: 10_000, responseStartTimeoutMs: 20_000 });
  write();
  await clock.advance(5_000);
  write();
  await clock.advance(6_000);
  expect(clock.pending).toBe(3);
  timers.clear();
  expect(clock.pending).toBe(0);
  await clock.advance(1_000_000);
  expect(timers.signal.aborted).toBe(false);
});
