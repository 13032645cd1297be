import { describe, expect, it } from "vitest";
import { displayWidth } from "../../src/report/display-width.ts";
import { chartLines } from "../../src/report/simulation-chart.ts";
import { jsonOfResult, jsonOfTrace } from "../../src/report/simulation-json.ts";
import { chooseMoments } from "../../src/report/simulation-moments.ts";
import type { SimulatedChange, SimulationResult } from "../../src/report/simulation-result.ts";
import { axisStep, compactTime } from "../../src/report/simulation-time.ts";
import { simulationLines } from "../../src/report/simulation.ts";
import { createTheme } from "../../src/report/theme.ts";

const theme = createTheme(0, {});
const ESC = String.fromCharCode(0x1b);

function change(t: number, instances: number, more: Partial<SimulatedChange> = {}): SimulatedChange {
  return {
    t,
    load: 5,
    instances,
    ready: instances,
    waiting: 0,
    panic: false,
    reason: `${instances} at ${t}`,
    ...more,
  };
}

/** Four stretches of ten seconds: nothing; a burst that starts three; all ready; going. */
function result(more: Partial<SimulationResult> = {}): SimulationResult {
  const stretches = (...values: number[]): number[] => [
    ...values.flatMap((value) => Array<number>(10).fill(value)),
    0,
  ];
  return {
    of: "service hello in service.yaml",
    load: "10s:0, 20s:200, 10s:0",
    unit: "concurrency",
    durationSeconds: 40,
    settings: {
      metric: "concurrency",
      target: 70,
      total: 100,
      containerConcurrency: 0,
      minScale: 0,
      maxScale: 0,
      activationScale: 0,
      stableWindowSeconds: 60,
      panicWindowSeconds: 6,
      panicThreshold: 2,
      maxScaleUpRate: 1000,
      maxScaleDownRate: 2,
      targetBurstCapacity: 211,
      scaleDownDelaySeconds: 0,
      podRetentionSeconds: 0,
      scaleToZeroGraceSeconds: 30,
      enableScaleToZero: true,
    },
    model: { startupSeconds: 10, requestSeconds: 0.1, timeoutSeconds: 300, seed: 1 },
    requests: {
      served: 20_200,
      held: 200,
      refused: 3,
      timedOut: 0,
      unanswered: 0,
      heldMs: { p50: 2000, p95: 9000, max: 10_000 },
    },
    coldStarts: 1,
    instancesStarted: 3,
    mostInstances: 3,
    instanceSeconds: 90.5,
    panicSeconds: 30,
    changes: [
      change(0, 0),
      change(10.25, 3, { ready: 0, waiting: 200, panic: true }),
      change(20, 3, { panic: true }),
    ],
    seconds: {
      load: stretches(0, 200, 200, 0),
      ready: stretches(0, 0, 3, 3),
      starting: stretches(0, 3, 0, 0),
      waiting: stretches(0, 200, 0, 0),
      panic: stretches(0, 1, 1, 1).map((on) => (on > 0 ? 1 : 0)),
    },
    ...more,
  };
}

const chart = (columns: number, of = result(), ascii = false): string[] =>
  chartLines(of, { columns, theme, ascii });

