import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { simulateTo } from "../../src/app/simulate-to.ts";
import { simulateLoad, type SimulateOptions } from "../../src/app/simulate.ts";
import type { KserveLocalError } from "../../src/kernel/errors.ts";
import type { PlatformEvent } from "../../src/resources/events.ts";
import type { Trace, TraceTick } from "../../src/scaling/trace.ts";
import { Sink } from "../report/screen.ts";
import { serviceYaml } from "../support/service-yaml.ts";

const events: PlatformEvent[] = [];
let cwd = "";
beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), "kserve-local-simulate-"));
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

function options(more: Partial<SimulateOptions> = {}): SimulateOptions {
  return {
    paths: [],
    cwd,
    stdin: new PassThrough(),
    profile: "gke",
    onEvent: (event) => void events.push(event),
    load: "30s:50, 3m:0",
    startupSeconds: 2,
    requestSeconds: 0.1,
    seed: 1,
    ...more,
  };
}

/** With this manifest on standard input. */
function withManifest(yaml: string, more: Partial<SimulateOptions> = {}): SimulateOptions {
  const stdin = new PassThrough();
  stdin.end(yaml);
  return options({ paths: ["-"], stdin, ...more });
}

async function refusal(promise: Promise<unknown>): Promise<KserveLocalError> {
  return promise.then(
    () => expect.fail("it was not refused"),
    (error: unknown) => error as KserveLocalError,
  );
}

async function printed(scenario: string, output: "text" | "json"): Promise<string> {
  const stdout = new Sink();
  await simulateTo({ stdout, env: {} }, { scenario }, { ...options(), output });
  return stdout.text;
}

describe("scenarios", () => {
  const folder = fileURLToPath(new URL("../../../shared/conformance/kpa/", import.meta.url));
  const names = existsSync(folder)
    ? readdirSync(folder).flatMap((file) => /^(.*)(?<!\.out)\.json$/.exec(file)?.[1] ?? [])
    : [];

  // The means are compared as far as their rules define them, all the rest exactly.
  const rounded = (trace: Trace): Trace => ({
    ...trace,
    ticks: trace.ticks.map((tick: TraceTick) => ({
      ...tick,
      ...(tick.stable === undefined ? {} : { stable: Number(tick.stable.toFixed(6)) }),
      ...(tick.panic === undefined ? {} : { panic: Number(tick.panic.toFixed(6)) }),
    })),
  });

  it.skipIf(names.length === 0)(`print the traces of Knative's own autoscaler: ${names.length}`, async () => {
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      const expected = JSON.parse(readFileSync(path.join(folder, `${name}.out.json`), "utf8")) as Trace;
      const actual = JSON.parse(await printed(path.join(folder, `${name}.json`), "json")) as Trace;
      expect(rounded(actual), name).toEqual(rounded(expected));
      const text = await printed(path.join(folder, `${name}.json`), "text");
      expect(text.split("\n")[0], name).toContain(`scenario ${name}`);
    }
  });

  it("are told in words as well, with what can be known without requests", async () => {
    const file = path.join(cwd, "burst.json");
    const load = [{ from: 5, to: 35, concurrency: 500 }];
    const pods = { mode: "simulated", start: "zero", startDelay: 5 };
    await writeFile(
      file,
      JSON.stringify({ name: "burst", duration: 120, load, pods, events: null, progressDeadline: "" }),
    );
    const lines = (await printed("burst.json", "text")).split("\n");
    expect(lines).toContain(
      "5s     500   8          0      -        yes    500 in flight on average over 6 s (panic) at 70 each: 8",
    );
    expect(lines.find((line) => line.startsWith("cold starts"))).toContain(
      "1 from zero; 8 instances started",
    );
    expect(lines.join("\n")).not.toContain("served");
  });

  it.each([
    ["{", "not JSON", ""],
    ["[]", "not a scenario", "a scenario is an object"],
    ["{}", "not a scenario", "duration must be a whole number from 0 to 2678400"],
    [`{"duration": 10}`, "not a scenario", "pods.mode must be"],
    [`{"duration": 10, "pods": {"mode": "simulated"}}`, "not a scenario", "pods.start is missing"],
    [
      `{"duration": 10, "pods": {"mode": "given", "series": [{"from": 0}]}}`,
      "not a scenario",
      "pods.series[0].ready",
    ],
    [
      `{"duration": 10, "load": [{"from": 1, "to": "x"}], "pods": {"mode": "given"}}`,
      "not a scenario",
      "load[0].to",
    ],
    [
      `{"duration": 10, "annotations": {"a": 1}, "pods": {"mode": "given"}}`,
      "not a scenario",
      "annotations must be",
    ],
    [
      `{"duration": 10, "progressDeadline": "soon", "pods": {"mode": "given"}}`,
      "not a scenario",
      "progressDeadline",
    ],
  ])("are refused where they are none: %s", async (text, what, why) => {
    await writeFile(path.join(cwd, "bad.json"), text);
    const error = await refusal(printed("bad.json", "json"));
    expect(error).toMatchObject({ code: "usage", exitCode: 2, at: { file: "bad.json" } });
    expect(error.message).toContain(what);
    expect(error.why).toContain(why);
  });

  it("must be there", async () => {
    expect(await refusal(printed("none.json", "json"))).toMatchObject({ code: "usage" });
  });
});

