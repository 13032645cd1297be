/** An explanation as `kubectl explain` lays one out. */
import type { Emulation, ExplainedField, Explanation, NotExplained } from "../manifest/explain.ts";
import { displayWidth, padTo, wrap } from "./display-width.ts";
import { safeText } from "./safe-text.ts";
import type { Theme } from "./theme.ts";

const DEFAULT_COLUMNS = 100;
const NARROWEST = 30;
const INDENT = "  ";

/** `columns`: width of the terminal; absent = DEFAULT_COLUMNS. */
export function explanationLines(explanation: Explanation, theme: Theme, columns?: number): string[] {
  const room = Math.max(60, Math.min(columns ?? DEFAULT_COLUMNS, 120));
  const facts = factsOf(explanation);
  return [
    ...headLines(explanation, theme),
    "",
    ...indented(explanation.description, room),
    ...(facts.length === 0 ? [] : ["", ...table(facts, theme, room)]),
    ...fieldLines(explanation, theme, room),
  ];
}

export function notExplainedLines({ message, suggestions }: NotExplained, theme: Theme): string[] {
  const [first, ...more] = suggestions;
  const head = `${theme.error(theme.marks.failed)} ${safeText(message, false)}`;
  if (first === undefined) return [head, `${INDENT}kserve-local explain  shows what there is.`];
  if (more.length === 0) return [head, `${INDENT}Did you mean ${theme.accent(first)}?`];
  return [head, `${INDENT}Did you mean one of these?`, ...suggestions.map((name) => INDENT + INDENT + name)];
}

function headLines({ subject, kind, apiVersion, path, type }: Explanation, theme: Theme): string[] {
  const rows: Array<[string, string]> = [];
  if (subject === "kinds") rows.push(["KINDS", "apiVersion and kind of a document"]);
  if (kind !== undefined) rows.push(["KIND", `${kind} (${apiVersion ?? ""})`]);
  if (subject === "annotation") rows.push(["ANNOTATION", `${theme.bold(path)} <${type}>`]);
  if (subject === "field") rows.push(["FIELD", `${theme.bold(path)} <${type}>`]);
  const width = Math.max(...rows.map(([label]) => label.length)) + 3;
  return rows.map(([label, text]) => `${padTo(`${label}:`, width)}${text}`);
}

function factsOf(explanation: Explanation): Array<[string, string]> {
  const { subject, default: preset, bounds, values, needs, aliases, goesOn } = explanation;
  const facts: Array<[string, string | undefined]> = [
    ["default", preset],
    ["bounds", bounds],
    ["values", values?.join(", ")],
    ["goes on", goesOn],
    ["also", aliases?.join(", ")],
    ["needs", needs],
    ["emulated", subject === "kinds" ? undefined : emulationText(explanation.emulation)],
  ];
  return facts.flatMap(([label, text]) => (text === undefined ? [] : [[label, text]]));
}

function emulationText({ level, note }: Emulation): string {
  switch (level) {
    case "emulated":
      return "yes";
    case "accepted":
      return `no: accepted, but ${note ?? "not acted on"}`;
    case "refused":
      return `no: ${note ?? "refused"}`;
    case "server":
      return "set by the platform; leave it out";
  }
}

function table(rows: ReadonlyArray<[string, string]>, theme: Theme, room: number): string[] {
  const width = Math.max(...rows.map(([label]) => label.length)) + 3;
  return rows.flatMap(([label, text]) => {
    const [first = "", ...rest] = wrap(text, Math.max(NARROWEST, room - width - INDENT.length));
    return [
      `${INDENT}${padTo(theme.accent(label), width)}${first}`,
      ...rest.map((line) => INDENT + " ".repeat(width) + line),
    ];
  });
}

function fieldLines(explanation: Explanation, theme: Theme, room: number): string[] {
  const { subject, path, fields } = explanation;
  if (fields.length === 0) return [];
  const title = subject === "kinds" ? [] : [path.endsWith("annotations") ? "ANNOTATIONS:" : "FIELDS:"];
  return ["", ...title, ...fields.flatMap((field) => oneField(field, explanation, theme, room))];
}

function oneField(
  { name, type, description, emulation }: ExplainedField,
  holder: Explanation,
  theme: Theme,
  room: number,
): string[] {
  // What holds for all of them has been said above.
  const news = emulation.level === "accepted" && holder.emulation.level !== "accepted";
  const mark = news ? `  ${theme.warning(`(accepted, but ${emulation.note ?? "not acted on"})`)}` : "";
  const head = `${INDENT}${theme.bold(name)} ${theme.dim(`<${type}>`)}`;
  const whole = displayWidth(head + mark) > room ? [head, INDENT + INDENT + mark.trim()] : [head + mark];
  return [...whole, ...indented(description, room, INDENT + INDENT)];
}

function indented(text: string, room: number, by = INDENT): string[] {
  return wrap(text, room - by.length).map((line) => by + line);
}
