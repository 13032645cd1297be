/** The command line. Heavy modules are imported by the command that needs them, so that `--help` stays quick. */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { testCommand } from "./commands/test.ts";
import { upCommand } from "./commands/up.ts";

/** Resolves to the exit code; never rejects for what a user can do wrong. */
export async function main(args: readonly string[]): Promise<number> {
  let exitCode = 0;
  const finish = (code: number): void => {
    exitCode = code;
  };
  const program = new Command("kserve-local")
    .description("Knative Serving on a laptop, without Kubernetes (Knative Serving, not KServe).")
    .version(version(), "-V, --version")
    .enablePositionalOptions()
    .showHelpAfterError("(kserve-local --help shows what there is)")
    .addHelpText(
      "after",
      "\nEvery flag can also be given as an environment variable: --time-scale is KSERVE_LOCAL_TIME_SCALE.",
    );
  for (const command of [upCommand(finish), testCommand(finish)]) program.addCommand(command);
  for (const command of [program, ...program.commands]) command.exitOverride();
  try {
    await program.parseAsync([...args], { from: "user" });
    return exitCode;
  } catch (error) {
    // Help and version end well; anything else that commander reports is a usage error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
}

function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
