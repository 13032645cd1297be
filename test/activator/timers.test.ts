import { describe, expect, it } from "vitest";
import { RequestTimers, type TimeoutSemantics } from "../../src/activator/timers.ts";
import type { Exchange } from "../../src/proxy/exchange.ts";
import type { RevisionPlan } from "../../src/revision/plan.ts";
import { planOf } from "../revision/rig.ts";
import { FakeClock } from "../support/fake-clock.ts";

/** As much of an exchange as timers look at. */
interface TimedExchange extends Pick<Exchange, "onWrite"> {
  responseStarted: boolean;
  status: number | undefined;
}

function timersOf(plan: Partial<RevisionPlan>, semantics: TimeoutSemantics = "total") {
  const clock = new FakeClock();
  const exchange: TimedExchange = { onWrite: undefined, responseStarted: false, status: undefined };
  const reasons: string[] = [];
  const timers = new RequestTimers(planOf({ timeoutMs: 300_000, ...plan }), { semantics, clock }, exchange, {
    onTimeout: (why) => void reasons.push(why),
  });
  const write = (status = 200): void => {
    exchange.responseStarted = true;
    exchange.status = status;
    exchange.onWrite?.();
  };
  const fired = (): string | undefined => reasons[0];
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
  const { clock, timers, write, fired } = timersOf({
    idleTimeoutMs: 10_000,
    responseStartTimeoutMs: 20_000,
  });
  write();
  await clock.advance(5_000);
  write();
  await clock.advance(6_000);
  expect(clock.pending).toBe(1);
  timers.clear();
  expect(clock.pending).toBe(0);
  await clock.advance(1_000_000);
  expect(fired()).toBeUndefined();
});

describe("a connection that has switched protocols", () => {
  it.each([
    [{ timeoutMs: 30_000 }, "total", "timeoutSeconds (30 s)"],
    [{ timeoutMs: 30_000 }, "first-byte", "timeoutSeconds (30 s)"],
    [{ responseStartTimeoutMs: 30_000 }, "total", "responseStartTimeoutSeconds (30 s)"],
    [{ idleTimeoutMs: 30_000 }, "total", "idleTimeoutSeconds (30 s)"],
  ] as const)("writes nothing that %j with %s semantics would see", async (plan, semantics, reason) => {
    const { clock, fired, write } = timersOf(plan, semantics);
    for (let second = 0; second < 29; second += 1) {
      write(101);
      await clock.advance(1_000);
    }
    expect(fired()).toBeUndefined();
    await clock.advance(1_000);
    expect(fired()).toContain(reason);
  });
});

it("remembers that a response went on after timeoutSeconds where it may", async () => {
  const { clock, timers, write, fired } = timersOf({ timeoutMs: 30_000 }, "first-byte");
  write();
  await clock.advance(29_999);
  expect(timers.outlived).toBe(false);
  await clock.advance(1);
  expect(timers.outlived).toBe(true);
  expect(fired()).toBeUndefined();
  expect(clock.pending).toBe(0);
});

it("fires the earliest of several first, and only that", async () => {
  const { clock, fired } = timersOf({
    timeoutMs: 30_000,
    responseStartTimeoutMs: 20_000,
    idleTimeoutMs: 25_000,
  });
  await clock.advance(19_999);
  expect(fired()).toBeUndefined();
  await clock.advance(1);
  expect(fired()).toContain("responseStartTimeoutSeconds");
  await clock.advance(60_000);
  expect(clock.pending).toBe(0);
});
