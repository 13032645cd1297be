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

/**
 * `KSERVE_LOCAL_URL`, the first service's, and `KSERVE_LOCAL_URL_<SERVICE>` for each; services of one name in several
 * namespaces are told apart as `KSERVE_LOCAL_URL_<NAMESPACE>_<SERVICE>`.
 */
async function environment({ session, sources }: RunningSession): Promise<Record<string, string>> {
  const env: Record<string, string> = {};
  const services = servicesIn(sources.manifest.documents).map(({ metadata }) => metadata);
  for (const service of services) {
    const url = await session.directUrl(service);
    env["KSERVE_LOCAL_URL"] ??= url;
    const isAmbiguous = services.filter(({ name }) => name === service.name).length > 1;
    const name = isAmbiguous ? `${service.namespace}_${service.name}` : service.name;
    env[`KSERVE_LOCAL_URL_${name.toUpperCase().replaceAll("-", "_")}`] = url;
  }
  return env;
}
