import { lstat } from "node:fs/promises";

/** What tells two states of a file apart without reading it. Never rejects: what cannot be looked at counts as absent. */
export async function fingerprintOf(path: string): Promise<string> {
  try {
    const { size, mtimeMs, ino } = await lstat(path);
    return `${size} ${mtimeMs} ${ino}`;
  } catch {
    return "absent";
  }
}
