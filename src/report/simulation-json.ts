/** Results of `simulate` as JSON that people can look into as well: one line for each change, tick and series. */
import type { SimulationResult } from "./simulation-result.ts";

/** With a newline at the end. */
export function jsonOfResult(result: SimulationResult): string {
  return document({ ...result, seconds: undefined }, { seconds: result.seconds });
}

/** In the output format of Knative's traces. */
export function jsonOfTrace(trace: object): string {
  return document(trace, {});
}

/** Every entry on a line of its own; lists, and what is in `unfolded`, with every member on one. */
function document(fields: object, unfolded: Readonly<Record<string, object>>): string {
  const entries = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(
      ([name, value]) =>
        `${JSON.stringify(name)}: ${Array.isArray(value) ? list(value) : JSON.stringify(value)}`,
    );
  const more = Object.entries(unfolded).map(([name, value]) => `${JSON.stringify(name)}: ${members(value)}`);
  return `{\n ${[...entries, ...more].join(",\n ")}\n}\n`;
}

function list(values: readonly unknown[]): string {
  if (values.length === 0) return "[]";
  return `[\n  ${values.map((value) => JSON.stringify(value)).join(",\n  ")}\n ]`;
}

function members(value: object): string {
  const entries = Object.entries(value).map(
    ([name, member]) => `${JSON.stringify(name)}: ${JSON.stringify(member)}`,
  );
  return `{\n  ${entries.join(",\n  ")}\n }`;
}
