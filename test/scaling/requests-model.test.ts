import { describe, expect, it } from "vitest";
import { isFault, type LoadShape, parseLoadShape } from "../../src/scaling/load-shape.ts";
import { arrivalsIn } from "../../src/scaling/requests-model-arrivals.ts";
import { type ModelInput, type ModelRun, runModel } from "../../src/scaling/requests-model.ts";
import { seededRandom } from "../../src/scaling/seeded-random.ts";
import { simulate } from "../../src/scaling/simulate.ts";
import { resolveSettings, type ScalingSettings } from "../../src/scaling/settings.ts";

/** Annotations without what stands before the slash. */
function settingsWith(annotations: Record<string, string>, containerConcurrency = 0): ScalingSettings {
  const full = Object.entries(annotations).map(([key, value]) => [`autoscaling.knative.dev/${key}`, value]);
  return resolveSettings({ annotations: Object.fromEntries(full), containerConcurrency, config: {} });
}

function shape(text: string): LoadShape {
  const load = parseLoadShape(text);
  if (isFault(load)) throw new Error(load.message);
  return load;
}

function run(text: string, more: Partial<ModelInput> = {}): ModelRun {
  const load = shape(text);
  return runModel({
    settings: settingsWith({}),
    containerConcurrency: 0,
    load,
    durationSeconds: load.end,
    startupMs: 2000,
    requestMs: 100,
    timeoutMs: 300_000,
    activatorQueue: 10_000,
    breakerFactor: 10,
    random: seededRandom(1),
    ...more,
  });
}

describe("decisions", () => {
  it.each([
    ["5s:0, 30s:500, 3m:0", 0, 5],
    ["20s:1..900, 20s:900..1, 2m:0", 0, 3],
    ["1m:30, 10s:75, 4m:20", 0, 1],
    ["1m:12.5, 30s:100, 3m:3", 10, 2],
  ])("are those of the trace of the same load: %s", (text, containerConcurrency, startDelay) => {
    const load = shape(text);
    const trace = simulate({
      duration: load.end,
      load: load.segments,
      containerConcurrency,
      pods: { mode: "simulated", start: "zero", startDelay },
    });
    const settings = settingsWith({}, containerConcurrency);
    const { moments } = run(text, { settings, containerConcurrency, startupMs: startDelay * 1000 });
    const counts = (rows: ReadonlyArray<{ t: number; count: number; ready: number }>) =>
      rows.filter(
        (row, index) => row.count !== rows[index - 1]?.count || row.ready !== rows[index - 1]?.ready,
      );
    expect(counts(moments.map(({ t, instances: count, ready }) => ({ t, count, ready })))).toEqual(
      counts((trace.changes ?? []).map(({ t, replicas: count, ready }) => ({ t, count, ready }))),
    );
  });

  it("begin at rest where there is a minimum: no panic, nothing to start", () => {
    const result = run("1m:0", { settings: settingsWith({ "min-scale": "3" }) });
    expect(result).toMatchObject({
      coldStarts: 0,
      instancesStarted: 0,
      panicSeconds: 0,
      instanceSeconds: 180,
    });
    expect(result.moments).toEqual([expect.objectContaining({ t: 0, instances: 3, ready: 3, panic: false })]);
  });
});

describe("clients that wait for their answers", () => {
  it("are all held for a cold start, to the millisecond", () => {
    const { requests, coldStarts } = run("10s:0, 10s:7", { startupMs: 2345 });
    expect(coldStarts).toBe(1);
    expect(requests).toMatchObject({ held: 7, heldMs: { p50: 2345, p95: 2345, max: 2345 } });
    // Seven at a time, ten a second each, from the start of the first to the end.
    expect(requests.served).toBe(Math.round(7 * 10 * (10 - 2.345)));
  });

  it("wait for a place by Little's law where there are too few", () => {
    const settings = settingsWith({ "max-scale": "1", "min-scale": "1" }, 10);
    const { requests } = run("10m:50", { settings, containerConcurrency: 10 });
    // 40 wait while 100 a second are served.
    expect(requests.heldMs?.p50).toBe(400);
    expect(requests).toMatchObject({ refused: 0, timedOut: 0 });
    expect(requests.served).toBe(60_000);
  });

  it("are still served after they were to stop", () => {
    const { requests, moments } = run("5s:0, 1s:3, 30s:0");
    expect(requests).toMatchObject({ served: 3, held: 3, unanswered: 0 });
    expect(moments.map(({ t, instances }) => [t, instances])).toContainEqual([5, 1]);
  });

  it("are served one after the other where they stopped and there are too few places", () => {
    const settings = settingsWith({ "max-scale": "1" }, 2);
    const { requests } = run("1s:50, 30s:0", { settings, containerConcurrency: 2 });
    // Two at a time from 2 s on: the last two have waited 2.4 s.
    expect(requests).toMatchObject({ served: 50, held: 50, unanswered: 0 });
    expect(requests.heldMs?.max).toBe(4400);
  });

  it("are refused where ten thousand wait", () => {
    const { requests, seconds } = run("5s:10100", { startupMs: 60_000 });
    expect(Math.max(...seconds.waiting)).toBe(10_000);
    // A hundred are sent away, and try again after the time of a request.
    expect(requests.refused).toBe(100 * 50);
  });

  it("give up at the timeout", () => {
    const { requests } = run("30s:4", { startupMs: 60_000, timeoutMs: 10_000 });
    expect(requests).toMatchObject({ served: 0, timedOut: 8, unanswered: 4 });
  });
});

