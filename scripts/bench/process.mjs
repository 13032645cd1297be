/** Child processes, and what Linux says of them in /proc. Children are ended by their id, each by who started it. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

/** Whether processes can be held to one CPU each. */
export const canPin =
  availableParallelism() >= 2 && spawnSync("taskset", ["--version"], { stdio: "ignore" }).status === 0;

/** The command and arguments that run `argv` on these CPUs only; as it is where nothing can be pinned. */
export function pinned(cpu, argv) {
  return canPin && cpu !== undefined ? ["taskset", "-c", String(cpu), ...argv] : argv;
}

/** Moves a process with all its threads; only for processes that this program started. */
export function pin(pid, cpu) {
  if (canPin) spawnSync("taskset", ["-a", "-c", "-p", String(cpu), String(pid)], { stdio: "ignore" });
}

/** Runs to the end; resolves to its stdout. Rejects on a failure or after `timeoutMs`. */
export async function output(argv, { timeoutMs = 60_000, ...options } = {}) {
  const child = spawn(argv[0], argv.slice(1), { stdio: ["ignore", "pipe", "pipe"], ...options });
  let out = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (errors += text));
  const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  const [code, signal] = await once(child, "close");
  clearTimeout(timer);
  if (code === 0) return out;
  throw new Error(`${argv.join(" ")}: ${signal ?? `exit code ${code}`}\n${errors.slice(-2_000)}`);
}

/** SIGTERM (or `signal`), and SIGKILL where that isn't heard within `graceMs`. */
export async function end(child, signal = "SIGTERM", graceMs = 15_000) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, "close");
  child.kill(signal);
  const late = new AbortController();
  const killing = sleep(graceMs, undefined, { signal: late.signal }).then(
    () => child.kill("SIGKILL"),
    () => undefined,
  );
  await closed;
  late.abort();
  await killing;
}

/** CPU time that the process has used, user and system, in seconds. */
export function cpuSeconds(pid) {
  // The name in parentheses may hold spaces; utime and stime are fields 14 and 15, in ticks of 10 ms.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Resident memory in MiB. */
export function residentMiB(pid) {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) / 1024;
}

export function childrenOf(pid) {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) => {
    const text = readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").trim();
    return text === "" ? [] : text.split(" ").map(Number);
  });
}
