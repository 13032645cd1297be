import { effectiveMin } from "./bounds.ts";
import { initialExcessBurstCapacity } from "./decide.ts";
import { TICK_MS } from "./delay-window.ts";
import { parseDurationMs } from "./go-literals.ts";
import { Kpa } from "./kpa.ts";
import { loadTimeline, type SecondOfLoad } from "./load-timeline.ts";
import type { Decision, ScaleOutcome } from "./outcome.ts";
import { resolveSettings, type ScalingSettings } from "./settings.ts";
import { PodSimulation } from "./simulated-pods.ts";
import type { Reachability, Scenario, Trace, TraceChange, TraceTick } from "./trace.ts";

const SECOND_MS = 1000;

/**
 * Runs a scenario in virtual time, second by second, from 0 to its duration inclusive: the second's load is recorded,
 * then every second second (or at once, if a request comes at zero) a decision is made, then it is acted on.
 */
export function simulate(scenario: Scenario): Trace {
  const settings = settingsOf(scenario);
  const { pods } = scenario;
  return pods.mode === "given"
    ? trace(scenario, settings, { ticks: decideOnly(scenario, settings, readySeries(pods.series)) })
    : trace(
        scenario,
        settings,
        runSimulated(scenario, settings, new PodSimulation(pods, settings.initialScale)),
      );
}

function decideOnly(
  scenario: Scenario,
  settings: ScalingSettings,
  readyIn: (second: number) => number,
): TraceTick[] {
  const loadIn = loadTimeline(scenario.load, scenario.duration);
  const reachability = reachabilityOf(scenario);
  const kpa = new Kpa(settings, { now: 0, ready: readyIn(0) });
  const ticks: TraceTick[] = [];
  for (let t = 0; t <= scenario.duration; t++) {
    const now = t * SECOND_MS;
    const load = loadIn(t);
    const reachable = reachability(t);
    if (!load.noData) kpa.record(now, { concurrency: load.concurrency, requests: load.rps });
    if (now % TICK_MS !== 0) continue;
    const ready = readyIn(t);
    ticks.push(tickRow(settings, { t, load, ready, decision: kpa.tick(now, { ready, reachable }) }));
  }
  return ticks;
}

function runSimulated(
  scenario: Scenario,
  settings: ScalingSettings,
  pods: PodSimulation,
): { ticks: TraceTick[]; changes: TraceChange[] } {
  const loadIn = loadTimeline(scenario.load, scenario.duration);
  const reachability = reachabilityOf(scenario);
  const from = scenario.pods.mode === "simulated" ? scenario.pods.start : "new";
  const kpa = new Kpa(settings, { now: 0, ready: pods.ready, from });
  const ticks: TraceTick[] = [];
  const changes: TraceChange[] = [];
  for (let t = 0; t <= scenario.duration; t++) {
    const now = t * SECOND_MS;
    const load = loadIn(t);
    const reachable = reachability(t);
    pods.advance(t);
    const { ready } = pods;
    const recorded = isRecorded(settings, load, ready);
    const poke = recorded && kpa.record(now, { concurrency: load.concurrency, requests: load.rps });
    const inTurn = now % TICK_MS === 0;
    const decision = inTurn || poke ? kpa.tick(now, { ready, reachable }) : undefined;
    const outcome = kpa.reconcile(now, { ready, replicas: pods.replicas, reachable });
    pods.scaleTo(outcome.replicas, t);
    if (decision !== undefined) {
      ticks.push(tickRow(settings, { t, load, ready, decision, outcome, poked: !inTurn }));
    }
    const row = changeRow(t, kpa.decision.desired, pods.ready, outcome);
    if (!sameBut(changes.at(-1), row)) changes.push(row);
  }
  return { ticks, changes };
}

/** Instances are asked for their load while there are any; the activator reports only when it has requests. */
function isRecorded(settings: ScalingSettings, load: SecondOfLoad, ready: number): boolean {
  if (load.noData) return false;
  const scraped = settings.targetBurstCapacity !== -1 && ready > 0;
  return scraped || load.concurrency > 0 || load.rps > 0;
}

interface TickInput {
  readonly t: number;
  readonly load: SecondOfLoad;
  readonly ready: number;
  readonly decision: Decision;
  readonly outcome?: ScaleOutcome;
  readonly poked?: boolean;
}

