/** `kserve-local explain`: what a field, an annotation or a kind does, as text or as JSON. */
import { explain } from "../manifest/explain.ts";
import { explanationLines, notExplainedLines } from "../report/explain-lines.ts";
import { guardOutput, type Output } from "../report/output.ts";
import { colourLevel, createTheme, type Environment } from "../report/theme.ts";
import type { ProfileName } from "./platform-profile.ts";

export interface ExplainOptions {
  readonly query: string;
  readonly profile: ProfileName;
  readonly output: "text" | "json";
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Environment;
}

/** Resolves to the exit code: 2 where there is no such thing. */
export function runExplain({ query, profile, output, stdout, stderr, env }: ExplainOptions): number {
  const explanation = explain(query, profile);
  const known = explanation.subject !== "unknown";
  if (output === "json") {
    guardOutput(stdout).write(`${JSON.stringify(explanation, undefined, 2)}\n`);
    return known ? 0 : 2;
  }
  const to = known ? stdout : stderr;
  const theme = createTheme(colourLevel(to.isTTY === true, env), env);
  const lines = known
    ? explanationLines(explanation, theme, to.isTTY === true ? to.columns : undefined)
    : notExplainedLines(explanation, theme);
  guardOutput(to).write(`${lines.join("\n")}\n`);
  return known ? 0 : 2;
}
