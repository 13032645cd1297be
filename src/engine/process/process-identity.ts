import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

/**
 * When a process started, as an opaque text that only this machine's current boot understands; undefined where there
 * is no such process or no way to know. Pid and start together name a process for good: a pid alone is used again.
 */
export async function startOf(pid: number): Promise<string | undefined> {
  switch (process.platform) {
    case "linux":
      return startOnLinux(pid);
    case "win32":
      return undefined;
    default:
      return startByPs(pid);
  }
}

async function startOnLinux(pid: number): Promise<string | undefined> {
  try {
    const [stat, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, "latin1"),
      readFile("/proc/sys/kernel/random/boot_id", "latin1").catch(() => ""),
    ]);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // proc(5): state is field 3, start time field 22. A zombie has ended, only nobody has asked yet.
    const started = fields[22 - 3];
    return started === undefined || fields[0] === "Z" ? undefined : `${boot.trim()}:${started}`;
  } catch {
    return undefined;
  }
}

async function startByPs(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)("ps", ["-o", "lstart=", "-p", String(pid)], {
      env: { LC_ALL: "C", TZ: "UTC" },
    });
    return stdout.trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Signals a whole process group; false when there is none (any more). On Windows, which has none, the process. */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(process.platform === "win32" ? pid : -pid, signal);
  } catch {
    return false;
  }
}
