import { existsSync } from "node:fs";
import { delimiter, join, posix } from "node:path";

/** Where what the image would hold lies on the host. */
export interface HostLayout {
  /** Absolute path of the source: the working directory of the process. */
  readonly directory: string;
  /** The image's WORKDIR, in which the source would have been copied. */
  readonly imageDirectory: string;
}

/**
 * A path below WORKDIR whose counterpart exists in the source becomes that counterpart (`/app/server.js` of an image
 * with WORKDIR /app); everything else stays.
 */
export function onHost(path: string, layout: HostLayout): string {
  if (!path.startsWith("/")) return path;
  const relative = posix.relative(layout.imageDirectory, posix.normalize(path));
  if (relative === ".." || relative.startsWith("../")) return path;
  // The whole of an image without WORKDIR has no counterpart, only the files in it.
  if (relative === "" && layout.imageDirectory === "/") return path;
  const mapped = join(layout.directory, relative);
  return existsSync(mapped) ? mapped : path;
}

/**
 * The same for a whole command: words that are a path, values of `--option=/path`, and the paths in a script that a
 * shell gets with `-c` (what the shell form of CMD and ENTRYPOINT becomes).
 */
export function commandOnHost(argv: readonly string[], layout: HostLayout): string[] {
  return argv.map((word, index) => {
    const isScript =
      index >= 2 && argv[index - 1] === "-c" && /(^|\/)(ba|da|a|z|k)?sh$/.test(argv[index - 2] ?? "");
    if (isScript) return word.replace(/[^\s"'`;&|()<>=:]+/g, (part) => onHost(part, layout));
    const option = /^(--?[A-Za-z][\w.-]*=)(\/.*)$/.exec(word);
    if (option?.[1] !== undefined && option[2] !== undefined) return option[1] + onHost(option[2], layout);
    return onHost(word, layout);
  });
}

/** What the container would run: `command` replaces ENTRYPOINT and drops CMD, `args` replaces CMD; empty counts as absent. */
export function argvOf(run: {
  readonly artifact: { readonly entrypoint: readonly string[]; readonly cmd: readonly string[] };
  readonly command?: readonly string[];
  readonly args?: readonly string[];
}): string[] {
  const hasCommand = run.command !== undefined && run.command.length > 0;
  const hasArgs = run.args !== undefined && run.args.length > 0;
  const entrypoint = hasCommand ? (run.command ?? []) : run.artifact.entrypoint;
  const rest = hasArgs ? (run.args ?? []) : hasCommand ? [] : run.artifact.cmd;
  return [...entrypoint, ...rest];
}

/** What programs on a host can't do without; the rest of the user's environment stays out, as in a container. */
const HOST_VARIABLES = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "TMPDIR",
  "TMP",
  "TEMP",
  "LANG",
  "LC_ALL",
  "TZ",
  "SystemRoot",
  "SystemDrive",
  "ComSpec",
  "PATHEXT",
  "USERPROFILE",
  "APPDATA",
  "LOCALAPPDATA",
];

export interface EnvironmentParts {
  readonly host: NodeJS.ProcessEnv;
  readonly image: ReadonlyArray<readonly [string, string]>;
  readonly run: ReadonlyArray<readonly [string, string]>;
  readonly port: number;
}

/** Host base, image, manifest, in rising order; PORT is the instance's own. */
export function environment(parts: EnvironmentParts, layout: HostLayout): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of HOST_VARIABLES) {
    const value = parts.host[name];
    if (value !== undefined) env[name] = value;
  }
  const hostPath = env["PATH"] ?? "";
  for (const [name, value] of [...parts.image, ...parts.run]) env[name] = value;
  env["PATH"] = searchPath(env["PATH"] ?? "", hostPath, layout);
  env["PORT"] = String(parts.port);
  return env;
}

/** An image's PATH names the image's directories: those of the source are mapped, and the host's own follow. */
function searchPath(path: string, hostPath: string, layout: HostLayout): string {
  const own = path === hostPath ? [] : path.split(":").map((entry) => onHost(entry, layout));
  return [...new Set([...own, ...hostPath.split(delimiter)])].filter((entry) => entry !== "").join(delimiter);
}
