/**
 * Labels on everything that is ours, so that whatever is left behind can be found, and told from what a living session
 * uses. A session is a process: its pid, that pid's start time (pids are used again) and the boot it belongs to.
 */
import { readFileSync, readlinkSync } from "node:fs";
import os from "node:os";

const PREFIX = "dev.kserve-local";

export const LABEL = {
  session: `${PREFIX}.session`,
  service: `${PREFIX}.service`,
  revision: `${PREFIX}.revision`,
  role: `${PREFIX}.role`,
  pid: `${PREFIX}.pid`,
  pidStart: `${PREFIX}.pid-start`,
  host: `${PREFIX}.host`,
  boot: `${PREFIX}.boot`,
} as const;

export interface SessionIdentity {
  readonly session: string;
  readonly pid: number;
  /** Clock ticks since boot; empty where the system doesn't say. */
  readonly pidStart: string;
  /** Machine and pid namespace: a pid means something only there. */
  readonly host: string;
  /** Empty where the system has no such id. */
  readonly boot: string;
}

export function ownIdentity(session: string): SessionIdentity {
  return {
    session,
    pid: process.pid,
    pidStart: processStart(process.pid) ?? "",
    host: hostIdentity(),
    boot: bootIdentity(),
  };
}

export function sessionLabels(identity: SessionIdentity): Record<string, string> {
  return {
    [LABEL.session]: identity.session,
    [LABEL.pid]: String(identity.pid),
    [LABEL.pidStart]: identity.pidStart,
    [LABEL.host]: identity.host,
    [LABEL.boot]: identity.boot,
  };
}

export interface Liveness {
  readonly host: string;
  readonly boot: string;
  /** Undefined: no such process. Empty: it lives, its start time is unknown. */
  start(pid: number): string | undefined;
}

/**
 * True only where the session is certainly over. Other machines' sessions (several may share an engine) are not ours to
 * judge.
 */
export function isDead(labels: Readonly<Record<string, string>>, now: Liveness): boolean {
  if (labels[LABEL.session] === undefined || labels[LABEL.host] !== now.host) return false;
  if ((labels[LABEL.boot] ?? "") !== now.boot) return true;
  const pid = Number(labels[LABEL.pid]);
  if (!Number.isInteger(pid) || pid <= 0) return true;
  const start = now.start(pid);
  if (start === undefined) return true;
  const recorded = labels[LABEL.pidStart] ?? "";
  return start !== "" && recorded !== "" && start !== recorded;
}

export function machineLiveness(): Liveness {
  return { host: hostIdentity(), boot: bootIdentity(), start: processStart };
}

/** Field 22 of /proc/<pid>/stat, counted after the command, which may hold spaces and parentheses. */
function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return process.platform === "linux" ? undefined : isAlive(pid) ? "" : undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function hostIdentity(): string {
  try {
    return `${os.hostname()}/${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return os.hostname();
  }
}

function bootIdentity(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}
