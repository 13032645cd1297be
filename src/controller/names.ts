/** Names of generated objects. */
import { createHash } from "node:crypto";

const LONGEST_NAME = 63;
const MD5_HEX = 32;

/**
 * `<parent>-00001` by the Configuration's generation; a parent that would make it longer than 63 characters is cut and
 * gets the md5 of its full name, as knative.dev/pkg/kmeta.ChildName does.
 */
export function revisionName(configuration: string, generation: number): string {
  return childName(configuration, `-${String(generation).padStart(5, "0")}`);
}

export function childName(parent: string, suffix: string): string {
  if (parent.length <= LONGEST_NAME - suffix.length) return parent + suffix;
  const hash = createHash("md5").update(parent).digest("hex");
  const head = parent.slice(0, Math.max(0, LONGEST_NAME - MD5_HEX - suffix.length));
  return `${head}${hash}${suffix}`;
}
