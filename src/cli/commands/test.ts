import { Command } from "commander";
import { KserveLocalError } from "../../kernel/errors.ts";
import { OPTIONS } from "../options.ts";
import { runReported } from "../run-reported.ts";
import { addSessionFlags, type SessionFlags, sessionOptions } from "./session-flags.ts";
import { splitAtDashes } from "./up.ts";

interface TestFlags extends SessionFlags {
  readonly waitTimeout?: number;
}

export function testCommand(finish: (exitCode: number) => void): Command {
  const command = new Command("test")
    .summary("bring the services up, run a command against them, tear down")
    .description(
      `Brings the services up, waits until they are ready, runs the command after -- with KSERVE_LOCAL_URL (the first
service) and KSERVE_LOCAL_URL_<SERVICE> set, tears everything down and exits with the command's exit code.

  kserve-local test service.yaml -- npm run smoke`,
    )
    .argument("[paths...]", "manifest files or directories, then -- and the command");
  addSessionFlags(command)
    .addOption(OPTIONS.waitTimeout())
    .action(async (operands: string[], flags: TestFlags, self: Command) => {
      const { manifests, rest } = splitAtDashes(operands, self);
      finish(
        await runReported(flags, undefined, async (onEvent) => {
          const [first, ...args] = rest;
          if (first === undefined)
            throw new KserveLocalError("usage", {
              what: "test needs a command to run",
              fix: "write it after --, for example: kserve-local test -- npm run smoke",
            });
          const { testRun } = await import("../../app/test-run.ts");
          const options = await sessionOptions(manifests, flags, onEvent);
          return testRun({
            ...options,
            ...(flags.waitTimeout === undefined ? {} : { waitTimeoutMs: flags.waitTimeout * 1000 }),
            testCommand: [first, ...args],
            commandStdout: flags.output === "json" ? "stderr" : "inherit",
          });
        }),
      );
    });
  return command;
}
