import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { simulate } from "../../src/scaling/simulate.ts";
import type { Scenario, Trace, TraceTick } from "../../src/scaling/trace.ts";

/**
 * What Knative's own autoscaler did, tick by tick: ../shared/conformance/README.md, seen from the project's root. Where
 * that folder is absent nothing is checked, and that is said.
 */
const folder = fileURLToPath(new URL("../../../shared/conformance/kpa/", import.meta.url));
const names = existsSync(folder)
  ? readdirSync(folder)
      .filter((file) => file.endsWith(".json") && !file.endsWith(".out.json"))
      .map((file) => file.slice(0, -".json".length))
  : [];

/** Means are compared as far as the rules define them; decisions are compared exactly. */
const DIGITS = 6;
function rounded(row: TraceTick): TraceTick {
  const round = (value: number) => Number(value.toFixed(DIGITS)) + 0;
  return {
    ...row,
    ...(row.stable !== undefined && { stable: round(row.stable) }),
    ...(row.panic !== undefined && { panic: round(row.panic) }),
  };
}

function read(file: string): unknown {
  return JSON.parse(readFileSync(join(folder, file), "utf8"));
}

describe.skipIf(names.length === 0)("Knative's traces of the KPA", () => {
  let agreed = 0;
  afterAll(() => console.log(`kpa traces: ${agreed}/${names.length}`));

  it.each(names.length > 0 ? names : [`there is no folder ${folder}`])("%s", (name) => {
    const expected = read(`${name}.out.json`) as Trace;
    const actual = simulate(read(`${name}.json`) as Scenario);
    expect(actual.decider).toEqual(expected.decider);
    expect(actual.metric).toEqual(expected.metric);
    expect([actual.minScale, actual.maxScale]).toEqual([expected.minScale, expected.maxScale]);
    expect(actual.ticks.map(rounded)).toEqual(expected.ticks.map(rounded));
    expect(actual.changes).toEqual(expected.changes);
    agreed++;
  });
});

if (names.length === 0) console.log(`kpa traces: skipped, there is no folder ${folder}`);
