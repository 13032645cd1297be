import { Command } from "commander";
import { OPTIONS } from "../options.ts";

export function schemaCommand(finish: (exitCode: number) => void): Command {
  return new Command("schema")
    .summary("print the JSON Schema of manifests, for editors")
    .description(
      `Prints a JSON Schema (draft-07) made from the tables that validate uses. The same schema is in the package as schema/service.json. Editors with yaml-language-server complete and check a file that begins with

  # yaml-language-server: $schema=node_modules/kserve-local/schema/service.json`,
    )
    .addOption(OPTIONS.profile())
    .action(async ({ profile }: { profile: "gke" | "knative" }) => {
      const { schemaText } = await import("../../app/schema.ts");
      process.stdout.write(schemaText(profile));
      finish(0);
    });
}
