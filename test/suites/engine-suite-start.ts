import { describe, expect, it } from "vitest";
import type { ContainerRun, EngineInstance } from "../../src/engine/engine.ts";
import { isKserveLocalError } from "../../src/kernel/errors.ts";
import { about, get, Log, NEVER, type Runtime } from "./engine-suite-runtime.ts";

export function startTests({ engine, runOf, start, listening, needs, harness, marker }: Runtime): void {
  describe("start", () => {
    it("gives an instance that answers at its address", async () => {
      const { instance } = await listening();
      expect(await get(instance, "/")).toBe("hello");
      expect(instance.id).not.toBe("");
    });

    it("hands over the image's environment, the run's over it, and of two equal names the later", async () => {
      const log = new Log();
      const run = runOf({ OVERRIDDEN: "run", EMPTY: "", UNICODE: "grüße 日本\n2" }, {}, log);
      const env = [["TWICE", "first"] as const, ...run.main.env, ["TWICE", "second"] as const];
      const instance = await engine().start({ ...run, main: { ...run.main, env } }, NEVER);
      await log.line("listening");
      const seen = await about(instance);
      expect(seen.env).toMatchObject({
        FROM_IMAGE: "image",
        OVERRIDDEN: "run",
        EMPTY: "",
        UNICODE: "grüße 日本\n2",
        TWICE: "second",
      });
      expect(seen.env["PORT"]).toBe(String(seen.port));
    });

    it.each<[string, Partial<ContainerRun>, string[]]>([
      ["ENTRYPOINT and CMD by default", {}, ["from-cmd"]],
      ["args replace CMD", { args: ["a", "b c", "$HOME *"] }, ["a", "b c", "$HOME *"]],
    ])("%s", async (_title, main, argv) => {
      const { instance } = await listening({}, main);
      expect((await about(instance)).argv).toEqual(argv);
    });

    it("command replaces ENTRYPOINT and drops CMD; args follow it", async (context) => {
      needs(context, "commands");
      const bare = await listening({}, { command: [harness.node, "server.js"] });
      expect((await about(bare.instance)).argv).toEqual([]);
      const both = await listening({}, { command: [harness.node, "server.js"], args: ["x"] });
      expect((await about(both.instance)).argv).toEqual(["x"]);
    });

    it("runs two at once, each at its own address", async () => {
      const [one, two] = await Promise.all([listening({ WHO: "one" }), listening({ WHO: "two" })]);
      expect(one.instance.id).not.toBe(two.instance.id);
      const seen = await Promise.all([about(one.instance), about(two.instance)]);
      expect(seen.map((each) => each.env["WHO"])).toEqual(["one", "two"]);
    });

    it("fails in the user's words when the command isn't there", async (context) => {
      needs(context, "commands");
      const failure = await start({}, { command: ["no-such-command-here"] }).catch((error: unknown) => error);
      expect(failure).toSatisfy((error) => isKserveLocalError(error, "start-failed"));
      expect(String(failure)).toContain("no-such-command-here");
    });

    it("rejects with the signal's reason when that is aborted already, and starts nothing", async () => {
      const reason = new Error("not wanted any more");
      const log = new Log();
      await expect(engine().start(runOf({}, {}, log), AbortSignal.abort(reason))).rejects.toBe(reason);
      expect(log.all).toEqual([]);
    });

    it("leaves nothing when it is aborted on the way, wherever that is", async () => {
      const reason = new Error("changed my mind");
      const outcomes = [0, 2, 8, 16, 32].map(async (turns) => {
        const controller = new AbortController();
        const starting = engine().start(runOf({}, {}, new Log()), controller.signal);
        starting.catch(() => undefined);
        for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        controller.abort(reason);
        // It may have been quicker; then it is ours to stop.
        const outcome = await starting.catch((error: unknown) => error);
        if (outcome === reason) return;
        await (outcome as EngineInstance).stop(0);
      });
      await Promise.all(outcomes);
      await expect.poll(() => harness.leftovers(marker()), { interval: 50, timeout: 10_000 }).toEqual([]);
    });
  });
}
