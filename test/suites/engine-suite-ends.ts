import { describe, expect, it } from "vitest";
import { get, type Runtime } from "./engine-suite-runtime.ts";

export function exitTests({ start, listening, needs }: Runtime): void {
  describe("exit", () => {
    it("of a crash at the start carries the code", async () => {
      const { instance } = await start({ EXIT: "42" });
      expect(await instance.exited).toMatchObject({ code: 42, reason: "exited", killed: false });
    });

    it("of its own accord is seen", async () => {
      const { instance } = await listening();
      await get(instance, "/exit?code=7");
      expect(await instance.exited).toMatchObject({ code: 7, reason: "exited", killed: false });
      await expect(get(instance, "/")).rejects.toThrow();
    });

    it("by a signal is 128 and its number, and isn't our doing", async (context) => {
      needs(context, "signal-exit");
      const { instance } = await listening();
      await get(instance, "/die").catch(() => undefined);
      expect(await instance.exited).toMatchObject({ code: 137, killed: false });
    });
  });
}

export function stopTests({ listening }: Runtime): void {
  describe("stop", () => {
    it("lets requests in flight end when the app drains", async () => {
      const { instance, log } = await listening({ ON_SIGTERM: "drain" });
      const inFlight = get(instance, "/hold");
      await log.line("holding");
      expect(await instance.stop(10_000)).toMatchObject({ code: 0, reason: "exited", killed: false });
      expect(await inFlight).toBe("held until SIGTERM");
      expect(log.of("stdout").slice(-2)).toEqual(["draining", "drained"]);
    });

    it("kills what ignores SIGTERM after the grace period, and says so", async () => {
      const { instance, log } = await listening({ ON_SIGTERM: "ignore" });
      const exit = await instance.stop(300);
      expect(exit).toMatchObject({ code: 137, killed: true });
      expect(log.of("stdout")).toContain("ignoring SIGTERM");
      expect(await instance.exited).toEqual(exit);
    });

    it("shares one run among callers, but a shorter grace counts", async () => {
      const { instance, log } = await listening({ ON_SIGTERM: "ignore" });
      const slow = instance.stop(3_600_000);
      await log.line("ignoring SIGTERM");
      const quick = instance.stop(100);
      const late = instance.stop(3_600_000);
      const exits = await Promise.all([slow, quick, late]);
      expect(exits).toEqual([exits[0], exits[0], exits[0]]);
      expect(exits[0]).toMatchObject({ killed: true });
    });

    it("of what has ended already gives how it ended", async () => {
      const { instance } = await listening();
      await get(instance, "/exit?code=3");
      const exit = await instance.exited;
      expect(await instance.stop(1000)).toEqual(exit);
      expect(exit).toMatchObject({ code: 3, killed: false });
    });
  });
}
