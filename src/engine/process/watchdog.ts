import { type ChildProcess, spawn } from "node:child_process";

/**
 * What the watchdog runs, as text: it needs no file of ours at a known place, so it works compiled, bundled and under
 * a test runner. It reads `{"add":pid}` and `{"remove":pid}`, one a line; when the pipe ends, whichever way we died, each
 * group that is left gets SIGTERM and, half a second later, SIGKILL. A pid that by then names another process is spared.
 */
const SCRIPT = String.raw`
const { readFileSync, rmSync } = require("node:fs");
const windows = process.platform === "win32";
const startOf = (pid) => {
  try {
    const stat = readFileSync("/proc/" + pid + "/stat", "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
};
const groups = new Map();
const kill = (pid, signal) => {
  try {
    process.kill(windows ? pid : -pid, signal);
  } catch {}
};
const take = (line) => {
  const message = JSON.parse(line);
  if (message.add !== undefined) groups.set(message.add, { start: startOf(message.add), record: message.record });
  else groups.delete(message.remove);
};
let rest = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (text) => {
  const lines = (rest + text).split("\n");
  rest = lines.pop();
  lines.forEach(take);
});
process.stdin.on("error", () => {});
process.stdin.on("close", () => {
  const left = [...groups].filter(
    ([pid, { start }]) => process.platform !== "linux" || (start !== undefined && startOf(pid) === start),
  );
  for (const [pid] of left) kill(pid, "SIGTERM");
  setTimeout(
    () => {
      for (const [pid] of left) kill(pid, "SIGKILL");
      for (const { record } of groups.values()) if (record) rmSync(record, { force: true });
    },
    left.length > 0 ? 500 : 0,
  );
});
`;

/** A process of its own that outlives us for a moment and ends what we couldn't. Started with the first group. */
export class Watchdog {
  #child: ChildProcess | undefined;
  #closed = false;

  /** `record` is a file that goes with the group. */
  add(pid: number, record?: string): void {
    this.#send({ add: pid, record });
  }

  remove(pid: number): void {
    this.#send({ remove: pid });
  }

  /** Ends it, and with it whatever groups it still holds. */
  async close(): Promise<void> {
    this.#closed = true;
    const child = this.#child;
    const isRunning = child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
    if (child === undefined || !isRunning) return;
    child.ref();
    const ended = new Promise<void>((resolve) => void child.once("exit", () => resolve()));
    child.stdin?.end();
    await ended;
  }

  #send(message: object): void {
    if (this.#closed) return;
    this.#child ??= start();
    this.#child.stdin?.write(`${JSON.stringify(message)}\n`);
  }
}

function start(): ChildProcess {
  const child = spawn(process.execPath, ["-e", SCRIPT], {
    // Away from our terminal and our group, and from options meant for us (NODE_OPTIONS).
    detached: true,
    env: process.env["SystemRoot"] === undefined ? {} : { SystemRoot: process.env["SystemRoot"] },
    stdio: ["pipe", "ignore", "ignore"],
    windowsHide: true,
  });
  // Without a watchdog the next start's sweep still cleans up.
  child.on("error", () => undefined);
  child.stdin?.on("error", () => undefined);
  child.unref();
  const pipe: unknown = child.stdin;
  if (pipe !== null && typeof pipe === "object" && "unref" in pipe && typeof pipe.unref === "function")
    pipe.unref();
  return child;
}
