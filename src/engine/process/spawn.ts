import type { ChildProcess } from "node:child_process";
import { statSync } from "node:fs";
import { constants } from "node:os";
import type { Readable } from "node:stream";
import { execa } from "execa";
import { KserveLocalError, messageOf } from "../../kernel/errors.ts";

/** What is run, and where. */
export interface HostCommand {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

const OPTIONS = {
  extendEnv: false,
  stdin: "ignore",
  stdout: "pipe",
  stderr: "pipe",
  buffer: false,
  reject: false,
  cleanup: false,
  windowsHide: true,
  // A group of its own, so that signals reach everything it starts, and Ctrl-C in the terminal reaches only us.
  detached: process.platform !== "win32",
} as const;

export type HostProcess = Pick<ChildProcess, "pid" | "once"> & {
  readonly stdout: Readable;
  readonly stderr: Readable;
};

/** Starts a process; it runs, or has failed, once `begun` settles: with the system's error in the latter case. */
export function spawnOnHost(command: HostCommand): {
  readonly process: HostProcess;
  readonly begun: Promise<unknown>;
} {
  const [file = "", ...args] = command.argv;
  const child = execa(file, args, { ...OPTIONS, cwd: command.cwd, env: { ...command.env } });
  const begun = new Promise<unknown>((resolve) => {
    child.once("spawn", () => resolve(undefined));
    void child.then((result) => resolve(result));
  });
  return { process: child, begun };
}

/** 128+n for signal n, as shells and container engines say it. */
export function exitCodeOf(code: number | null, signal: NodeJS.Signals | null): number {
  if (code !== null) return code;
  return 128 + (signal === null ? 0 : constants.signals[signal]);
}

/** The command can't even be tried. Undefined when it can. */
export function hopeless(command: HostCommand): KserveLocalError | undefined {
  if (command.argv.length === 0) {
    return new KserveLocalError("start-failed", {
      what: "there is no command to run",
      why: "neither the manifest (command, args) nor the Dockerfile's last stage (ENTRYPOINT, CMD) gives one; what its base image would run isn't known without a container engine",
      fix: "add CMD to the Dockerfile, or give the command to run after `--`",
    });
  }
  if (isDirectory(command.cwd)) return undefined;
  return new KserveLocalError("start-failed", {
    what: `the working directory ${command.cwd} doesn't exist on this machine`,
    why: "without a container engine the app sees this machine's files, not the image's",
    fix: "drop workingDir from the manifest, or start a container engine",
  });
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** The system's refusal in the user's words. */
export function startFailure(command: HostCommand, cause: unknown): KserveLocalError {
  const file = command.argv[0] ?? "";
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  const elsewhere = "or give the command to run after `--`, or start a container engine";
  switch (code) {
    case "ENOENT":
      return new KserveLocalError("start-failed", {
        what: `the command ${file} was not found on this machine`,
        why: file.includes("/")
          ? "there is no such file, or the interpreter that its first line names is missing; what the image build makes isn't there without a container engine"
          : "no directory of PATH holds it; if the base image brings its own ENTRYPOINT, that isn't known without a container engine",
        fix: `install it, ${elsewhere}`,
        cause,
      });
    case "EACCES":
      return new KserveLocalError("start-failed", {
        what: `the command ${file} is not executable`,
        why: "its permissions don't allow running it",
        fix: `chmod +x it, ${elsewhere}`,
        cause,
      });
    case "ENOEXEC":
      return new KserveLocalError("start-failed", {
        what: `the command ${file} can't run on this machine`,
        why: "it is a program for another system or processor, or a script without #! line",
        fix: `build it for this machine, ${elsewhere}`,
        cause,
      });
    default:
      return new KserveLocalError("start-failed", {
        what: `the command ${file} couldn't be started`,
        why: messageOf(cause),
        fix: `try it in a terminal, ${elsewhere}`,
        cause,
      });
  }
}
