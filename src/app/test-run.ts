/** `kserve-local test`: up, wait until ready, run a command against it, tear down, pass the command's exit code on. */
import { spawn } from "node:child_process";
import { KserveLocalError } from "../kernel/errors.ts";
import { servicesIn } from "./documents.ts";
import { type RunOptions, type RunningSession, runSession } from "./run-session.ts";

export interface TestOptions extends RunOptions {
  /** The command and its arguments, not run by a shell. */
  readonly testCommand: readonly [string, ...string[]];
  /** Where the command's stdout goes: stderr where our own stdout carries JSON events. */
  readonly commandStdout: "inherit" | "stderr";
}

/** Resolves to the command's exit code, 128 + n where signal n ended it. @throws KserveLocalError where it can't come up */
export function testRun(options: TestOptions): Promise<number> {
  return runSession(options, async (running) =>
    runCommand(options, await environment(running), running.signal),
  );
}

/** `KSERVE_LOCAL_URL` and one `KSERVE_LOCAL_URL_<SERVICE>` for each service. */
async function environment({ session, sources }: RunningSession): Promise<Record<string, string>> {
  const env: Record<string, string> = {};
  for (const { metadata } of servicesIn(sources.manifest.documents)) {
    const url = await session.directUrl(metadata);
    env["KSERVE_LOCAL_URL"] ??= url;
    env[`KSERVE_LOCAL_URL_${metadata.name.toUpperCase().replaceAll("-", "_")}`] = url;
  }
  return env;
}

function runCommand(options: TestOptions, env: Record<string, string>, signal: AbortSignal): Promise<number> {
  const [command, ...args] = options.testCommand;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...env },
      stdio: ["inherit", options.commandStdout === "inherit" ? "inherit" : 2, "inherit"],
    });
    // A terminal sends Ctrl-C to the command as well; a signal to us alone has to be passed on.
    const onAbort = (): void => void child.kill("SIGTERM");
    signal.addEventListener("abort", onAbort, { once: true });
    child.on("error", (error: NodeJS.ErrnoException) => {
      signal.removeEventListener("abort", onAbort);
      reject(
        new KserveLocalError("usage", {
          what: `the command ${command} can't be run`,
          why: error.code === "ENOENT" ? "there is no such program on PATH" : error.message,
          fix: "everything after -- is the command and its arguments; for a pipeline or variables write: -- sh -c '…'",
          cause: error,
        }),
      );
    });
    child.on("exit", (code, killedBy) => {
      signal.removeEventListener("abort", onAbort);
      if (signal.aborted) reject(signal.reason as Error);
      else resolve(code ?? 128 + (SIGNAL_NUMBERS[killedBy ?? ""] ?? 0));
    });
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
