/** The command of `test`: a child process with our terminal, ended when the user asks for it. */
import { spawn } from "node:child_process";
import { KserveLocalError } from "../kernel/errors.ts";

export interface CommandOptions {
  /** The program and its arguments, not run by a shell. */
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Where the command's stdout goes: stderr where our own stdout carries JSON events. */
  readonly stdout: "inherit" | "stderr";
  /** Asks the command to end (SIGTERM). */
  readonly signal: AbortSignal;
  /** Ends it at once (SIGKILL). */
  readonly hurry: AbortSignal;
}

/**
 * Resolves to the command's exit code, 128 + n where signal n ended it.
 * @throws the reason of `signal`, once the command has ended; KserveLocalError `usage` where it can't be run
 */
export async function runCommand(options: CommandOptions): Promise<number> {
  const { cwd, env, signal, hurry } = options;
  const [command, ...args] = options.command;
  signal.throwIfAborted();
  return await new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: ["inherit", options.stdout === "inherit" ? "inherit" : 2, "inherit"],
    });
    // A terminal sends Ctrl-C to the command as well; a signal to us alone has to be passed on.
    const ask = (): void => void child.kill("SIGTERM");
    const kill = (): void => void child.kill("SIGKILL");
    signal.addEventListener("abort", ask, { once: true });
    hurry.addEventListener("abort", kill, { once: true });
    const forget = (): void => {
      signal.removeEventListener("abort", ask);
      hurry.removeEventListener("abort", kill);
    };
    child.on("error", (error: NodeJS.ErrnoException) => {
      forget();
      reject(notRun(command, error));
    });
    child.on("exit", (code, killedBy) => {
      forget();
      if (signal.aborted) reject(signal.reason as Error);
      else resolve(code ?? 128 + (SIGNAL_NUMBERS[killedBy ?? ""] ?? 0));
    });
  });
}

function notRun(command: string, error: NodeJS.ErrnoException): KserveLocalError {
  return new KserveLocalError("usage", {
    what: `the command ${command} can't be run`,
    why: error.code === "ENOENT" ? "there is no such program on PATH" : error.message,
    fix: "everything after -- is the command and its arguments; for a pipeline or variables write: -- sh -c '…'",
    cause: error,
  });
}

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGTERM: 15,
};
