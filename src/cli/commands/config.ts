import { Command, type Option } from "commander";
import type { Setting } from "../../app/config-settings.ts";
import { OPTIONS } from "../options.ts";
import { testCommand } from "./test.ts";
import { upCommand } from "./up.ts";

interface ConfigFlags {
  readonly profile: "gke" | "knative";
  readonly output: "text" | "json";
}

export function configCommand(finish: (exitCode: number) => void): Command {
  const command = new Command("config")
    .summary("the objects with all defaults, and where each setting comes from")
    .description(
      [
        "Prints the documents as the platform would store them, with every default filled in, and the settings of a run",
        "with where each came from: flag, environment, ConfigMap, profile or default. Takes the flags of up and test, and",
        "starts nothing. The settings are comments, so that the output is YAML for kubectl.",
      ].join(" "),
    )
    .argument("[paths...]", "manifest files or directories");
  const flags = runFlags();
  for (const flag of flags) command.addOption(flag);
  return command
    .addOption(OPTIONS.resultOutput())
    .action(async (paths: string[], { profile, output }: ConfigFlags, self: Command) => {
      const { runConfig } = await import("../../app/config.ts");
      const { stdin, stdout, stderr, env } = process;
      const settings = flags.flatMap((flag) => settingOf(flag, self, flags));
      const cwd = process.cwd();
      finish(await runConfig({ paths, cwd, stdin, stdout, stderr, env, profile, output, flags: settings }));
    });
}

/** Whatever `up` and `test` take, but for how they print. */
function runFlags(): readonly Option[] {
  const ignore = (): void => undefined;
  const byName = new Map<string, Option>();
  for (const { options } of [upCommand(ignore), testCommand(ignore)])
    for (const option of options) byName.set(option.long ?? option.flags, option);
  for (const name of ["--output", "--raw"]) byName.delete(name);
  return [...byName.values()];
}

function settingOf(flag: Option, command: Command, all: readonly Option[]): Setting[] {
  const attribute = flag.attributeName();
  // `--no-build` is a value of `--build`, where there are both.
  if (flag.negate && all.some((other) => other !== flag && other.attributeName() === attribute)) return [];
  const given: unknown = command.getOptionValue(attribute);
  const negative = all.find((other) => other.negate && other.attributeName() === attribute);
  const source = command.getOptionValueSource(attribute);
  const chosen = given === false && negative !== undefined ? negative : flag;
  const name = `--${attribute.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const value = inWords(given);
  if (source === "cli") return [{ name, value, source: "flag", from: chosen.long ?? chosen.flags }];
  if (source === "env" && chosen.envVar !== undefined)
    return [{ name, value, source: "environment", from: chosen.envVar }];
  return [{ name, value, source: "default" }];
}

function inWords(value: unknown): string {
  if (Array.isArray(value)) return value.map(inWords).join(", ");
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
