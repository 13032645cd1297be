/** Prints what `validate` found, in the format that was asked for; only that format is loaded, since one file should take no time. */
import { KserveLocalError } from "../kernel/errors.ts";
import { guardOutput, type Output } from "../report/output.ts";
import type { Environment } from "../report/theme.ts";
import type { ProblemFound } from "../resources/events.ts";
import { type Validation, validate, type ValidateOptions } from "./validate.ts";

/** As in docs/exit-codes.md. */
const BUG = 70;

export type ValidateFormat = "text" | "json" | "sarif" | "junit" | "github";

export interface RunValidateOptions extends ValidateOptions {
  readonly output: ValidateFormat;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Colours, and GITHUB_WORKSPACE. */
  readonly env: Environment;
  /** Of kserve-local. */
  readonly version: string;
}

/** Resolves to the exit code: 0 valid, 2 not, or what an error of ours stands for. */
export async function runValidate(options: RunValidateOptions): Promise<number> {
  const stdout = guardOutput(options.stdout);
  try {
    const validation = await validate(options);
    stdout.write(await rendered(validation, options));
    return validation.report.valid ? 0 : 2;
  } catch (error) {
    const { errorLines, problemOfError } = await import("../report/error.ts");
    if (options.output === "json") stdout.write(jsonError(problemOfError(error)));
    const { stderr, env, cwd } = options;
    const lines = errorLines(error, await themeOf(stderr, env), cwd);
    guardOutput(stderr).write(`${lines.join("\n")}\n`);
    return error instanceof KserveLocalError ? error.exitCode : BUG;
  }
}

async function rendered(validation: Validation, options: RunValidateOptions): Promise<string> {
  const { report } = validation;
  const { env, cwd, version } = options;
  const root = env["GITHUB_WORKSPACE"] ?? cwd;
  switch (options.output) {
    case "json":
      return (await import("../report/validation-json.ts")).validationJson(report);
    case "sarif":
      return (await import("../report/sarif.ts")).sarifLog(report, { version, cwd, root });
    case "junit":
      return (await import("../report/junit.ts")).junitXml(report);
    case "github":
      return `${(await import("../report/github.ts")).githubLines(report, cwd, root).join("\n")}\n`;
    case "text":
      return asText(validation, options);
  }
}

/** With --show-defaults, the objects as they would be stored stand before what there is to say about them. */
async function asText({ report, texts }: Validation, options: RunValidateOptions): Promise<string> {
  const { stdout, env, cwd } = options;
  const theme = await themeOf(stdout, env);
  const lines: string[] = [];
  for (const { file, kind, name, defaulted } of report.documents) {
    if (defaulted === undefined) continue;
    const { toYaml } = await import("../manifest/yaml-text.ts");
    lines.push(theme.dim(`# ${file}: ${kind} ${name}, with defaults`), ...toYaml(defaulted).split("\n"));
  }
  const { validationLines } = await import("../report/validation-text.ts");
  const columns = stdout.isTTY === true ? { columns: stdout.columns ?? 80 } : {};
  return `${[...lines, ...validationLines(report, { theme, cwd, texts, ...columns })].join("\n")}\n`;
}

async function themeOf(output: Output, env: Environment) {
  const { colourLevel, createTheme } = await import("../report/theme.ts");
  return createTheme(colourLevel(output.isTTY === true, env), env);
}

/** The same shape as a report, with what went wrong before there was one. */
function jsonError({ code, message, why, hint }: ProblemFound): string {
  return `${JSON.stringify({ valid: false, documents: [], error: { code, message, why, hint } }, undefined, 2)}\n`;
}
