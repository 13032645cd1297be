/** The command line. Heavy modules are imported by the command that needs them, so that `--help` stays quick. */
import { Command, CommanderError, type Option } from "commander";
import { configCommand } from "./commands/config.ts";
import { explainCommand } from "./commands/explain.ts";
import { schemaCommand } from "./commands/schema.ts";
import { simulateCommand } from "./commands/simulate.ts";
import { testCommand } from "./commands/test.ts";
import { upCommand } from "./commands/up.ts";
import { validateCommand } from "./commands/validate.ts";
import { packageVersion } from "./version.ts";

/** Resolves to the exit code; never rejects for what a user can do wrong. */
export async function main(args: readonly string[]): Promise<number> {
  // `schema | head`: the reader has what it wanted. What runs on (`up`) hears of it through its reporter as well.
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  let exitCode = 0;
  const finish = (code: number): void => {
    exitCode = code;
  };
  const program = new Command("kserve-local")
    .description("Knative Serving on a laptop, without Kubernetes (Knative Serving, not KServe).")
    .version(packageVersion(), "-V, --version")
    .enablePositionalOptions()
    .showHelpAfterError("(kserve-local --help shows what there is)")
    .addHelpText(
      "after",
      "\nEvery flag can also be given as an environment variable: --time-scale is KSERVE_LOCAL_TIME_SCALE.",
    );
  for (const command of [
    upCommand(finish),
    testCommand(finish),
    validateCommand(finish),
    configCommand(finish),
    explainCommand(finish),
    schemaCommand(finish),
    simulateCommand(finish),
  ])
    program.addCommand(command);
  for (const command of [program, ...program.commands]) command.exitOverride();
  for (const command of program.commands) command.options.forEach(dropNegatedVariable);
  try {
    await program.parseAsync([...args], { from: "user" });
    return exitCode;
  } catch (error) {
    // Help and version end well; anything else that commander reports is a usage error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
}

/** A switch is on when its variable is set, whatever to; `KSERVE_LOCAL_STRICT_PORT=false` means what it says. */
function dropNegatedVariable(option: Option): void {
  if (option.envVar === undefined || option.required || option.optional) return;
  if (["", "0", "false", "no"].includes((process.env[option.envVar] ?? "1").toLowerCase()))
    delete process.env[option.envVar];
}
