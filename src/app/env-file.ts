/** `--env-file`: NAME=value lines as node's own parser reads them; variables of the platform are refused. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { parseEnv } from "node:util";
import { KserveLocalError } from "../kernel/errors.ts";

const RESERVED = new Set(["PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"]);

/** Later files win. @throws KserveLocalError `usage` */
export async function readEnvFiles(
  files: readonly string[],
  cwd: string,
): Promise<ReadonlyArray<readonly [string, string]>> {
  const env = new Map<string, string>();
  for (const file of files) {
    let text: string;
    try {
      text = await readFile(path.resolve(cwd, file), "utf8");
    } catch (error) {
      throw new KserveLocalError("usage", {
        what: `the file ${file} given by --env-file can't be read`,
        why: (error as Error).message,
        cause: error,
      });
    }
    for (const [name, value] of Object.entries(parseEnv(text))) {
      if (RESERVED.has(name))
        throw new KserveLocalError("usage", {
          what: `${name} in ${file} is set by the platform`,
          why: "PORT, K_SERVICE, K_REVISION and K_CONFIGURATION are reserved, as on a cluster",
          fix:
            name === "PORT"
              ? "take the line out; the port is spec.template.spec.containers[].ports[].containerPort"
              : "take the line out",
        });
      env.set(name, value ?? "");
    }
  }
  return [...env];
}
