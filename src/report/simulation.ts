/** `simulate` for people: a drawing and the moments that matter on a terminal, a table of all changes elsewhere. */
import { padTo, wrap } from "./display-width.ts";
import { count, formatDuration } from "./figures.ts";
import { safeText } from "./safe-text.ts";
import { chartLines } from "./simulation-chart.ts";
import { chooseMoments } from "./simulation-moments.ts";
import type { SimulatedChange, SimulationResult } from "./simulation-result.ts";
import { compactTime } from "./simulation-time.ts";
import type { Theme } from "./theme.ts";

export interface SimulationView {
  readonly theme: Theme;
  /** Width of the terminal; undefined where there is none. */
  readonly columns: number | undefined;
  readonly ascii: boolean;
}

const LABEL_CELLS = 14;
const MOST_MOMENTS = 12;
/** A space that does not break. */
const TIE = "\u00A0";

export function simulationLines(result: SimulationResult, view: SimulationView): string[] {
  const { theme, columns } = view;
  const head = headLines(result, view);
  const summary = labelledLines(summaryOf(result), view);
  if (columns === undefined) return [...head, "", ...tableLines(result), "", ...summary];
  return [
    ...head,
    "",
    ...chartLines(result, { columns, theme, ascii: view.ascii }),
    "",
    ...summary,
    ...momentLines(result, view),
  ];
}

function headLines(result: SimulationResult, view: SimulationView): string[] {
  const { theme } = view;
  const { model } = result;
  const facts: Array<[string, string]> = [["settings", settingsText(result)]];
  if (model !== undefined) {
    facts.push([
      "model",
      [
        `an instance is ready ${formatDuration(model.startupSeconds * 1000)} after it is asked for`,
        `a request takes ${formatDuration(model.requestSeconds * 1000)}`,
        ...(result.unit === "rps" ? [`arrivals with seed ${model.seed}`] : []),
      ].join(", "),
    ]);
  }
  const over = result.load === undefined ? "" : ` under ${safeText(result.load, false)}`;
  const title = `${safeText(result.of, false)}${over}, ${formatDuration(result.durationSeconds * 1000)}`;
  return [...wrapFigures(theme.bold(title), view.columns ?? Infinity), ...labelledLines(facts, view)];
}

/** The ones that decide, and of the others those that are not as Knative has them. */
function settingsText({ settings }: SimulationResult): string {
  const { metric, target, containerConcurrency: limit, minScale, maxScale, stableWindowSeconds } = settings;
  return [
    `target ${rounded(target)} ${metric === "rps" ? "requests/s" : "in flight"} an instance`,
    ...(limit === 0 ? [] : [`containerConcurrency ${limit}`]),
    `window ${formatDuration(stableWindowSeconds * 1000)}`,
    `min-scale ${minScale}`,
    maxScale === 0 ? "no max-scale" : `max-scale ${maxScale}`,
    ...(settings.activationScale > 1 ? [`activation-scale ${settings.activationScale}`] : []),
    ...(settings.targetBurstCapacity === 211 ? [] : [`burst capacity ${settings.targetBurstCapacity}`]),
    ...delay("scale-down-delay", settings.scaleDownDelaySeconds),
    ...delay("pod retention", settings.podRetentionSeconds),
    ...(settings.enableScaleToZero ? [] : ["never to zero"]),
  ].join(", ");
}

function delay(name: string, seconds: number): string[] {
  return seconds === 0 ? [] : [`${name} ${formatDuration(seconds * 1000)}`];
}

function summaryOf(result: SimulationResult): Array<[string, string]> {
  const { requests, durationSeconds, instanceSeconds } = result;
  const rows: Array<[string, string]> = [];
  if (requests !== undefined) {
    const { served, held, refused, timedOut, unanswered, heldMs } = requests;
    const bad = [
      `${refused} refused`,
      ...(timedOut > 0 ? [`${timedOut} timed out`] : []),
      ...(unanswered > 0 ? [`${unanswered} still under way at the end`] : []),
    ];
    rows.push(["requests", `${served} served, ${held} held, ${bad.join(", ")}`]);
    if (heldMs !== undefined) {
      const { p50, p95, max } = heldMs;
      const figures = `half at most ${formatDuration(p50)}, 95 % at most ${formatDuration(p95)}`;
      rows.push(["held", `${figures}, longest ${formatDuration(max)}`]);
    }
  }
  const mean = durationSeconds === 0 ? 0 : instanceSeconds / durationSeconds;
  const started = `${count(result.instancesStarted, "instance")} started, at most ${result.mostInstances} at once`;
  rows.push(["cold starts", `${result.coldStarts} from zero; ${started}`]);
  rows.push(["cost", `${rounded(instanceSeconds)} instance-seconds, ${rounded(mean)} instances on average`]);
  rows.push(["panic", result.panicSeconds === 0 ? "never" : formatDuration(result.panicSeconds * 1000)]);
  return rows;
}

function labelledLines(rows: ReadonlyArray<readonly [string, string]>, view: SimulationView): string[] {
  return rows.flatMap(([label, text]) => indented(view.theme.dim(label), LABEL_CELLS, text, view.columns));
}

function indented(label: string, cells: number, text: string, columns: number | undefined): string[] {
  const room = columns === undefined ? Infinity : Math.max(24, columns - cells - 2);
  const [first = "", ...more] = wrapFigures(text, room);
  return [`${padTo(label, cells)}  ${first}`, ...more.map((line) => " ".repeat(cells + 2) + line)];
}

/** A figure stays with its unit. */
function wrapFigures(text: string, room: number): string[] {
  const tied = text.replaceAll(/(?<=\d) (?=(?:ms|s|min|h)\b|%)/g, TIE);
  return wrap(tied, room).map((line) => line.replaceAll(TIE, " "));
}

function momentLines(result: SimulationResult, view: SimulationView): string[] {
  const chosen = chooseMoments(result.changes, MOST_MOMENTS);
  const times = chosen.map(({ t }) => compactTime(t));
  const cells = Math.max(LABEL_CELLS, ...times.map((time) => time.length));
  const lines = chosen.flatMap((change, index) =>
    indented(view.theme.accent(times[index] ?? ""), cells, change.reason, view.columns),
  );
  const left = result.changes.length - chosen.length;
  const more = left > 0 ? [view.theme.dim(`${count(left, "more change")}: pipe this, or --output json`)] : [];
  return lines.length === 0 ? [] : ["", ...lines, ...more];
}

const COLUMNS: ReadonlyArray<readonly [string, (change: SimulatedChange) => string]> = [
  ["time", ({ t }) => compactTime(t)],
  ["load", ({ load }) => rounded(load)],
  ["instances", ({ instances }) => String(instances)],
  ["ready", ({ ready }) => String(ready)],
  ["waiting", ({ waiting }) => (waiting === undefined ? "-" : rounded(waiting))],
  ["panic", ({ panic }) => (panic ? "yes" : "no")],
  ["why", ({ reason }) => reason],
];

function tableLines({ changes }: SimulationResult): string[] {
  const rows = [
    COLUMNS.map(([name]) => name),
    ...changes.map((change) => COLUMNS.map(([, cell]) => cell(change))),
  ];
  const widths = COLUMNS.map((_, index) =>
    rows.reduce((widest, row) => Math.max(widest, row[index]?.length ?? 0), 0),
  );
  return rows.map((row) =>
    row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0))).join("  "),
  );
}

/** At most two digits after the point. */
function rounded(value: number): string {
  return String(Math.round(value * 100) / 100);
}
