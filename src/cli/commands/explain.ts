import { Command } from "commander";
import { OPTIONS } from "../options.ts";

interface ExplainFlags {
  readonly profile: "gke" | "knative";
  readonly output: "text" | "json";
}

export function explainCommand(finish: (exitCode: number) => void): Command {
  return new Command("explain")
    .summary("what a field or an annotation does, and how faithfully")
    .description(
      `Says what a field does, its default, its bounds and whether it is emulated; for a field with others inside, lists those. Paths begin at the root of a Service, or with another kind.

  kserve-local explain spec.template.spec.timeoutSeconds
  kserve-local explain spec.template.spec.containers
  kserve-local explain autoscaling.knative.dev/target
  kserve-local explain domainmapping.spec`,
    )
    .argument("[field]", "path of a field, key of an annotation, or a kind")
    .addOption(OPTIONS.profile())
    .addOption(OPTIONS.resultOutput())
    .action(async (query: string | undefined, { profile, output }: ExplainFlags) => {
      const { runExplain } = await import("../../app/explain.ts");
      const { stdout, stderr, env } = process;
      finish(runExplain({ query: query ?? "", profile, output, stdout, stderr, env }));
    });
}
