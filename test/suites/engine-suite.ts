/**
 * The contract of src/engine/engine.ts as a test, run against every implementation. To run it against yours:
 *
 *   engineSuite("docker", { create, source, missing, node: "node", leftovers, absent: {} });
 *
 * - The app is test/apps/contract-app. `source()` has to give it as an image with ENTRYPOINT ["node", "<dir>/server.js"],
 *   CMD ["from-cmd"], ENV FROM_IMAGE=image OVERRIDDEN=image and the directory of server.js as working directory, which is
 *   what its Dockerfile does.
 * - Every instance of one test has a name that begins with a marker, and SUITE_MARKER=<marker> in its environment.
 *   `leftovers(marker)` names whatever of them still exists (processes, containers); it is asked after `close`.
 * - What an engine can't do is named in `absent` with the reason; the test is then skipped and the reason printed.
 */
import { afterEach, beforeEach, describe, expect, it, type TestContext } from "vitest";
import type { Artifact, ContainerRun, Engine, InstanceRun } from "../../src/engine/engine.ts";
import { exitTests, stopTests } from "./engine-suite-ends.ts";
import { engineTests } from "./engine-suite-engine.ts";
import { execTests } from "./engine-suite-exec.ts";
import { logTests } from "./engine-suite-logs.ts";
import {
  type Capability,
  type EngineHarness,
  Log,
  NEVER,
  type Runtime,
  type Started,
} from "./engine-suite-runtime.ts";
import { startTests } from "./engine-suite-start.ts";

let runs = 0;
let instances = 0;

export function engineSuite(name: string, harness: EngineHarness): void {
  for (const [capability, reason] of Object.entries(harness.absent ?? {})) {
    console.info(`engine contract: ${name}: skips what needs "${capability}": ${reason}`);
  }
  describe(`engine contract: ${name}`, () => {
    let engine: Engine;
    let artifact: Artifact;
    let marker: string;

    beforeEach(async () => {
      runs += 1;
      marker = `suite-${process.pid}-${runs}`;
      engine = await harness.create();
      artifact = await engine.prepare(harness.source(), { signal: NEVER, onProgress: () => undefined });
    });
    afterEach(async () => {
      await engine.close();
      expect(await harness.leftovers(marker)).toEqual([]);
    });

    const runOf = (env: Record<string, string>, main: Partial<ContainerRun>, log: Log): InstanceRun => ({
      name: `${marker}-${(instances += 1)}`,
      service: "suite",
      revision: "suite-00001",
      port: 8080,
      onLog: log.add,
      main: {
        name: "user-container",
        artifact,
        env: [["PORT", "8080"], ["SUITE_MARKER", marker], ...Object.entries(env)],
        files: [],
        emptyDirs: [],
        ...main,
      },
    });
    const start = async (
      env: Record<string, string> = {},
      main: Partial<ContainerRun> = {},
    ): Promise<Started> => {
      const log = new Log();
      return { instance: await engine.start(runOf(env, main, log), NEVER), log };
    };
    const listening = async (
      env: Record<string, string> = {},
      main: Partial<ContainerRun> = {},
    ): Promise<Started> => {
      const started = await start(env, main);
      await started.log.line("listening");
      return started;
    };
    const needs = (context: TestContext, capability: Capability): void => {
      const reason = harness.absent?.[capability];
      if (reason !== undefined) context.skip(`${name}: ${reason}`);
    };
    const runtime: Runtime = {
      engine: () => engine,
      marker: () => marker,
      runOf,
      start,
      listening,
      needs,
      harness,
    };

    it("describes itself", () => {
      expect(engine.description.title).not.toBe("");
    });
    startTests(runtime);
    logTests(runtime);
    exitTests(runtime);
    stopTests(runtime);
    execTests(runtime);
    engineTests(runtime, () => artifact);
  });
}
