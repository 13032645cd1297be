/** The helper program as committed: see README.md here for what it does and how it is built. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";

/** The folder that holds the program, in its own image and, as a volume, in an app's container. Also in helper.h. */
export const HELPER_FOLDER = "/.kserve-local";
export const HELPER_PROGRAM = `${HELPER_FOLDER}/helper`;
export const HELPER_FILE = "helper";

export interface HelperBinary {
  readonly bytes: Buffer;
  /** Twelve hexadecimal digits of its SHA-256: what the image and the volume are named by. */
  readonly hash: string;
}

/** From beside this module: under `src` as well as under `dist`, where the build copies it. */
export async function readHelper(): Promise<HelperBinary> {
  const bytes = await readFile(new URL("helper-linux-amd64", import.meta.url));
  return { bytes, hash: createHash("sha256").update(bytes).digest("hex").slice(0, 12) };
}
