/** The built CLI as a process, seen through its JSON events: start it, wait for what it says, end it as a user would. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const BIN = fileURLToPath(new URL("../../bin/kserve-local.js", import.meta.url));

/** One line of `--output json`. */
export interface PrintedEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface Cli {
  readonly child: ChildProcess;
  readonly events: readonly PrintedEvent[];
  /** Everything on stderr, and lines of stdout that are no events. */
  text(): string;
  /** The first event, past or to come, that matches. Rejects when the process ends without one. */
  event(type: string, matches?: (event: PrintedEvent) => boolean): Promise<PrintedEvent>;
  /** Where the ingress listens, once a service is ready there. */
  ready(services?: number): Promise<string>;
  /** Sends the signal and resolves to the exit code. */
  end(signal?: NodeJS.Signals): Promise<number>;
  readonly exit: Promise<number>;
}

/** A temporary directory with these files, removed at the end of the test. */
export async function project(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "kserve-local-e2e-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
  }
  return folder;
}

export interface CliOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Default true: `--output json`. */
  readonly json?: boolean;
}

export function kserveLocal(args: readonly string[], options: CliOptions): Cli {
  const output = options.json === false ? {} : { KSERVE_LOCAL_OUTPUT: "json" };
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd: options.cwd,
    env: { ...withoutSettings(process.env), ...output, ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.stdin ?? "");
  const events: PrintedEvent[] = [];
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const exit = once(child, "close").then(([code, signal]) => {
    const ended = (code as number | null) ?? 128 + (signal === "SIGKILL" ? 9 : 0);
    for (const look of waiting) look();
    return ended;
  });
  createInterface({ input: child.stderr }).on("line", (line) => lines.push(line));
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (options.json === false || !line.startsWith("{")) lines.push(line);
    else events.push(JSON.parse(line) as PrintedEvent);
    for (const look of waiting) look();
  });
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    await exit;
  });
  const text = (): string => lines.join("\n");
  const event: Cli["event"] = (type, matches = () => true) =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = events.find((candidate) => candidate.type === type && matches(candidate));
        if (found === undefined && child.exitCode === null && child.signalCode === null) return;
        waiting.delete(look);
        if (found !== undefined) resolve(found);
        else reject(new Error(`it ended without a ${type} event\n${describe(events)}\n${text()}`));
      };
      waiting.add(look);
      look();
    });
  return {
    child,
    events,
    text,
    event,
    exit,
    async ready(services = 1) {
      const { port } = (await event("session.started")) as PrintedEvent & { port: number };
      const names = (): Set<unknown> =>
        new Set(events.filter(({ type }) => type === "service.ready").map(({ service }) => service));
      await event("service.ready", () => names().size >= services);
      return `http://127.0.0.1:${port}`;
    },
    end(signal = "SIGINT") {
      child.kill(signal);
      return exit;
    },
  };
}

/** What a developer's shell has set must not change what is tested. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(KSERVE_LOCAL_|CI$|GITHUB_|NO_COLOR|FORCE_COLOR)/.test(name)),
  );
}

function describe(events: readonly PrintedEvent[]): string {
  return events.map((event) => JSON.stringify(event)).join("\n");
}
