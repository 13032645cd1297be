/** `kserve-local test`: up, wait until ready, run a command against it, tear down, pass the command's exit code on. */
import { servicesIn } from "./documents.ts";
import { runCommand } from "./run-command.ts";
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
    runCommand({
      command: options.testCommand,
      cwd: options.cwd,
      env: { ...process.env, ...(await environment(running)) },
      stdout: options.commandStdout,
      signal: running.signal,
      hurry: running.hurry,
    }),
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
