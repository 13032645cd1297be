import { describe, expect, it } from "vitest";
import { loadTimeline } from "../../src/scaling/load-timeline.ts";
import { simulate } from "../../src/scaling/simulate.ts";
import type { Scenario, SimulatedPods } from "../../src/scaling/trace.ts";

const DAY = 86_400;
const fromZero: SimulatedPods = { mode: "simulated", start: "zero", startDelay: 3 };

function changes(scenario: Partial<Scenario>): string[] {
  const trace = simulate({ duration: 200, load: [], pods: fromZero, ...scenario });
  return (trace.changes ?? []).map(({ t, replicas, ready, active, reason }) =>
    [`${t}s`, `${ready}/${replicas}`, active, reason].filter(Boolean).join(" "),
  );
}

describe("a whole day", () => {
  it("of silence is one row, with a decision every two seconds", () => {
    const trace = simulate({ duration: DAY, load: [], pods: fromZero });
    expect(trace.ticks).toHaveLength(DAY / 2 + 1);
    expect(trace.ticks.every((tick) => tick.desired === 0 && !tick.valid)).toBe(true);
    expect(trace.changes).toHaveLength(1);
  });

  it("with one request an hour has a cold start each", () => {
    const load = Array.from({ length: 24 }, (_, hour) => ({
      from: hour * 3600 + 5,
      to: hour * 3600 + 6,
      concurrency: 1,
    }));
    const trace = simulate({ duration: DAY, load, pods: fromZero });
    expect(trace.ticks.filter((tick) => tick.poked)).toHaveLength(24);
    expect(trace.changes?.filter((change) => change.active === "Unknown")).toHaveLength(24);
    expect(trace.changes?.at(-1)).toMatchObject({ replicas: 0, reason: "NoTraffic" });
  });
});

describe("instances in virtual time", () => {
  it("start late and go at once", () => {
    expect(changes({ load: [{ from: 5, to: 8, concurrency: 1 }] })).toEqual([
      "0s 0/0 False NoTraffic",
      "5s 0/1 Unknown Queued",
      "8s 1/1 True",
      "68s 1/1 False NoTraffic",
      "69s 0/0 False NoTraffic",
    ]);
  });

  it("begin with the initial scale", () => {
    const annotations = { "autoscaling.knative.dev/initial-scale": "3" };
    const pods = { mode: "simulated", start: "new", startDelay: 2 } as const;
    expect(changes({ duration: 2, annotations, pods })).toEqual(["0s 0/3 Unknown Queued", "2s 3/3 True"]);
  });

  it("need not begin at all where an initial scale of zero is allowed", () => {
    const scenario = {
      annotations: { "autoscaling.knative.dev/initial-scale": "0" },
      config: { "allow-zero-initial-scale": "true" },
      pods: { mode: "simulated", start: "new", startDelay: 1 } as const,
      load: [{ from: 9, to: 10, concurrency: 1 }],
      duration: 12,
    };
    // Nothing was decided yet, so nothing is poked: the next tick finds the request.
    expect(changes(scenario)).toEqual(["0s 0/0 False NoTraffic", "10s 0/1 Unknown Queued", "11s 1/1 True"]);
  });

  it("are reached through the activator as long as there are none, though it is not wanted in the path", () => {
    const annotations = {
      "autoscaling.knative.dev/initial-scale": "0",
      "autoscaling.knative.dev/target-burst-capacity": "0",
    };
    const config = { "allow-zero-initial-scale": "true" };
    const pods = { mode: "simulated", start: "new" } as const;
    const trace = simulate({ duration: 4, load: [], annotations, config, pods });
    // At first it is not known to be inactive.
    expect(trace.ticks.map((tick) => tick.mode)).toEqual(["Serve", "Proxy", "Proxy"]);
  });

  it.each([60, "60s"])("give up at the progress deadline: %j", (progressDeadline) => {
    const pods = { mode: "simulated", start: "new", neverReady: true } as const;
    expect(changes({ progressDeadline, pods })).toEqual([
      "0s 0/1 Unknown Queued",
      "91s 0/0 False TimedOut",
      "92s 0/0 False NoTraffic",
    ]);
  });

  it("lose their minimum with their route, and have it again with it", () => {
    const annotations = { "autoscaling.knative.dev/min-scale": "2" };
    const events = [
      { t: 120, reachability: "Reachable" as const },
      { t: 30, reachability: "Unreachable" as const },
    ];
    const rows = changes({ annotations, events, pods: { mode: "simulated", start: "running", running: 2 } });
    expect(rows[0]).toBe("0s 2/2 True");
    expect(rows).toContain("120s 0/2 Unknown Queued");
    expect(rows).toContain("121s 2/2 True");
  });
});

describe("load over time", () => {
  const at = (segments: Parameters<typeof loadTimeline>[0], ...seconds: number[]) =>
    seconds.map((second) => loadTimeline(segments, 100)(second).concurrency);

  it("holds in its seconds and is nothing elsewhere", () => {
    expect(at([{ from: 5, to: 8, concurrency: 3 }], 4, 5, 7, 8, 100)).toEqual([0, 3, 3, 0, 0]);
  });

  it("rises from its first second to its last", () => {
    expect(at([{ from: 0, to: 11, concurrency: 0, toConcurrency: 50 }], 0, 1, 10)).toEqual([0, 5, 50]);
    expect(at([{ from: 3, to: 4, concurrency: 7, toConcurrency: 50 }], 3)).toEqual([7]);
  });

  it("takes the first of two segments", () => {
    const segments = [
      { from: 5, to: 7, concurrency: 1 },
      { from: 0, to: 100, concurrency: 9 },
    ];
    expect(at(segments, 4, 5, 6, 7)).toEqual([9, 1, 1, 9]);
  });

  it("may begin before the scenario and end after it", () => {
    expect(at([{ from: -5, to: 1000, concurrency: 2 }], 0, 100)).toEqual([2, 2]);
  });
});