function tickRow(settings: ScalingSettings, tick: TickInput): TraceTick {
  const { load, decision, outcome } = tick;
  return {
    t: tick.t,
    poked: tick.poked === true ? true : undefined,
    load: settings.metric === "rps" ? load.rps : load.concurrency,
    ready: tick.ready,
    stable: decision.valid ? decision.stable : undefined,
    panic: decision.valid ? decision.panic : undefined,
    valid: decision.valid,
    desired: decision.desired,
    ebc: decision.ebc,
    inPanic: decision.inPanic,
    maxPanicPods: decision.maxPanicPods,
    want: outcome?.want,
    replicas: outcome?.replicas,
    mode: outcome?.mode,
    active: outcome?.active,
    reason: reasonOf(outcome),
  };
}

function changeRow(t: number, desired: number, ready: number, outcome: ScaleOutcome): TraceChange {
  const { want, replicas, mode, active } = outcome;
  return { t, desired, want, replicas, ready, mode, active, reason: reasonOf(outcome) };
}

function reasonOf(outcome: ScaleOutcome | undefined): string | undefined {
  return outcome?.reason === "" ? undefined : outcome?.reason;
}

/** Whether two rows differ at most in their time. */
function sameBut(last: TraceChange | undefined, row: TraceChange): boolean {
  return (
    last !== undefined &&
    last.desired === row.desired &&
    last.want === row.want &&
    last.replicas === row.replicas &&
    last.ready === row.ready &&
    last.mode === row.mode &&
    last.active === row.active &&
    last.reason === row.reason
  );
}

/** The settings that a scenario runs with. */
export function settingsOf(scenario: Scenario): ScalingSettings {
  const { progressDeadline: deadline } = scenario;
  const seconds = Number(deadline);
  const deadlineMs =
    deadline === undefined
      ? undefined
      : Number.isFinite(seconds)
        ? seconds * SECOND_MS
        : parseDurationMs(String(deadline));
  return resolveSettings({
    annotations: scenario.annotations ?? {},
    containerConcurrency: scenario.containerConcurrency ?? 0,
    config: scenario.config ?? {},
    ...(deadlineMs !== undefined && { progressDeadlineMs: deadlineMs }),
  });
}

/** Events take effect at the beginning of their second. Asked for seconds in rising order. */
function reachabilityOf(scenario: Scenario): (second: number) => boolean {
  const events = (scenario.events ?? []).toSorted((a, b) => a.t - b.t);
  let current: Reachability = scenario.reachability ?? "Reachable";
  let next = 0;
  return (second) => {
    for (let event = events[next]; event !== undefined && event.t <= second; event = events[++next]) {
      current = event.reachability ?? current;
    }
    return current !== "Unreachable";
  };
}

function readySeries(
  series: ReadonlyArray<{ readonly from: number; readonly to: number; readonly ready: number }>,
): (second: number) => number {
  return (second) => series.find(({ from, to }) => from <= second && second < to)?.ready ?? 0;
}

function trace(scenario: Scenario, settings: ScalingSettings, rows: Pick<Trace, "ticks" | "changes">): Trace {
  const reachable = scenario.reachability !== "Unreachable";
  const algorithmAsked = Object.keys(scenario.annotations ?? {}).some((key) =>
    /\/metric-?aggregation-?algorithm$/i.test(key),
  );
  return {
    name: scenario.name ?? "",
    decider: {
      activationScale: settings.activationScale,
      activatorCapacity: settings.activatorCapacity,
      initialExcessBurstCapacity: initialExcessBurstCapacity(settings),
      initialScale: settings.initialScale,
      maxScaleDownRate: settings.maxScaleDownRate,
      maxScaleUpRate: settings.maxScaleUpRate,
      metric: settings.metric,
      panicThreshold: settings.panicThreshold,
      reachable,
      scaleDownDelaySeconds: settings.scaleDownDelayMs / SECOND_MS,
      stableWindowSeconds: settings.stableWindowMs / SECOND_MS,
      targetBurstCapacity: settings.targetBurstCapacity,
      targetValue: settings.target,
      totalValue: settings.total,
    },
    metric: {
      algorithm: algorithmAsked ? settings.aggregation : "",
      panicWindowSeconds: settings.panicWindowMs / SECOND_MS,
      scraped: settings.targetBurstCapacity !== -1,
      stableWindowSeconds: settings.stableWindowMs / SECOND_MS,
    },
    minScale: effectiveMin(settings, reachable),
    maxScale: settings.maxScale,
    ...rows,
  };
}
