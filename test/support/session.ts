/** A `kserve-local up` as a process of its own, seen through its JSON events. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** What `--output json` prints, as far as these tests read it. */
interface PrintedEvent {
  readonly type: string;
  readonly session?: string;
  readonly service?: string;
}

export interface Session {
  /** Resolves when `services` Services are ready; rejects when one fails or the process ends before. */
  ready(services: number): Promise<void>;
  /** Ctrl-C. Resolves to the session's id when the process has ended; rejects unless it ended as Ctrl-C should. */
  interrupt(): Promise<string>;
  /** The last lines that it printed, for messages. */
  tail(): string;
  /** Makes sure that it is gone, whatever happened. */
  kill(): Promise<void>;
}

/** 128 + SIGINT. */
const INTERRUPTED = 130;
const TAIL_LINES = 40;
const KILL_AFTER_MS = 12_000;

/** `env` has to ask for JSON. `command` is a shell command that begins with the program. */
export function startSession(command: string, options: { cwd: string; env: NodeJS.ProcessEnv }): Session {
  // exec: signals then reach the CLI itself.
  const child = spawn("bash", ["-c", `exec ${command}`], { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const lines: string[] = [];
  const tail = (): string => `\n--- ${command}\n${lines.slice(-TAIL_LINES).join("\n")}`;
  const services = new Set<string>();
  let id: string | undefined;
  let changed = (): void => {};
  let failed: Error | undefined;
  const closed = once(child, "close").then(([code]) => {
    failed ??= new Error(`${command} ended with ${String(code)}${tail()}`);
    changed();
    return code as number | null;
  });
  createInterface({ input: child.stderr }).on("line", (line) => lines.push(line));
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    const event = parse(line);
    if (event === undefined)
      failed = new Error(`${command} printed a line that is no JSON event: ${line}${tail()}`);
    if (event?.type === "session.started") id = event.session;
    if (event?.type === "service.ready") services.add(event.service ?? "");
    if (event?.type === "service.failed") failed = new Error(`a Service failed${tail()}`);
    changed();
  });
  return {
    tail,
    ready: (count) =>
      new Promise((resolve, reject) => {
        changed = () => {
          if (failed) reject(failed);
          else if (services.size >= count) resolve();
        };
        changed();
      }),
    async interrupt() {
      child.kill("SIGINT");
      const code = await closed;
      if (code !== INTERRUPTED)
        throw new Error(`${command} ended with ${String(code)} after SIGINT${tail()}`);
      if (id === undefined) throw new Error(`${command} printed no session.started${tail()}`);
      return id;
    },
    async kill() {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, "exit");
        const impatient = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
        child.kill("SIGTERM");
        await exited;
        clearTimeout(impatient);
      }
      // A grandchild that outlived it would keep the pipes, and with them this process, open.
      child.stdout.destroy();
      child.stderr.destroy();
    },
  };
}

function parse(line: string): PrintedEvent | undefined {
  try {
    return JSON.parse(line) as PrintedEvent;
  } catch {
    return undefined;
  }
}
