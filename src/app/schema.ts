/** `kserve-local schema`: the JSON Schema of manifests, for editors. */
import { manifestSchema } from "../manifest/schema.ts";
import type { ProfileName } from "./platform-profile.ts";

/** As it stands in the package as schema/service.json, newline at the end included. */
export function schemaText(profile: ProfileName): string {
  return `${JSON.stringify(manifestSchema(profile), undefined, 2)}\n`;
}
