import { Command } from "commander";
import { OPTIONS } from "../options.ts";
import { runReported } from "../run-reported.ts";
import { addSessionFlags, type SessionFlags, sessionOptions } from "./session-flags.ts";

interface UpFlags extends SessionFlags {
  readonly watch: boolean;
}

export function upCommand(finish: (exitCode: number) => void): Command {
  const command = new Command("up")
    .summary("run the services of a manifest until Ctrl-C")
    .description(
      `Runs the Knative services of the given files or directories ("-" is stdin; default: service.dev.yaml, else
service.yaml, here), prints their URLs and their logs, scales them as Knative does, and makes a new revision when the
manifest or the source changes. Ctrl-C stops; a second Ctrl-C stops at once.

What follows -- is run on this machine in place of the container's command (process engine):
  kserve-local up --engine process -- node server.js`,
    )
    .argument("[paths...]", "manifest files or directories");
  addSessionFlags(command)
    .addOption(OPTIONS.noWatch())
    .action(async (paths: string[], flags: UpFlags, self: Command) => {
      const { manifests, rest } = splitAtDashes(paths, self);
      finish(
        await runReported(flags, "Ctrl-C stops; a second Ctrl-C stops at once", async (onEvent) => {
          const { up } = await import("../../app/up.ts");
          const options = await sessionOptions(manifests, flags, onEvent);
          return up({ ...options, watch: flags.watch, ...(rest.length === 0 ? {} : { command: rest }) });
        }),
      );
    });
  return command;
}

/** Commander hands over what stands before and after `--` in one list; the raw arguments tell where it was. */
export function splitAtDashes(
  operands: readonly string[],
  command: Command,
): { readonly manifests: string[]; readonly rest: string[] } {
  const raw = rawArguments(command);
  const dashes = raw.indexOf("--");
  const after = dashes === -1 ? 0 : raw.length - dashes - 1;
  return {
    manifests: operands.slice(0, operands.length - after),
    rest: operands.slice(operands.length - after),
  };
}

function rawArguments(command: Command): readonly string[] {
  let root = command;
  while (root.parent !== null) root = root.parent;
  return (root as Command & { readonly rawArgs: readonly string[] }).rawArgs;
}