describe("settings", () => {
  it("are Knative's defaults where there is no manifest", async () => {
    const result = await simulateLoad(options());
    expect(result).toMatchObject({
      of: "a service with Knative's defaults",
      durationSeconds: 210,
      settings: { metric: "concurrency", target: 70, containerConcurrency: 0, stableWindowSeconds: 60 },
      model: { timeoutSeconds: 300 },
      coldStarts: 1,
      mostInstances: 1,
    });
  });

  it("are those of the service.yaml that is here", async () => {
    await writeFile(path.join(cwd, "service.yaml"), serviceYaml({ name: "here" }));
    expect((await simulateLoad(options())).of).toBe("service here in service.yaml");
    await rm(path.join(cwd, "service.yaml"));
  });

  it("come from annotations, the spec and config-autoscaler", async () => {
    const config = `apiVersion: v1
kind: ConfigMap
metadata: {name: config-autoscaler, namespace: knative-serving}
data: {stable-window: "30s", enable-scale-to-zero: "false"}
---
`;
    const annotations = { "autoscaling.knative.dev/target": "5", "autoscaling.knative.dev/max-scale": "4" };
    const spec = ["containerConcurrency: 10", "timeoutSeconds: 20"];
    const result = await simulateLoad(withManifest(config + serviceYaml({ annotations, spec })));
    expect(result).toMatchObject({
      settings: {
        target: 3.5,
        maxScale: 4,
        containerConcurrency: 10,
        stableWindowSeconds: 30,
        enableScaleToZero: false,
      },
      model: { timeoutSeconds: 20 },
      mostInstances: 4,
      coldStarts: 0,
    });
    // Forty places for fifty clients: some wait.
    expect(result.requests?.held).toBeGreaterThan(0);
  });

  it("are of the service that is named where there are several", async () => {
    const both = `${serviceYaml({ name: "a" })}---\n${serviceYaml({ name: "b" })}`;
    expect((await simulateLoad(withManifest(both, { service: "b" }))).of).toBe("service b in <stdin>");
    expect(await refusal(simulateLoad(withManifest(both)))).toMatchObject({
      code: "usage",
      why: "the Services are a, b",
    });
    expect((await refusal(simulateLoad(withManifest(both, { service: "c" })))).message).toContain(
      "no Service c",
    );
  });

  it("that the platform refuses are refused, with every problem told", async () => {
    events.length = 0;
    const annotations = { "autoscaling.knative.dev/target": "none" };
    const error = await refusal(simulateLoad(withManifest(serviceYaml({ annotations }))));
    expect(error).toMatchObject({ code: "manifest-invalid", exitCode: 2 });
    expect(events).toContainEqual(expect.objectContaining({ type: "problem", severity: "error" }));
  });

  it("of another autoscaler are not simulated", async () => {
    const annotations = { "autoscaling.knative.dev/class": "hpa.autoscaling.knative.dev" };
    const error = await refusal(simulateLoad(withManifest(serviceYaml({ annotations }))));
    expect(error.message).toContain("not scaled by Knative's own autoscaler");
  });
});

describe("loads", () => {
  it("that can't be read are shown with the place", async () => {
    const error = await refusal(simulateLoad(options({ load: "60s:5, 60x:1" })));
    expect(error).toMatchObject({ code: "usage", exitCode: 2, why: "60s:5, 60x:1\n       ^" });
    expect(error.message).toBe('--load, character 8: "60x" is no time; write 90s, 1.5m, 1h30m');
  });

  it("end earlier or later with a duration", async () => {
    expect((await simulateLoad(options({ durationSeconds: 10 }))).seconds.load).toEqual(
      Array.from({ length: 11 }, () => 50),
    );
    const longer = await simulateLoad(options({ load: "10s:1", durationSeconds: 200 }));
    expect(longer.seconds.load.at(10)).toBe(0);
    expect(longer.changes.at(-1)).toMatchObject({ instances: 0, ready: 0 });
  });

  it("depend on the seed where requests come by chance", async () => {
    const changes = async (seed: number) =>
      (await simulateLoad(options({ load: "1m:0.2rps", seed }))).changes;
    expect(await changes(1)).toEqual(await changes(1));
    expect(await changes(1)).not.toEqual(await changes(2));
  });

  it("never find an instance that needs longer than the platform waits", async () => {
    const slow = (profile: "gke" | "knative") =>
      simulateLoad(options({ startupSeconds: 250, durationSeconds: 300, profile }));
    expect((await refusal(slow("gke"))).why).toContain("after 240 s");
    expect((await slow("knative")).requests?.held).toBe(50);
  });
});

describe("the result", () => {
  it("agrees with itself", async () => {
    const { seconds, requests, changes, instanceSeconds } = await simulateLoad(
      options({ load: "20s:5..300, 3m:0" }),
    );
    const series = seconds.ready.map((ready, t) => ready + (seconds.starting[t] ?? 0));
    expect(instanceSeconds).toBe(series.slice(0, -1).reduce((sum, count) => sum + count, 0));
    expect(series).toHaveLength(201);
    for (const { t, instances, ready } of changes) {
      expect([instances, ready]).toEqual([series[t], seconds.ready[t]]);
    }
    expect(requests?.heldMs?.max).toBe(2000);
  });

  it("is described in docs/simulate.md, every field", async () => {
    const page = readFileSync(new URL("../../docs/simulate.md", import.meta.url), "utf8");
    const fields = (value: unknown): string[] =>
      typeof value !== "object" || value === null
        ? []
        : Array.isArray(value)
          ? fields(value[0])
          : Object.entries(value).flatMap(([name, member]) => [name, ...fields(member)]);
    const named = fields(await simulateLoad(options()));
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });
});
