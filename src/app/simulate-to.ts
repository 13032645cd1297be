/** Runs a simulation and prints it. */
import { guardOutput, type Output } from "../report/output.ts";
import { simulationLines } from "../report/simulation.ts";
import { jsonOfResult, jsonOfTrace } from "../report/simulation-json.ts";
import type { SimulationResult } from "../report/simulation-result.ts";
import { colourLevel, createTheme, type Environment, inCi } from "../report/theme.ts";
import { resultOfTrace, simulateScenario } from "./simulate-scenario.ts";
import { simulateLoad, type SimulateOptions } from "./simulate.ts";

export interface SimulateTo extends Omit<SimulateOptions, "load"> {
  readonly output: "text" | "json";
}

/** @throws KserveLocalError `usage`, `manifest-invalid`, `manifest-not-found` */
export async function simulateTo(
  { stdout, env }: { readonly stdout: Output; readonly env: Environment },
  what: { readonly load: string } | { readonly scenario: string },
  options: SimulateTo,
): Promise<void> {
  const output = guardOutput(stdout);
  if ("load" in what) {
    const result = await simulateLoad({ ...options, ...what });
    output.write(options.output === "json" ? jsonOfResult(result) : text(result, stdout, env));
    return;
  }
  const run = await simulateScenario(what.scenario, options.cwd);
  if (options.output === "json") output.write(jsonOfTrace(run.trace));
  else output.write(text(resultOfTrace(run, what.scenario), stdout, env));
}

function text(result: SimulationResult, stdout: Output, env: Environment): string {
  const terminal = stdout.isTTY === true && !inCi(env) && env["TERM"] !== "dumb";
  const theme = createTheme(colourLevel(stdout.isTTY === true, env), env);
  const columns = terminal ? (stdout.columns ?? 80) : undefined;
  return `${simulationLines(result, { theme, columns, ascii: env["TERM"] === "linux" }).join("\n")}\n`;
}
