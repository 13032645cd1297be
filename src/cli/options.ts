/** Every flag is declared once, here: help, environment variables and docs follow from it. */
import { InvalidArgumentError, Option } from "commander";
import { goDurationMs } from "../manifest/go-duration.ts";

/** Off: to be turned on when every engine and every image is known to bear it. */
const STANDBY = 0;
const MOST_STANDBY = 50;
const LONGEST_TIME_MS = 31 * 86_400_000;

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
  timeoutSemantics: () =>
    option(
      "--timeout-semantics <semantics>",
      "what timeoutSeconds bounds: the whole response (total, Knative from 1.19) or the wait for it (first-byte); default by profile",
    ).choices(["total", "first-byte"]),
  proxyEngine: () =>
    option("--proxy-engine <engine>", "what moves the bytes of requests: our own HTTP/1.1 engine, or node's")
      .choices(["raw", "node"])
      .default("raw"),
  timeScale: () =>
    option("--time-scale <n>", "run all platform times (windows, timeouts, grace periods) n times faster")
      .default(1)
      .argParser(parseScale),
  standby: () =>
    option(
      "--standby <n>",
      "keep a container waiting for each of the n revisions used last, its app not started: faster from zero (docker)",
    )
      .default(STANDBY)
      .argParser(parseStandby),
  noStandby: () => option("--no-standby", "keep no container for a revision at zero"),
  filesystem: () =>
    option(
      "--filesystem <kind>",
      "where what the app writes goes: memory, as on the platform, or disk (docker)",
    )
      .choices(["memory", "disk"])
      .default("disk"),
  noWatch: () => option("--no-watch", "do not watch the manifest and the source for changes"),
  output: () =>
    option("-o, --output <format>", "text for people, json for one event a line on stdout")
      .choices(["text", "json"])
      .default("text"),
  validateOutput: () =>
    option("-o, --output <format>", "how the verdict is printed (default in GitHub Actions: github)")
      .choices(["text", "json", "sarif", "junit", "github"])
      .default("text"),
  strict: () => option("--strict", "count warnings as errors"),
  showDefaults: () => option("--show-defaults", "print the objects as the platform would store them"),
  fix: () => option("--fix", "mend what is beyond doubt in the files, and show the diff"),
  dryRun: () => option("--dry-run", "with --fix: show the diff, change nothing"),
  raw: () => option("--raw", "print the app's JSON logs as they are"),
  waitTimeout: () =>
    option("--wait-timeout <seconds>", "how long the services may take to become ready").argParser(
      parseSeconds,
    ),
  load: () => option("--load <segments>", "the load over time, such as 0-60s:5, 60-75s:200, 10m:0"),
  scenario: () => option("--scenario <file>", "run a scenario in the format of Knative's autoscaler traces"),
  service: () => option("--service <name>", "which service, where the manifest holds several"),
  startup: () =>
    option("--startup <time>", "from asking for an instance until it is ready")
      .default(2, "2s")
      .argParser(parseTime),
  requestDuration: () =>
    option("--request-duration <time>", "how long a request takes, once it has an instance")
      .default(0.1, "100ms")
      .argParser(parsePositiveTime),
  duration: () =>
    option("--duration <time>", "how long to simulate (default: until the load ends)").argParser(
      parseWholeSeconds,
    ),
  seed: () =>
    option("--seed <n>", "when requests come, where the load is in rps; the same seed, the same requests")
      .default(1)
      .argParser(parseSeed),
  resultOutput: () =>
    option("-o, --output <format>", "text for people, json for one document on stdout")
      .choices(["text", "json"])
      .default("text"),
} satisfies Record<string, () => Option>;

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new InvalidArgumentError("A port is a number from 0 to 65535.");
  return port;
}

function parseStandby(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count > MOST_STANDBY)
    throw new InvalidArgumentError(`A number from 0 to ${MOST_STANDBY}.`);
  return count;
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

/** Seconds. */
function parseTime(text: string): number {
  const ms = goDurationMs(/^\d+(?:\.\d+)?$/.test(text) ? `${text}s` : text);
  if (ms === undefined || ms < 0 || ms > LONGEST_TIME_MS)
    throw new InvalidArgumentError("A time, for example 2s, 400ms or 1m30s, up to 31 days.");
  return ms / 1000;
}

function parsePositiveTime(text: string): number {
  const seconds = parseTime(text);
  // Shorter ones make no difference to anything that is counted in seconds.
  if (seconds < 0.001) throw new InvalidArgumentError("At least 1ms.");
  return seconds;
}

function parseWholeSeconds(text: string): number {
  const seconds = parseTime(text);
  if (!Number.isInteger(seconds) || seconds === 0)
    throw new InvalidArgumentError("Whole seconds, for example 90s or 10m, at least one.");
  return seconds;
}

function parseSeed(text: string): number {
  const seed = Number(text);
  if (!/^\d+$/.test(text) || seed >= 2 ** 32)
    throw new InvalidArgumentError("A whole number from 0 to 4294967295.");
  return seed;
}
