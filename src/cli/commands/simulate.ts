import { Command } from "commander";
import { KserveLocalError } from "../../kernel/errors.ts";
import { OPTIONS } from "../options.ts";
import { runReported } from "../run-reported.ts";

interface SimulateFlags {
  readonly load?: string;
  readonly scenario?: string;
  readonly service?: string;
  readonly startup: number;
  readonly requestDuration: number;
  readonly duration?: number;
  readonly seed: number;
  readonly profile: "gke" | "knative";
  readonly output: "text" | "json";
}

export function simulateCommand(finish: (exitCode: number) => void): Command {
  return new Command("simulate")
    .summary("what the autoscaler would do under a load, without containers")
    .description(
      `Runs the autoscaler's decisions for a service under a load, in virtual time: how many instances there would be and
why, cold starts, instance-seconds, and how long requests would be held. Without a service.yaml: Knative's defaults.

  kserve-local simulate service.yaml --load "0-60s:5, 60-75s:200, 10m:0"
  kserve-local simulate --load "1m:10..300rps, 10m:0" --startup 4s --request-duration 250ms

A load is segments from-to:value, or duration:value, which go on where the one before ended. A value is a number of
requests under way at any time, or with rps of those that come each second; 5..200 rises. Times take s, m and h.

With --scenario a file in the format of the traces of Knative's own autoscaler is run; --output json prints its trace.`,
    )
    .argument("[paths...]", "manifest files or directories")
    .addOption(OPTIONS.load())
    .addOption(OPTIONS.scenario())
    .addOption(OPTIONS.service())
    .addOption(OPTIONS.startup())
    .addOption(OPTIONS.requestDuration())
    .addOption(OPTIONS.duration())
    .addOption(OPTIONS.seed())
    .addOption(OPTIONS.profile())
    .addOption(OPTIONS.resultOutput())
    .action(async (paths: string[], flags: SimulateFlags) => {
      // The result is one document on stdout: what there is to say beside it goes to stderr, as text.
      finish(
        await runReported({ output: "text" }, undefined, async (onEvent) => {
          const { simulateTo } = await import("../../app/simulate-to.ts");
          await simulateTo(process, request(paths, flags), {
            paths,
            cwd: process.cwd(),
            stdin: process.stdin,
            profile: flags.profile,
            output: flags.output,
            onEvent,
            startupSeconds: flags.startup,
            requestSeconds: flags.requestDuration,
            seed: flags.seed,
            ...(flags.service === undefined ? {} : { service: flags.service }),
            ...(flags.duration === undefined ? {} : { durationSeconds: flags.duration }),
          });
          return 0;
        }),
      );
    });
}

function request(
  paths: readonly string[],
  { load, scenario, service }: SimulateFlags,
): { readonly load: string } | { readonly scenario: string } {
  if (scenario === undefined && load !== undefined) return { load };
  if (scenario !== undefined && load === undefined && paths.length === 0 && service === undefined) {
    return { scenario };
  }
  throw new KserveLocalError("usage", {
    what: scenario === undefined ? "simulate needs a load" : "a scenario brings its own load and settings",
    fix:
      scenario === undefined
        ? 'say --load "0-60s:5, 60-75s:200, 10m:0", for example, or --scenario <file>'
        : "leave out --load, --service and the manifest",
  });
}
