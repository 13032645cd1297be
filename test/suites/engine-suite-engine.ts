import { describe, expect, it } from "vitest";
import type { Artifact } from "../../src/engine/engine.ts";
import { get, Log, NEVER, type Runtime } from "./engine-suite-runtime.ts";

export function engineTests({ engine, runOf, listening, harness }: Runtime, artifact: () => Artifact): void {
  describe("the engine", () => {
    const quiet = { signal: NEVER, onProgress: () => undefined };

    it("gives equal ids for equal content", async () => {
      expect((await engine().prepare(harness.source(), quiet)).id).toBe(artifact().id);
    });

    it("tells what the image runs", () => {
      expect(artifact().cmd).toEqual(["from-cmd"]);
      expect(artifact().entrypoint[0]).toBe("node");
      expect(artifact().env).toContainEqual(["FROM_IMAGE", "image"]);
      expect(artifact().exposedPorts).toEqual(["8080/tcp"]);
    });

    it("fails with exit code 4 for what there is none of", async () => {
      const failure: unknown = await engine()
        .prepare(harness.missing(), quiet)
        .catch((error: unknown) => error);
      expect(failure).toMatchObject({ exitCode: 4 });
    });

    it("rejects with the signal's reason when preparing is aborted", async () => {
      const reason = new Error("never mind");
      const signal = AbortSignal.abort(reason);
      await expect(engine().prepare(harness.source(), { ...quiet, signal })).rejects.toBe(reason);
    });

    it("sweeps without harm to what is alive", async () => {
      const { instance } = await listening();
      await engine().sweep();
      expect(await get(instance, "/")).toBe("hello");
    });

    it("close ends everything, at once although SIGTERM is ignored, and can be called again", async () => {
      const one = await listening({ ON_SIGTERM: "ignore" });
      const two = await listening();
      await Promise.all([engine().close(), engine().close()]);
      await Promise.all([one.instance.exited, two.instance.exited]);
      await expect(get(one.instance, "/")).rejects.toThrow();
      await engine().close();
      await expect(engine().start(runOf({}, {}, new Log()), NEVER)).rejects.toThrow();
    });
  });
}
