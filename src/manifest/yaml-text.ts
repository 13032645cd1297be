/** Objects as YAML that every Kubernetes tool reads alike. */
import { stringify } from "yaml";

/**
 * With a newline at the end. Strings that YAML 1.1 takes for something else (`yes`, `0644`, `1e3`) are quoted, since
 * that is what kubectl's reader is. Lines are never folded.
 */
export function toYaml(value: unknown): string {
  return stringify(value, {
    version: "1.1",
    schema: "yaml-1.1",
    lineWidth: 0,
    aliasDuplicateObjects: false,
    defaultStringType: "PLAIN",
  });
}
