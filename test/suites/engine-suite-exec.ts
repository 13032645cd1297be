import { describe, expect, it } from "vitest";
import { NEVER, type Runtime } from "./engine-suite-runtime.ts";

export function execTests({ listening, needs, harness }: Runtime): void {
  describe("exec", () => {
    it("gives exit code and output of a command that runs beside the app, with its environment", async (context) => {
      needs(context, "exec");
      const { instance } = await listening({ GREETING: "hello there" });
      const script = "process.stdout.write(process.env.GREETING); process.exitCode = 3";
      const result = await instance.exec([harness.node, "-e", script], NEVER);
      expect(result).toEqual({ exitCode: 3, output: "hello there" });
      expect(await instance.exec([harness.node, "-e", "0"], NEVER)).toEqual({ exitCode: 0, output: "" });
    });

    it("keeps the first 4 KiB of output, both streams", async (context) => {
      needs(context, "exec");
      const { instance } = await listening();
      const script = "process.stderr.write('e'.repeat(50)); process.stdout.write('o'.repeat(100000))";
      const { output } = await instance.exec([harness.node, "-e", script], NEVER);
      expect(output).toHaveLength(4096);
      expect(output).toContain("e".repeat(50));
    });

    it("answers a command that isn't there with a failure's exit code", async (context) => {
      needs(context, "exec");
      const { instance } = await listening();
      expect((await instance.exec(["no-such-command-here"], NEVER)).exitCode).toBeGreaterThan(125);
    });

    it("rejects when aborted", async (context) => {
      needs(context, "exec");
      const { instance } = await listening();
      const controller = new AbortController();
      const reason = new Error("probe timed out");
      const running = instance.exec([harness.node, "-e", "setInterval(() => {}, 1000)"], controller.signal);
      controller.abort(reason);
      await expect(running).rejects.toBe(reason);
    });

    it("rejects when the instance is gone", async (context) => {
      needs(context, "exec");
      const { instance } = await listening();
      await instance.stop(0);
      await expect(instance.exec([harness.node, "-e", "0"], NEVER)).rejects.toThrow();
    });
  });
}
