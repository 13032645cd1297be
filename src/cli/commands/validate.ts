import { Command } from "commander";
import type { ValidateFormat } from "../../app/validate-output.ts";
import { OPTIONS } from "../options.ts";
import { packageVersion } from "../version.ts";

interface ValidateFlags {
  readonly profile: "gke" | "knative";
  readonly strict?: boolean;
  readonly showDefaults?: boolean;
  readonly fix?: boolean;
  readonly dryRun?: boolean;
  readonly output: ValidateFormat;
}

export function validateCommand(finish: (exitCode: number) => void): Command {
  return new Command("validate")
    .summary("what the platform would say to these manifests, with line and column")
    .description(
      [
        "Judges manifests as kubectl apply against a cluster with Knative Serving would, without a cluster.",
        'Directories are searched for Knative documents; "-" is stdin; default: service.dev.yaml, else service.yaml, here.',
        "Exit code 0 if all is valid, 2 if not. --fix mends what is beyond doubt (a number that must be quoted, a slip",
        "in a name, an annotation in the wrong place), keeps comments and layout, and shows the diff.",
      ].join(" "),
    )
    .argument("[paths...]", "manifest files or directories")
    .addOption(OPTIONS.profile())
    .addOption(OPTIONS.strict())
    .addOption(OPTIONS.showDefaults())
    .addOption(OPTIONS.fix())
    .addOption(OPTIONS.dryRun())
    .addOption(OPTIONS.validateOutput())
    .action(async (paths: string[], flags: ValidateFlags, self: Command) => {
      if (flags.dryRun === true && flags.fix !== true) self.error("error: --dry-run goes with --fix");
      const { runValidate } = await import("../../app/validate-output.ts");
      const { stdout, stderr, stdin, env } = process;
      const chosen = self.getOptionValueSource("output") !== "default";
      finish(
        await runValidate({
          paths,
          cwd: process.cwd(),
          stdin,
          stdout,
          stderr,
          env,
          version: packageVersion(),
          profile: flags.profile,
          strict: flags.strict === true,
          showDefaults: flags.showDefaults === true,
          fix: flags.fix !== true ? "no" : flags.dryRun === true ? "preview" : "write",
          // A fix is shown as a diff, which annotations have no room for.
          output: !chosen && flags.fix !== true && env["GITHUB_ACTIONS"] === "true" ? "github" : flags.output,
        }),
      );
    });
}