describe("the drawing", () => {
  it("shows load, instances starting and ready, waiting requests and panic above one axis", () => {
    expect(chart(57)).toEqual([
      "in flight 200  │          ████████████████████",
      "               │          ████████████████████",
      "               │          ████████████████████",
      "               │          ████████████████████",
      "               │",
      "instances 3    │          ░░░░░░░░░░████████████████████",
      "               │          ░░░░░░░░░░████████████████████",
      "               │          ░░░░░░░░░░████████████████████",
      "░ starting     │",
      "               │",
      "waiting 200    │          ██████████",
      "               │          ██████████",
      "               │",
      "panic          │          ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━",
      "               └┬─────────┬─────────┬─────────┬─────────",
      "                0s        10s       20s       30s",
    ]);
  });

  it("leaves out what never was", () => {
    const calm = result();
    const { load } = calm.seconds;
    const nothing = load.map(() => 0);
    const seconds = {
      ...calm.seconds,
      waiting: [],
      panic: load.map(() => 0 as const),
      load: nothing,
      starting: nothing,
      ready: nothing,
    };
    const lines = chart(57, result({ seconds, unit: "rps" }));
    expect(lines.join("\n")).not.toMatch(/waiting|panic|█/);
    expect(lines[0]).toBe("rps            │");
  });

  it.each([40, 80, 120, 300])("fits a terminal of %i columns", (columns) => {
    for (const line of [...chart(columns), ...chart(columns, long())]) {
      expect(displayWidth(line)).toBeLessThanOrEqual(columns);
    }
  });

  it("keeps the peaks of a long time, and says how long a column is", () => {
    const lines = chart(80, long());
    // A single second in a day.
    expect(lines[0]).toMatch(/^in flight 900 {2}│ {30}█$/);
    expect(lines.at(-1)?.trim()).toBe("each column is the highest of 22m51s");
    expect(lines.at(-2)).toContain("4h");
  });

  it("shows any instance, however many there are at the most", () => {
    const of = long();
    const ready = of.seconds.load.map((load) => (load > 0 ? 1000 : 1));
    const lines = chart(80, { ...of, seconds: { ...of.seconds, ready } });
    const bottom = lines.findIndex((line) => line.startsWith("instances")) + 5;
    expect(lines[bottom]).toMatch(/│▁{30}█▁{32}$/);
  });

  it("needs nothing outside ASCII on the Linux console", () => {
    expect(chart(57, result(), true).join("")).toMatch(/^[ -~]*$/);
  });
});

/** A day with one second of load in its middle. */
function long(): SimulationResult {
  const nothing = Array<number>(86_401).fill(0);
  const load = nothing.with(42_000, 900);
  const panic = nothing.map(() => 0 as const);
  return result({
    durationSeconds: 86_400,
    seconds: { load, ready: nothing, starting: nothing, waiting: nothing, panic },
  });
}

describe("the text", () => {
  it("on a terminal: whose settings, the drawing, the sums, the moments", () => {
    const lines = simulationLines(result(), { theme, columns: 80, ascii: false });
    expect(lines[0]).toBe("service hello in service.yaml under 10s:0, 20s:200, 10s:0, 40.0 s");
    const from = lines.findIndex((line) => line.startsWith("requests"));
    expect(lines.slice(from)).toEqual([
      "requests        20200 served, 200 held, 3 refused",
      "held            half at most 2.0 s, 95 % at most 9.0 s, longest 10.0 s",
      "cold starts     1 from zero; 3 instances started, at most 3 at once",
      "cost            90.5 instance-seconds, 2.26 instances on average",
      "panic           30.0 s",
      "",
      "0s              0 at 0",
      "10.3s           3 at 10.25",
      "20s             3 at 20",
    ]);
  });

  it("elsewhere: a table of all changes, without escapes, and no line is broken", () => {
    const reason = "a reason that goes on and on ".repeat(6).trim();
    const changes = Array.from({ length: 40 }, (_, t) => change(t, t % 3, { reason }));
    const lines = simulationLines(result({ changes }), { theme, columns: undefined, ascii: false });
    const from = lines.findIndex((line) => line.startsWith("time"));
    expect(lines[from]).toBe("time  load  instances  ready  waiting  panic  why");
    expect(lines[from + 1]).toBe(`0s    5     0          0      0        no     ${reason}`);
    expect(lines.slice(from + 1, from + 41).every((line) => line.endsWith(reason))).toBe(true);
    expect(lines.join("\n")).not.toContain(ESC);
    expect(lines.join("\n")).not.toContain("█");
  });

  it("breaks between words, never between a figure and its unit, and leaves no space that does not break", () => {
    const reason = "1 instance: none in flight, last request 49 s ago, to zero in 32 s";
    for (let columns = 45; columns < 90; columns += 1) {
      const lines = simulationLines(result({ changes: [change(0, 1, { reason })] }), {
        theme,
        columns,
        ascii: false,
      });
      expect(lines.filter((line) => /^\s+(?:s|ms|min|%)(?:[ ,]|$)/.test(line))).toEqual([]);
      expect(lines.join("")).not.toContain("\u00A0");
    }
  });

  it("has colours where they are wanted", () => {
    const coloured = createTheme(1, {});
    expect(simulationLines(result(), { theme: coloured, columns: 80, ascii: false }).join("")).toContain(ESC);
  });

  it("tells nothing of requests where there were none", () => {
    const { requests: _requests, model: _model, ...scenario } = result();
    const text = simulationLines(scenario, { theme, columns: 80, ascii: false }).join("\n");
    expect(text).not.toMatch(/served|^model|^held/m);
  });

  it("passes no control character of a name on to the terminal", () => {
    const text = simulationLines(result({ of: `scenario ${ESC}]52;c;x` }), {
      theme,
      columns: 80,
      ascii: false,
    }).join("");
    expect(text).not.toContain(ESC);
  });
});

