/** Every flag is declared once, here: help, environment variables and docs follow from it. */
import { InvalidArgumentError, Option } from "commander";

/** Each flag can be given as KSERVE_LOCAL_<FLAG>. */
function option(flags: string, description: string): Option {
  const long = /--(?:no-)?([a-z-]+)/.exec(flags)?.[1] ?? "";
  const negated = flags.includes("--no-");
  const name = `KSERVE_LOCAL_${negated ? "NO_" : ""}${long.toUpperCase().replaceAll("-", "_")}`;
  return new Option(flags, description).env(name);
}

export const OPTIONS = {
  port: () =>
    option("-p, --port <port>", "port to listen on; the next free one if it is taken, 0 for any")
      .default(8080)
      .argParser(parsePort),
  strictPort: () => option("--strict-port", "fail if the port is taken"),
  engine: () =>
    option("--engine <engine>", "what runs the instances")
      .choices(["auto", "docker", "process"])
      .default("auto"),
  build: () => option("--build <dir>", "build the image from the Dockerfile in this directory"),
  noBuild: () => option("--no-build", "never build; take the image that the manifest names"),
  pull: () =>
    option("--pull <policy>", "when to pull images (default: imagePullPolicy, else missing)").choices([
      "always",
      "missing",
      "never",
    ]),
  envFile: () =>
    option(
      "--env-file <file>",
      "add NAME=value lines to the environment of the containers; may be repeated",
    ).argParser((file: string, before: readonly string[] | undefined) => [...(before ?? []), file]),
  profile: () =>
    option("--profile <profile>", "whose contract to keep: Knative serving on GKE, or plain upstream Knative")
      .choices(["gke", "knative"])
      .default("gke"),
  timeScale: () =>
    option("--time-scale <n>", "run all platform times (windows, timeouts, grace periods) n times faster")
      .default(1)
      .argParser(parseScale),
  noWatch: () => option("--no-watch", "do not watch the manifest and the source for changes"),
  output: () =>
    option("-o, --output <format>", "text for people, json for one event a line on stdout")
      .choices(["text", "json"])
      .default("text"),
  raw: () => option("--raw", "print the app's JSON logs as they are"),
  waitTimeout: () =>
    option("--wait-timeout <seconds>", "how long the services may take to become ready").argParser(
      parseSeconds,
    ),
} satisfies Record<string, () => Option>;

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new InvalidArgumentError("A port is a number from 0 to 65535.");
  return port;
}

function parseScale(text: string): number {
  const scale = Number(text);
  if (!(scale > 0) || scale > 1000)
    throw new InvalidArgumentError("The scale is a number above 0, up to 1000.");
  return scale;
}

function parseSeconds(text: string): number {
  const match = /^(\d+(?:\.\d+)?)s?$/.exec(text);
  if (match === null) throw new InvalidArgumentError("Seconds, for example 60 or 60s.");
  return Number(match[1]);
}
