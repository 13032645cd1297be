import { describe, expect, it } from "vitest";
import type { Runtime } from "./engine-suite-runtime.ts";

export function logTests({ start, needs, harness }: Runtime): void {
  describe("logs", () => {
    it("come by line, in the order of their stream, with the container's name; empty lines and a last partial line count", async () => {
      const print = [
        ["stdout", "one\ntwo\n\nth"],
        ["stderr", "uh\n"],
        ["stdout", "ree\n"],
        ["stderr", "oh, without end"],
      ];
      const { instance, log } = await start({ PRINT: JSON.stringify(print), EXIT: "0" }, { name: "web" });
      await instance.exited;
      expect(log.of("stdout")).toEqual(["one", "two", "", "three"]);
      expect(log.of("stderr")).toEqual(["uh", "oh, without end"]);
      expect(new Set(log.all.map((line) => line.container))).toEqual(new Set(["web"]));
    });

    it("keep characters whole and lose nothing of a long line, however it is cut", async (context) => {
      needs(context, "bytes");
      const long = "日本語 grüße 🎉 ".repeat(12_000);
      const { instance, log } = await start({
        PRINT: JSON.stringify([["stdout", "短い\n"]]),
        EXIT: "0",
      });
      await instance.exited;
      expect(log.of("stdout")).toEqual(["短い"]);
      const script = `process.stdout.write("日本語 grüße 🎉 ".repeat(12000) + "\\nafter\\n")`;
      const second = await start({}, { command: [harness.node, "-e", script] });
      await second.instance.exited;
      const lines = second.log.of("stdout");
      expect(lines.at(-1)).toBe("after");
      expect(lines.slice(0, -1).join("")).toBe(long);
    });

    it("are complete when `exited` resolves, also when there are many", async () => {
      const lines = Array.from({ length: 2000 }, (_, index) => `line ${index}`);
      const { instance, log } = await start({
        PRINT: JSON.stringify([["stdout", `${lines.join("\n")}\n`]]),
        EXIT: "0",
      });
      await instance.exited;
      expect(log.of("stdout")).toEqual(lines);
    });
  });
}
