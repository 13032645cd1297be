import { parseDurationMs } from "./go-literals.ts";
import { LONGEST_LOAD_SECONDS } from "./load-shape.ts";
import type { Scenario } from "./trace.ts";

const START = ["new", "zero", "running"];
const REACHABILITY = ["Reachable", "Unreachable", "Unknown", ""];

/**
 * Checks that a value is a scenario, as far as running it depends on that: `faults` name the field and what it must be.
 * Fields that it does not know are left alone; `null` counts as absent.
 */
export function readScenario(
  value: unknown,
): { readonly scenario: Scenario } | { readonly faults: readonly string[] } {
  const faults: string[] = [];
  const check = checker(faults);
  if (!isObject(value)) return { faults: ["a scenario is an object with duration, load and pods"] };
  const { progressDeadline, ...others } = withoutNulls(value);
  // An empty text is how Go writes that there is none.
  const given: Fields =
    progressDeadline === undefined || progressDeadline === "" ? others : { ...others, progressDeadline };
  check.strings(given, "annotations");
  check.strings(given, "config");
  check.number(given, "duration", { required: true, from: 0, to: LONGEST_LOAD_SECONDS, whole: true });
  check.number(given, "containerConcurrency", { from: 0, whole: true });
  check.oneOf(given, "reachability", REACHABILITY);
  deadline(given["progressDeadline"], faults);
  const load = check.objects(given, "load");
  load.forEach((segment, index) => {
    for (const name of ["from", "to"]) check.number(segment, name, { required: true, at: `load[${index}].` });
    for (const name of ["concurrency", "toConcurrency", "rps", "toRps"]) {
      check.number(segment, name, { from: 0, at: `load[${index}].` });
    }
  });
  const events = check.objects(given, "events");
  events.forEach((event, index) => {
    check.number(event, "t", { required: true, at: `events[${index}].` });
    check.oneOf(event, "reachability", REACHABILITY, `events[${index}].`);
  });
  const pods = readPods(given["pods"], check, faults);
  if (faults.length > 0) return { faults };
  // Checked above, field by field.
  return { scenario: { ...given, load, events, pods } as unknown as Scenario };
}

function readPods(value: unknown, check: Checker, faults: string[]): Fields {
  const pods = isObject(value) ? withoutNulls(value) : {};
  if (pods["mode"] === "given") {
    const series = check.objects(pods, "series", "pods.");
    series.forEach((span, index) => {
      for (const name of ["from", "to", "ready"]) {
        check.number(span, name, { required: true, at: `pods.series[${index}].` });
      }
    });
    return { ...pods, series };
  }
  if (pods["mode"] !== "simulated") faults.push(`pods.mode must be "given" or "simulated"`);
  else {
    if (pods["start"] === undefined) faults.push("pods.start is missing: new, zero or running");
    check.oneOf(pods, "start", START, "pods.");
    check.number(pods, "running", { from: 0, whole: true, at: "pods." });
    check.number(pods, "startDelay", { from: 0, at: "pods." });
  }
  return pods;
}

function deadline(value: unknown, faults: string[]): void {
  if (value === undefined || typeof value === "number") return;
  if (typeof value === "string" && (Number.isFinite(Number(value)) || parseDurationMs(value) !== undefined))
    return;
  faults.push(`progressDeadline must be seconds or a duration such as "600s"`);
}

type Fields = Readonly<Record<string, unknown>>;
type Checker = ReturnType<typeof checker>;

interface NumberRule {
  readonly required?: true;
  readonly whole?: true;
  readonly from?: number;
  readonly to?: number;
  /** What stands before the name. */
  readonly at?: string;
}

function checker(faults: string[]) {
  return {
    number(fields: Fields, name: string, { required, whole, from, to, at = "" }: NumberRule): void {
      const value = fields[name];
      if (value === undefined && required !== true) return;
      const good =
        typeof value === "number" &&
        Number.isFinite(value) &&
        (whole !== true || Number.isInteger(value)) &&
        value >= (from ?? -Infinity) &&
        value <= (to ?? Infinity);
      if (good) return;
      const range = [from === undefined ? "" : `from ${from}`, to === undefined ? "" : `to ${to}`].filter(
        Boolean,
      );
      faults.push([`${at}${name} must be a ${whole ? "whole " : ""}number`, ...range].join(" "));
    },
    oneOf(fields: Fields, name: string, values: readonly string[], at = ""): void {
      const value = fields[name];
      if (value === undefined || (typeof value === "string" && values.includes(value))) return;
      faults.push(`${at}${name} must be one of ${values.filter(Boolean).join(", ")}`);
    },
    strings(fields: Fields, name: string): void {
      const value = fields[name];
      if (value === undefined) return;
      if (isObject(value) && Object.values(value).every((entry) => typeof entry === "string")) return;
      faults.push(`${name} must be an object of strings`);
    },
    objects(fields: Fields, name: string, at = ""): Fields[] {
      const value = fields[name] ?? [];
      if (Array.isArray(value) && value.every(isObject)) return value.map(withoutNulls);
      faults.push(`${at}${name} must be a list of objects`);
      return [];
    },
  };
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function withoutNulls(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}
