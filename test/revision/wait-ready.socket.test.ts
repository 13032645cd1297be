import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/kernel/clock.ts";
import type { Probe } from "../../src/manifest/spec.ts";
import { waitReady } from "../../src/revision/probe/wait-ready.ts";
import { FakeClock, settle } from "../support/fake-clock.ts";
import { closePorts, http, targetAt } from "./ports.ts";
import { Watched } from "./rig.ts";

afterEach(closePorts);

describe("waitReady", () => {
  /** Passes or fails as the script says, then as its last entry says; tells of each try. */
  async function scripted(script: readonly boolean[]) {
    const watched = new Watched();
    let tries = 0;
    const port = await http((_request, response) => {
      const passes = script[Math.min(tries, script.length - 1)];
      tries += 1;
      response.writeHead(passes === true ? 200 : 500).end();
    });
    const controller = new AbortController();
    const clock = new FakeClock();
    const failures: string[] = [];
    return {
      clock,
      controller,
      failures,
      tries: () => tries,
      failed: (count: number) => watched.until(() => failures.length >= count),
      wait: (probe: Probe, realClock = systemClock()) =>
        waitReady({
          probe: { httpGet: {}, ...probe },
          target: targetAt(port),
          clock,
          realClock,
          signal: controller.signal,
          onFailure: (reason) => {
            failures.push(reason);
            watched.wake();
          },
        }),
    };
  }

  it("with period 0 tries again within 50 ms of real time, without the platform's clock", async () => {
    const run = await scripted([false, false, false, true]);
    await run.wait({ periodSeconds: 0 });
    expect(run.failures).toEqual(Array.from({ length: 3 }, () => "HTTP 500 at /"));
    expect(run.clock.pending).toBe(0);
  });

  it("with period 0 polls every few ms at first, and from the fourth second on at growing steps up to 50 ms", async () => {
    const run = await scripted([false]);
    const real = new FakeClock();
    const waiting = run.wait({ periodSeconds: 0 }, real);
    const nextStep = async (): Promise<number> => {
      const failures = run.tries();
      await run.failed(failures);
      await settle();
      const before = real.now();
      while (run.failures.length === failures && real.pending > 0 && run.tries() === failures)
        await real.advance(1);
      return real.now() - before;
    };
    const eager: number[] = [];
    await run.failed(1);
    for (let n = 1; n <= 10; n += 1) eager.push(await nextStep());
    await run.failed(run.tries());
    await settle();
    await real.advance(3_000);
    const later: number[] = [];
    for (let n = 1; n <= 12; n += 1) later.push(await nextStep());
    run.controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    expect(eager[0]).toBeLessThanOrEqual(4);
    expect(Math.max(...eager)).toBeLessThanOrEqual(8);
    expect(later.at(-1)).toBe(50);
    expect(Math.max(...later)).toBe(50);
  });

  it("with a period waits that long on the platform's clock, and first for the initial delay", async () => {
    const run = await scripted([false, true]);
    const done = run.wait({ periodSeconds: 10, initialDelaySeconds: 5 });
    await run.clock.advance(4_999);
    expect(run.tries()).toBe(0);
    await run.clock.advance(1);
    await run.failed(1);
    await settle();
    await run.clock.advance(9_999);
    expect(run.tries()).toBe(1);
    await run.clock.advance(1);
    await done;
    expect(run.tries()).toBe(2);
    expect(run.clock.pending).toBe(0);
  });

  it("wants successThreshold passes in a row", async () => {
    const run = await scripted([true, false, true, true, true]);
    await run.wait({ periodSeconds: 0, successThreshold: 3 });
    expect(run.tries()).toBe(5);
  });

  it("ends with the signal's reason and leaves no timer", async () => {
    const run = await scripted([false]);
    const real = new FakeClock();
    const waiting = run.wait({ periodSeconds: 0 }, real);
    await run.failed(1);
    run.controller.abort(new Error("scaled down"));
    await expect(waiting).rejects.toThrow("scaled down");
    expect(real.pending).toBe(0);
  });
});