describe("the moments that matter", () => {
  const many = Array.from({ length: 100 }, (_, t) => change(t, 10 + (t % 2)));

  it("are all where they are few", () => {
    expect(chooseMoments(many.slice(0, 5), 5)).toEqual(many.slice(0, 5));
  });

  it("are starts from zero, panic and the peak before small steps, in their order", () => {
    const special = [change(20.5, 0), change(21.5, 1), change(50.5, 10, { panic: true }), change(70.5, 40)];
    const all = [...many, ...special].toSorted((a, b) => a.t - b.t);
    const chosen = chooseMoments(all, 8);
    expect(chosen).toHaveLength(8);
    for (const { t } of special) expect(chosen.map((one) => one.t)).toContain(t);
    expect(chosen).toEqual(chosen.toSorted((a, b) => a.t - b.t));
  });

  it("say how many there are beside", () => {
    const lines = simulationLines(result({ changes: many }), { theme, columns: 80, ascii: false });
    expect(lines.at(-1)).toBe("88 more changes: pipe this, or --output json");
  });
});

describe("JSON", () => {
  it("is the result, one line for each change", () => {
    const text = jsonOfResult(result());
    expect(JSON.parse(text)).toEqual(result());
    expect(text.split("\n").filter((line) => line.trim().startsWith(`{"t":`))).toHaveLength(3);
    expect(text.endsWith("}\n")).toBe(true);
  });

  it("of a trace is the trace", () => {
    const trace = {
      name: `x"`,
      ticks: [{ t: 0, stable: undefined, load: 1 }],
      changes: undefined,
      empty: [],
    };
    expect(JSON.parse(jsonOfTrace(trace))).toEqual({ name: `x"`, ticks: [{ t: 0, load: 1 }], empty: [] });
  });
});

describe("times", () => {
  it.each([
    [0, "0s"],
    [4.25, "4.3s"],
    [60, "1m"],
    [65, "1m05s"],
    [3600, "1h"],
    [3660, "1h01m"],
    [3601, "1h00m01s"],
    [59.96, "1m"],
    [90_000, "25h"],
  ])("%d is %s", (seconds, text) => {
    expect(compactTime(seconds)).toBe(text);
  });

  it.each([
    [40, 40, 10],
    [86_400, 62, 14_400],
    [600, 62, 120],
    [5, 62, 1],
    [2_678_400, 62, 432_000],
  ])("an axis of %i s in %i cells has a mark every %i s", (seconds, cells, step) => {
    expect(axisStep(seconds, cells, 9)).toBe(step);
  });
});
