/** Finds the engine and makes sure that it answers. */
import { existsSync, readFileSync } from "node:fs";
import os from "node:os";
import type Docker from "dockerode";
import type { Clock } from "../../kernel/clock.ts";
import { KserveLocalError, messageOf } from "../../kernel/errors.ts";
import type { Engine } from "../engine.ts";
import { bridgeSubnets } from "./address.ts";
import { type DockerClient, isConnectionError, openClient } from "./client.ts";
import { DockerEngine, type Filesystem } from "./docker-engine.ts";
import { type Endpoint, findEndpoints, type Surroundings } from "./endpoint.ts";
import { type EngineFacts, readFacts } from "./facts.ts";
import { hostAccess } from "./host-access.ts";
import { startWatchdog } from "./watchdog.ts";

export interface ConnectOptions {
  /** Unique: it names everything that the engine makes, and what `close` removes. */
  readonly session: string;
  readonly clock: Clock;
  /** Defaults to this process' environment, home and files. */
  readonly around?: Surroundings;
  /** By the wall clock; default 3000 for each endpoint. */
  readonly timeoutMs?: number;
  /** Default true: a second process removes everything should this one be killed. */
  readonly watchdog?: boolean;
  /** Most containers that wait for a start that is likely to come; default 0. */
  readonly standby?: number;
  /** Default `disk`. */
  readonly filesystem?: Filesystem;
  /** What people should know about how the engine is used. */
  readonly onNotice?: (message: string) => void;
  /** Facts to take for granted, for tests of older and other engines. */
  readonly assume?: Partial<EngineFacts>;
}

const TIMEOUT_MS = 3000;

/** Throws KserveLocalError `engine-unreachable` or `engine-unsupported`. */
export async function connectDocker(options: ConnectOptions): Promise<Engine> {
  const around = options.around ?? machineSurroundings();
  const { endpoints, chosen } = findEndpoints(around);
  const failures: Array<{ endpoint: Endpoint; error: unknown }> = [];
  for (const endpoint of endpoints) {
    const client = openClient(endpoint);
    try {
      const facts = await askFacts(client, endpoint, around, options.timeoutMs ?? TIMEOUT_MS);
      return await open(client, { ...facts, ...options.assume }, around, options);
    } catch (error) {
      client.destroy();
      if (error instanceof KserveLocalError && chosen) throw error;
      failures.push({ endpoint, error });
    }
  }
  throw unreachable(failures, chosen);
}

export function machineSurroundings(): Surroundings {
  return {
    env: process.env,
    home: os.homedir(),
    platform: process.platform,
    exists: existsSync,
    read: (file) => {
      try {
        return readFileSync(file, "utf8");
      } catch {
        return undefined;
      }
    },
  };
}

async function open(
  client: DockerClient,
  facts: EngineFacts,
  around: Surroundings,
  options: ConnectOptions,
): Promise<Engine> {
  const { session, clock, watchdog = true } = options;
  return new DockerEngine({
    client,
    facts,
    hostAccess: await hostAccess(facts, await bridgeSubnets(client.docker)),
    clock,
    session,
    around,
    standby: options.standby ?? 0,
    filesystem: options.filesystem ?? "disk",
    onNotice: (message) => options.onNotice?.(message),
    watchdog: () => (watchdog ? startWatchdog(facts.endpoint, session) : undefined),
  });
}

async function askFacts(
  client: DockerClient,
  endpoint: Endpoint,
  around: Surroundings,
  timeoutMs: number,
): Promise<EngineFacts> {
  const abortSignal = AbortSignal.timeout(timeoutMs);
  const { docker } = client;
  const [version, info] = await Promise.all([
    (docker.version as (options: object) => Promise<Docker.DockerVersion>).call(docker, { abortSignal }),
    (docker.info as (options: object) => Promise<Record<string, unknown>>).call(docker, { abortSignal }),
  ]);
  if (typeof version !== "object" || typeof version.ApiVersion !== "string")
    throw new Error("The answer is not that of a container engine");
  return readFacts(endpoint, version, info, around.platform);
}

function unreachable(
  failures: ReadonlyArray<{ endpoint: Endpoint; error: unknown }>,
  chosen: boolean,
): KserveLocalError {
  const first = failures[0];
  if (first === undefined) {
    return new KserveLocalError("engine-unreachable", {
      what: "No container engine was found",
      why: "DOCKER_HOST is not set, no docker context is chosen, and none of the usual sockets exists",
      fix: "Install and start Docker (or Colima, Rancher Desktop, OrbStack, Podman), or run without one: --engine process",
    });
  }
  const denied = failures.find(({ error }) => (error as NodeJS.ErrnoException).code === "EACCES");
  const why = failures.map(({ endpoint, error }) => `${endpoint.uri}: ${describe(error)}`).join("\n");
  if (failures.length === 1 && first.error instanceof KserveLocalError) return first.error;
  return new KserveLocalError("engine-unreachable", {
    what: chosen
      ? `The engine that ${first.endpoint.source} names does not answer: ${first.endpoint.uri}`
      : "No container engine answers",
    why,
    fix:
      denied !== undefined
        ? `Your user may not use ${denied.endpoint.uri}: sudo usermod -aG docker $USER, then log in again`
        : chosen
          ? `Start that engine, or take ${first.endpoint.source} away`
          : "Start it: Docker Desktop, or sudo systemctl start docker; or run without one: --engine process",
    cause: first.error,
  });
}

function describe(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  if (error instanceof Error && (error.name === "AbortError" || error.name === "TimeoutError"))
    return "no answer in time";
  if (code === "ECONNREFUSED") return "nobody listens there";
  if (code === "ENOENT") return "no such socket";
  if (code === "EACCES") return "permission denied";
  return isConnectionError(error) ? `${code}` : messageOf(error);
}
