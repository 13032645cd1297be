/** `kserve-local config`: the objects after defaulting, and the settings of a run with where each came from. */
import { isKserveLocalError, KserveLocalError } from "../kernel/errors.ts";
import { judge, type Manifest } from "../manifest/judge.ts";
import type { SourceText } from "../manifest/source-text.ts";
import { toYaml } from "../manifest/yaml-text.ts";
import { configLines } from "../report/config-lines.ts";
import { errorLines } from "../report/error.ts";
import { guardOutput, type Output } from "../report/output.ts";
import { colourLevel, createTheme, type Environment } from "../report/theme.ts";
import { validationReport } from "../report/validation-report.ts";
import { validationLines } from "../report/validation-text.ts";
import { platformSettings, profileSettings, type Setting } from "./config-settings.ts";
import type { ProfileName } from "./platform-profile.ts";
import { readManifests } from "./read-manifests.ts";

export interface ConfigOptions {
  readonly paths: readonly string[];
  readonly cwd: string;
  readonly stdin: NodeJS.ReadableStream;
  readonly profile: ProfileName;
  /** Those of the command line. */
  readonly flags: readonly Setting[];
  readonly output: "text" | "json";
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Environment;
}

/** Resolves to the exit code: 2 where a document is invalid; the valid ones are printed all the same. */
export async function runConfig(options: ConfigOptions): Promise<number> {
  const { profile, flags, output, stdout } = options;
  let sources: SourceText[];
  try {
    sources = await read(options);
  } catch (error) {
    if (!(error instanceof KserveLocalError)) throw error;
    tell(options, errorLines(error, themeOf(options), options.cwd));
    return error.exitCode;
  }
  const manifest = judge(sources, { profile });
  const settings = [...flags, ...profileSettings(profile), ...platformSettings(manifest)];
  const objects = manifest.documents.flatMap((document) =>
    document.object === undefined
      ? []
      : [{ object: document.object, at: `${document.file}:${document.positionOf("").line}` }],
  );
  guardOutput(stdout).write(
    output === "json"
      ? `${JSON.stringify({ settings, objects: objects.map(({ object }) => object) }, undefined, 2)}\n`
      : `${configLines(
          settings,
          objects.map(({ object, at }) => ({ at, yaml: toYaml(object) })),
        ).join("\n")}\n`,
  );
  if (manifest.valid || sources.length === 0) return 0;
  tell(options, problemLines(manifest, sources, options));
  return 2;
}

/** Without a path, and without a manifest here, there are still settings to show. */
async function read({ paths, cwd, stdin }: ConfigOptions): Promise<SourceText[]> {
  try {
    return await readManifests(paths, { cwd, stdin });
  } catch (error) {
    if (paths.length === 0 && isKserveLocalError(error, "manifest-not-found")) return [];
    throw error;
  }
}

function problemLines(manifest: Manifest, sources: readonly SourceText[], options: ConfigOptions): string[] {
  const files = sources.map(({ file }) => file);
  const texts = new Map(
    sources.map(({ file, text }) => [
      file,
      typeof text === "string" ? text : Buffer.from(text).toString("utf8"),
    ]),
  );
  const report = validationReport(manifest, files, { strict: false, showDefaults: false });
  return validationLines(report, { theme: themeOf(options), cwd: options.cwd, texts });
}

function tell({ stderr }: ConfigOptions, lines: readonly string[]): void {
  guardOutput(stderr).write(`${lines.join("\n")}\n`);
}

function themeOf({ stderr, env }: ConfigOptions) {
  return createTheme(colourLevel(stderr.isTTY === true, env), env);
}
