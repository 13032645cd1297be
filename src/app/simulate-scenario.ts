/** `simulate --scenario`: a file in the input format of Knative's traces, and the trace of it. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { KserveLocalError, messageOf } from "../kernel/errors.ts";
import type { SimulatedChange, SimulationResult } from "../report/simulation-result.ts";
import { describeDecision } from "../scaling/explain.ts";
import { loadTimeline } from "../scaling/load-timeline.ts";
import { readScenario } from "../scaling/scenario.ts";
import type { ScalingSettings } from "../scaling/settings.ts";
import { settingsOf, simulate } from "../scaling/simulate.ts";
import type { Scenario, Trace, TraceChange, TraceTick } from "../scaling/trace.ts";
import { settingsFacts } from "./simulated-settings.ts";

export interface ScenarioRun {
  readonly scenario: Scenario;
  readonly trace: Trace;
}

/** @throws KserveLocalError `usage` */
export async function simulateScenario(file: string, cwd: string): Promise<ScenarioRun> {
  const read = readScenario(parse(await textOf(file, cwd), file));
  if ("scenario" in read) return { scenario: read.scenario, trace: simulate(read.scenario) };
  throw new KserveLocalError("usage", {
    what: "that is not a scenario",
    why: read.faults.join("\n"),
    fix: "docs/simulate.md says what a scenario holds",
    at: { file },
  });
}

async function textOf(file: string, cwd: string): Promise<string> {
  try {
    return await readFile(path.resolve(cwd, file), "utf8");
  } catch (error) {
    throw new KserveLocalError("usage", {
      what: "the scenario can't be read",
      why: messageOf(error),
      fix: "check the path; it is relative to the current directory",
      at: { file },
      cause: error,
    });
  }
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new KserveLocalError("usage", {
      what: "the scenario is not JSON",
      why: messageOf(error),
      at: { file },
      cause: error,
    });
  }
}

/** The trace for people: what there is without requests. */
export function resultOfTrace({ scenario, trace }: ScenarioRun, file: string): SimulationResult {
  const settings = settingsOf(scenario);
  const { duration } = scenario;
  const unit = settings.metric === "rps" ? "rps" : "concurrency";
  const states = statesOf(trace, duration);
  const changes = changesOf(states, settings);
  const steps = states.map(({ instances }, t) => instances - (states[t - 1]?.instances ?? instances));
  const loadIn = loadTimeline(scenario.load, duration);
  return {
    of: `scenario ${trace.name || file}`,
    unit,
    durationSeconds: duration,
    settings: settingsFacts(settings, scenario.containerConcurrency ?? 0),
    coldStarts: states.filter((state, t) => t > 0 && states[t - 1]?.instances === 0 && state.instances > 0)
      .length,
    instancesStarted: steps.reduce((sum, step) => sum + Math.max(0, step), 0),
    mostInstances: states.reduce((most, { instances }) => Math.max(most, instances), 0),
    instanceSeconds: states.slice(0, -1).reduce((sum, { instances }) => sum + instances, 0),
    panicSeconds: states.slice(0, -1).filter(({ tick }) => tick?.inPanic).length,
    changes,
    seconds: {
      load: states.map((_, t) => (unit === "rps" ? loadIn(t).rps : loadIn(t).concurrency)),
      ready: states.map(({ ready }) => ready),
      starting: states.map(({ instances, ready }) => instances - ready),
      waiting: [],
      panic: states.map(({ tick }) => (tick?.inPanic ? 1 : 0)),
    },
  };
}

interface State {
  readonly t: number;
  readonly instances: number;
  readonly ready: number;
  /** The last one so far. */
  readonly tick: TraceTick | undefined;
}

/** One for each second. Where instances are given, the ready ones are all there are. */
function statesOf(trace: Trace, duration: number): State[] {
  const states: State[] = [];
  let [nextTick, nextChange] = [0, 0];
  let tick: TraceTick | undefined;
  let change: TraceChange | undefined;
  for (let t = 0; t <= duration; t++) {
    for (; (trace.ticks[nextTick]?.t ?? Infinity) <= t; nextTick++) tick = trace.ticks[nextTick];
    for (; (trace.changes?.[nextChange]?.t ?? Infinity) <= t; nextChange++)
      change = trace.changes?.[nextChange];
    const ready = (change ?? tick)?.ready ?? 0;
    states.push({ t, instances: Math.max(ready, change?.replicas ?? ready), ready, tick });
  }
  return states;
}

function changesOf(states: readonly State[], settings: ScalingSettings): SimulatedChange[] {
  return states.flatMap(({ t, instances, ready, tick }, index) => {
    const before = states[index - 1];
    const desired = tick?.desired ?? -1;
    const panic = tick?.inPanic ?? false;
    const same =
      before?.instances === instances &&
      before.ready === ready &&
      (before.tick?.desired ?? -1) === desired &&
      (before.tick?.inPanic ?? false) === panic;
    return same
      ? []
      : [{ t, load: tick?.load ?? 0, instances, ready, panic, reason: reasonOf(tick, settings) }];
  });
}

function reasonOf(tick: TraceTick | undefined, settings: ScalingSettings): string {
  if (tick === undefined || !tick.valid) return "no data";
  const { stable = 0, panic = 0, inPanic, desired } = tick;
  return describeDecision(settings, { stable, panic, inPanic, desired, undelayed: desired });
}