describe("requests that come by themselves", () => {
  it("wake an instance at once, whenever they come", () => {
    const { moments, requests } = run("1m:0.1rps");
    const first = moments.find(({ instances }) => instances === 1);
    expect(Number.isInteger(first?.t)).toBe(false);
    expect(requests.heldMs?.max).toBe(2000);
  });

  it("are the same for the same seed, and others for another", () => {
    expect(run("1m:5rps", { random: seededRandom(7) })).toEqual(run("1m:5rps", { random: seededRandom(7) }));
    const served = [1, 2, 3].map((seed) => run("1m:5rps", { random: seededRandom(seed) }).requests.served);
    expect(new Set(served).size).toBeGreaterThan(1);
  });

  it.each([
    ["20s:50rps, 20s:0, 20s:900rps", 0, 5000],
    ["1m:30rps", 1, 3000],
    ["20s:400rps, 30s:20rps", 4, 3000],
    ["20s:2000rps", 2, 20_000],
  ])(
    "are each served, refused, timed out or still there: %s, limit %i",
    (text, containerConcurrency, timeoutMs) => {
      const settings = settingsWith({ "max-scale": "4" }, containerConcurrency);
      let sent = 0;
      const random = seededRandom(3);
      for (const { from, to, rps = 0 } of shape(text).segments)
        for (let t = from; t < to; t++) arrivalsIn(rps, random, (_, amount) => void (sent += amount));
      const { requests } = run(text, { settings, containerConcurrency, timeoutMs, random: seededRandom(3) });
      const { served, refused, timedOut, unanswered } = requests;
      expect(served + refused + timedOut + unanswered).toBe(sent);
      expect(requests.heldMs?.max ?? 0).toBeLessThanOrEqual(timeoutMs);
    },
  );

  it("wait where they meet by chance though there are places enough on average", () => {
    const settings = settingsWith({ "min-scale": "1", "max-scale": "1" }, 1);
    const { requests } = run("10m:5rps", { settings, containerConcurrency: 1 });
    // Half the time the one place is taken (M/D/1).
    expect(requests.held / requests.served).toBeGreaterThan(0.42);
    expect(requests.held / requests.served).toBeLessThan(0.58);
  });

  it("are refused by the breaker of an instance that they reach directly", () => {
    const annotations = { "min-scale": "1", "max-scale": "1", "target-burst-capacity": "0" };
    const { seconds, requests } = run("30s:200rps", {
      settings: settingsWith(annotations, 2),
      containerConcurrency: 2,
    });
    expect(Math.max(...seconds.waiting)).toBe(20);
    expect(requests.refused).toBeGreaterThan(5000);
  });
});

describe("arrivals", () => {
  it.each([0.5, 40, 99, 101, 1400, 50_000])("come %f a second, spread as Poisson's", (rate) => {
    const random = seededRandom(11);
    const seconds = 400;
    const counts = Array.from({ length: seconds }, () => {
      let [count, last] = [0, 0];
      arrivalsIn(rate, random, (afterMs, amount) => {
        expect(afterMs).toBeGreaterThanOrEqual(last);
        expect(afterMs).toBeLessThan(1000);
        [count, last] = [count + amount, afterMs];
      });
      return count;
    });
    const mean = counts.reduce((sum, count) => sum + count, 0) / seconds;
    const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / seconds;
    expect(Math.abs(mean - rate)).toBeLessThan(4 * Math.sqrt(rate / seconds));
    expect(variance / rate).toBeGreaterThan(0.7);
    expect(variance / rate).toBeLessThan(1.4);
  });
});
