/** dockerode, made and used in one way: every option given, so that it reads nothing from the environment itself. */
import http from "node:http";
import https from "node:https";
import Docker from "dockerode";
import { KserveLocalError, messageOf } from "../../kernel/errors.ts";
import type { Endpoint } from "./endpoint.ts";

export interface DockerClient {
  readonly docker: Docker;
  /** Closes idle connections and cuts the open ones. */
  destroy(): void;
}

/** No `version`: a pinned one is refused by engines that are much older or newer; unversioned paths work on all. */
export function openClient(endpoint: Endpoint): DockerClient {
  const nothing = {
    host: undefined,
    port: undefined,
    socketPath: undefined,
    ca: undefined,
    cert: undefined,
    key: undefined,
  };
  if (endpoint.transport === "socket") {
    const agent = new http.Agent({ keepAlive: true });
    const docker = new Docker({
      ...nothing,
      socketPath: endpoint.path,
      protocol: "http",
      agent,
    } as Docker.DockerOptions);
    return { docker, destroy: () => agent.destroy() };
  }
  const { host, port, tls } = endpoint;
  const material = tls === undefined ? {} : { ca: tls.ca, cert: tls.cert, key: tls.key };
  const agent =
    tls === undefined
      ? new http.Agent({ keepAlive: true })
      : new https.Agent({ keepAlive: true, rejectUnauthorized: tls.verify, ...material });
  const protocol = tls === undefined ? "http" : "https";
  const docker = new Docker({ ...nothing, host, port, protocol, agent } as Docker.DockerOptions);
  return { docker, destroy: () => agent.destroy() };
}

interface DialOptions {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly hijack?: boolean;
  readonly isStream?: boolean;
  readonly file?: NodeJS.ReadableStream;
  readonly abortSignal?: AbortSignal;
  readonly registryconfig?: object;
  readonly statusCodes: Readonly<Record<number, true | string>>;
}

/** A raw call, for the endpoints that dockerode wraps in a way of its own (sessions, builds). */
export function dial<T>(docker: Docker, options: DialOptions): Promise<T> {
  const modem = docker.modem as {
    dial(options: DialOptions, done: (error: unknown, result: unknown) => void): void;
  };
  return new Promise((resolve, reject) => {
    // docker-modem cuts the last character off a path that has a query and no options beside it.
    const path = options.path.includes("?") ? `${options.path}&` : options.path;
    modem.dial({ ...options, path }, (error, result) =>
      error === null || error === undefined
        ? resolve(result as T)
        : reject(error instanceof Error ? error : new Error(messageOf(error))),
    );
  });
}

/** HTTP status of an engine's refusal; undefined where the engine was not reached. */
export function statusOf(error: unknown): number | undefined {
  const status = error instanceof Error ? (error as { statusCode?: unknown }).statusCode : undefined;
  return typeof status === "number" ? status : undefined;
}

/** The engine's own words, without the prefix that docker-modem puts before them. */
export function engineWords(error: unknown): string {
  const json = error instanceof Error ? (error as { json?: unknown }).json : undefined;
  const message =
    typeof json === "object" && json !== null ? (json as { message?: unknown }).message : undefined;
  if (typeof message === "string" && message !== "") return message.trim();
  return messageOf(error)
    .replace(/^\(HTTP code \d+\) .*? - /s, "")
    .trim();
}

const LOST_CODES = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOENT",
  "EPIPE",
  "EACCES",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENOTFOUND",
]);

/** True where the call failed because nobody answered, as opposed to an answer that says no. */
export function isConnectionError(error: unknown): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return statusOf(error) === undefined && code !== undefined && LOST_CODES.has(code);
}

/** Swallows the answers that mean "is already so": 304 on start and stop, 404 and 409 on removal and kill. */
export async function settled(
  call: Promise<unknown>,
  accepted: readonly number[] = [304, 404, 409],
): Promise<void> {
  try {
    await call;
  } catch (error) {
    const status = statusOf(error);
    if (status === undefined || !accepted.includes(status)) throw error;
  }
}

/** What crosses the layer when a call failed for no reason of the user's. */
export function engineFailure(error: unknown, doing: string): KserveLocalError {
  if (error instanceof KserveLocalError) return error;
  return isConnectionError(error)
    ? new KserveLocalError("engine-lost", {
        what: `The container engine went away while ${doing}`,
        why: messageOf(error),
        fix: "Start the engine again, then run the command again",
        cause: error,
      })
    : new KserveLocalError("engine-error", {
        what: `The container engine failed while ${doing}`,
        why: engineWords(error),
        cause: error,
      });
}
