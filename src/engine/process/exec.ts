import type { ExecResult } from "../engine.ts";
import { signalGroup } from "./process-identity.ts";
import { exitCodeOf, type HostCommand, spawnOnHost } from "./spawn.ts";

const OUTPUT_BYTES = 4096;
/** What shells answer for a command that isn't there. */
const NOT_FOUND = 127;

/**
 * Runs a command to its end, beside an instance. A command that can't be started is a failed one (127), as in a
 * container. Rejects with the signal's reason, after which nothing of it runs.
 */
export async function execOnHost(
  command: HostCommand,
  signal: AbortSignal,
  onPid: (pid: number) => () => void,
): Promise<ExecResult> {
  signal.throwIfAborted();
  const { process: child, begun } = spawnOnHost(command);
  const pid = child.pid;
  const forget = pid === undefined ? () => undefined : onPid(pid);
  const kill = (): void => {
    if (pid !== undefined) signalGroup(pid, "SIGKILL");
  };
  signal.addEventListener("abort", kill, { once: true });
  try {
    const chunks: Buffer[] = [];
    let kept = 0;
    const keep = (chunk: Buffer): void => {
      if (kept < OUTPUT_BYTES) chunks.push(chunk.subarray(0, OUTPUT_BYTES - kept));
      kept += chunk.length;
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const ended = new Promise<number>((resolve) => {
      // What it left running in the background would hold the pipes open.
      child.once("exit", kill);
      child.once("close", (code, by) => resolve(exitCodeOf(code, by)));
    });
    const failure = await begun;
    if (failure !== undefined && pid === undefined) {
      return { exitCode: NOT_FOUND, output: `${command.argv[0] ?? ""}: not found or not executable` };
    }
    const exitCode = await ended;
    signal.throwIfAborted();
    return { exitCode, output: Buffer.concat(chunks).toString("utf8") };
  } finally {
    signal.removeEventListener("abort", kill);
    forget();
  }
}
