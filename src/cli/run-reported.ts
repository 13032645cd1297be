/** Runs a command with its reporter: every event and every error is printed, and the exit code follows the table. */
import { KserveLocalError } from "../kernel/errors.ts";
import type { PlatformEvent } from "../resources/events.ts";

export interface ReportFlags {
  readonly output: "text" | "json";
  readonly raw?: boolean;
}

/** Resolves to the exit code; never rejects. */
export async function runReported(
  flags: ReportFlags,
  hint: string | undefined,
  run: (onEvent: (event: PlatformEvent) => void) => Promise<number>,
): Promise<number> {
  const [{ createConsoleReporter }, { createJsonReporter }, { problemOfError }, { systemClock }] =
    await Promise.all([
      import("../report/console.ts"),
      import("../report/json.ts"),
      import("../report/error.ts"),
      import("../kernel/clock.ts"),
    ]);
  const { stdout, stderr } = process;
  const clock = systemClock();
  // The reader of our output has gone (`up | head`): nobody is left to serve, so the session ends as by Ctrl-C.
  const onClosed = (): void => void process.emit("SIGPIPE");
  const reporter =
    flags.output === "json"
      ? createJsonReporter({ stdout, onClosed })
      : createConsoleReporter({
          stdout,
          stderr,
          env: process.env,
          clock,
          cwd: process.cwd(),
          onClosed,
          ...(flags.raw === undefined ? {} : { raw: flags.raw }),
          ...(hint === undefined ? {} : { hint }),
          atExit: (restore) => {
            process.on("exit", restore);
            return () => process.off("exit", restore);
          },
        });
  // An error that ends the run has often been reported where it happened: once is enough.
  const told = new Set<string>();
  let crashed = false;
  // A bug somewhere in a callback: say so, and end what runs as gracefully as Ctrl-C would.
  const onCrash = (error: unknown): void => {
    crashed = true;
    reporter.listener({ time: clock.now(), ...problemOfError(error) });
    process.emit("SIGTERM");
  };
  process.on("uncaughtException", onCrash);
  try {
    const exitCode = await run((event) => {
      if (event.type === "problem") told.add(`${event.code} ${event.message}`);
      reporter.listener(event);
    });
    return crashed ? BUG : exitCode;
  } catch (error) {
    const problem = problemOfError(error);
    if (!told.has(`${problem.code} ${problem.message}`)) reporter.listener({ time: clock.now(), ...problem });
    return exitCodeOf(error);
  } finally {
    process.off("uncaughtException", onCrash);
    reporter.close();
  }
}

/** docs/exit-codes.md */
const BUG = 70;

function exitCodeOf(error: unknown): number {
  return error instanceof KserveLocalError ? error.exitCode : BUG;
}
