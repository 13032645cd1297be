/** The flags that `up` and `test` share, and what they mean to the application. */
import path from "node:path";
import type { Command } from "commander";
import type { RunOptions } from "../../app/run-session.ts";
import { OPTIONS } from "../options.ts";

export interface SessionFlags {
  readonly port: number;
  readonly strictPort?: boolean;
  readonly engine: "auto" | "docker" | "process";
  /** `--build <dir>`; false for `--no-build`. */
  readonly build?: string | boolean;
  readonly pull?: "always" | "missing" | "never";
  readonly envFile?: readonly string[];
  readonly profile: "gke" | "knative";
  readonly timeoutSemantics?: "total" | "first-byte";
  readonly proxyEngine: "raw" | "node";
  readonly timeScale: number;
  /** False for `--no-standby`. */
  readonly standby: number | false;
  readonly filesystem: "memory" | "disk";
  readonly output: "text" | "json";
  readonly raw?: boolean;
}

export function addSessionFlags(command: Command): Command {
  for (const make of [
    OPTIONS.port,
    OPTIONS.strictPort,
    OPTIONS.engine,
    OPTIONS.build,
    OPTIONS.noBuild,
    OPTIONS.pull,
    OPTIONS.envFile,
    OPTIONS.profile,
    OPTIONS.timeoutSemantics,
    OPTIONS.proxyEngine,
    OPTIONS.timeScale,
    OPTIONS.standby,
    OPTIONS.noStandby,
    OPTIONS.filesystem,
    OPTIONS.output,
    OPTIONS.raw,
  ])
    command.addOption(make());
  return command;
}

/** @throws KserveLocalError `usage` where an env file can't be read */
export async function sessionOptions(
  paths: readonly string[],
  flags: SessionFlags,
  onEvent: RunOptions["onEvent"],
): Promise<Omit<RunOptions, "command">> {
  const { readEnvFiles } = await import("../../app/env-file.ts");
  const cwd = process.cwd();
  return {
    paths,
    cwd,
    stdin: process.stdin,
    port: flags.port,
    strictPort: flags.strictPort === true,
    engine: flags.engine,
    profile: flags.profile,
    proxyEngine: flags.proxyEngine,
    ...(flags.timeoutSemantics === undefined ? {} : { timeoutSemantics: flags.timeoutSemantics }),
    timeScale: flags.timeScale,
    standby: flags.standby === false ? 0 : flags.standby,
    filesystem: flags.filesystem,
    source: {
      noBuild: flags.build === false,
      ...(typeof flags.build === "string" ? { build: path.resolve(cwd, flags.build) } : {}),
      ...(flags.pull === undefined ? {} : { pull: flags.pull }),
    },
    extraEnv: await readEnvFiles(flags.envFile ?? [], cwd),
    onEvent,
  };
}
