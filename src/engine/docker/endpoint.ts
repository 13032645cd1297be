/**
 * Where the engine is, found as the docker CLI finds it: DOCKER_HOST, DOCKER_CONTEXT, the current context, then the
 * sockets that engines usually open. docker-modem knows the first and two of the last, so this is ours.
 */
import { createHash } from "node:crypto";
import path from "node:path";
import { KserveLocalError, messageOf } from "../../kernel/errors.ts";

export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** False: the server's certificate is not checked (the context says skip-tls-verify). */
  readonly verify: boolean;
}

export type Endpoint = {
  /** For people: `unix:///var/run/docker.sock`. */
  readonly uri: string;
  /** Who named it: `DOCKER_HOST`, `the docker context "colima"`, `default socket`. */
  readonly source: string;
} & (
  | { readonly transport: "socket"; readonly path: string }
  | { readonly transport: "tcp"; readonly host: string; readonly port: number; readonly tls?: TlsMaterial }
);

/** What the strategies may look at; injected so that they can be tested without a machine. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home directory. */
  readonly home: string;
  readonly platform: NodeJS.Platform;
  exists(file: string): boolean;
  /** Undefined where the file isn't there or can't be read. */
  read(file: string): string | undefined;
}

export interface FoundEndpoints {
  /** In the order to try. */
  readonly endpoints: readonly Endpoint[];
  /** True where the user chose: then a dead engine is an error and no other is tried. */
  readonly chosen: boolean;
}

type Strategy = (around: Surroundings) => Endpoint | undefined;

/** The first one that answers wins; the order is the docker CLI's. */
const CHOICES: readonly Strategy[] = [fromDockerHost, fromContextVariable, fromCurrentContext];

/** Throws KserveLocalError `engine-unreachable` where the user's choice makes no sense. */
export function findEndpoints(around: Surroundings): FoundEndpoints {
  for (const choice of CHOICES) {
    const endpoint = choice(around);
    if (endpoint !== undefined) return { endpoints: [endpoint], chosen: true };
  }
  const endpoints = defaultSockets(around).filter(
    (endpoint) => endpoint.transport === "socket" && around.exists(endpoint.path),
  );
  return { endpoints, chosen: false };
}

function fromDockerHost(around: Surroundings): Endpoint | undefined {
  const host = around.env["DOCKER_HOST"];
  if (host === undefined || host === "") return undefined;
  const verify = (around.env["DOCKER_TLS_VERIFY"] ?? "") !== "";
  const folder = around.env["DOCKER_CERT_PATH"] ?? path.join(around.home, ".docker");
  const wanted = verify || around.env["DOCKER_CERT_PATH"] !== undefined;
  return parseHost(host, "DOCKER_HOST", wanted ? () => tlsFrom(around, folder, verify) : undefined);
}

function fromContextVariable(around: Surroundings): Endpoint | undefined {
  const name = around.env["DOCKER_CONTEXT"];
  return name === undefined || name === "" ? undefined : fromContext(around, name, `DOCKER_CONTEXT=${name}`);
}

function fromCurrentContext(around: Surroundings): Endpoint | undefined {
  const text = around.read(path.join(dockerFolder(around), "config.json"));
  if (text === undefined) return undefined;
  const name = fieldOf(parseJson(text), "currentContext");
  return typeof name === "string" && name !== ""
    ? fromContext(around, name, `the docker context "${name}"`)
    : undefined;
}

/** `~/.docker/contexts/meta/<sha256 of the name>/meta.json`; the context `default` means: no context. */
function fromContext(around: Surroundings, name: string, source: string): Endpoint | undefined {
  if (name === "default") return undefined;
  const id = createHash("sha256").update(name).digest("hex");
  const contexts = path.join(dockerFolder(around), "contexts");
  const meta = around.read(path.join(contexts, "meta", id, "meta.json"));
  const docker = fieldOf(fieldOf(meta === undefined ? undefined : parseJson(meta), "Endpoints"), "docker");
  const host = fieldOf(docker, "Host");
  if (typeof host !== "string" || host === "") {
    throw new KserveLocalError("engine-unreachable", {
      what: `${source} names a docker context that does not exist`,
      why: `No endpoint for it under ${path.join(contexts, "meta")}`,
      fix: "`docker context ls` shows those there are; `docker context use default` goes back to the default socket",
    });
  }
  const folder = path.join(contexts, "tls", id, "docker");
  const skipVerify = fieldOf(docker, "SkipTLSVerify") === true;
  const hasTls = skipVerify || around.exists(folder);
  return parseHost(host, source, hasTls ? () => tlsFrom(around, folder, !skipVerify) : undefined);
}

function defaultSockets(around: Surroundings): Endpoint[] {
  const { home } = around;
  if (around.platform === "win32") return [socketAt("//./pipe/docker_engine", "default pipe", "npipe")];
  const runtime = around.env["XDG_RUNTIME_DIR"];
  const paths = [
    "/var/run/docker.sock",
    `${home}/.docker/run/docker.sock`,
    `${home}/.docker/desktop/docker.sock`,
    `${home}/.colima/default/docker.sock`,
    `${home}/.config/colima/default/docker.sock`,
    `${home}/.rd/docker.sock`,
    `${home}/.orbstack/run/docker.sock`,
    ...(runtime === undefined ? [] : [`${runtime}/docker.sock`, `${runtime}/podman/podman.sock`]),
    "/run/podman/podman.sock",
    `${home}/.local/share/containers/podman/machine/podman.sock`,
  ];
  return paths.map((file) => socketAt(file, "default socket"));
}

function parseHost(host: string, source: string, tls: (() => TlsMaterial) | undefined): Endpoint {
  const [, scheme = "tcp", rest = ""] = /^(?:([a-z]+):\/\/)?(.*)$/.exec(host) ?? [];
  if (scheme === "unix" || scheme === "npipe") return socketAt(rest, source, scheme);
  if (scheme === "tcp" || scheme === "http" || scheme === "https") {
    const url = URL.canParse(`http://${rest}`) ? new URL(`http://${rest}`) : undefined;
    if (url !== undefined && url.hostname !== "") {
      const material = tls?.() ?? (scheme === "https" ? { verify: true } : undefined);
      const port = Number(url.port === "" ? (material === undefined ? 2375 : 2376) : url.port);
      return {
        uri: `tcp://${url.hostname}:${port}`,
        source,
        transport: "tcp",
        host: url.hostname,
        port,
        ...(material === undefined ? {} : { tls: material }),
      };
    }
  }
  const ssh = scheme === "ssh";
  throw new KserveLocalError("engine-unreachable", {
    what: `${source} points at ${host}, which kserve-local can't talk to`,
    why: ssh ? "Engines over ssh:// are not supported" : "Known are unix://, npipe:// and tcp://",
    fix: ssh
      ? "Forward the socket (`ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock <host>`) and set DOCKER_HOST=unix:///tmp/docker.sock"
      : `Correct ${source}, for example unix:///var/run/docker.sock`,
  });
}

function socketAt(file: string, source: string, scheme = "unix"): Endpoint {
  return { uri: `${scheme}://${file}`, source, transport: "socket", path: file };
}

function tlsFrom(around: Surroundings, folder: string, verify: boolean): TlsMaterial {
  const [ca, cert, key] = ["ca.pem", "cert.pem", "key.pem"].map((name) =>
    around.read(path.join(folder, name)),
  );
  return {
    verify,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

export function dockerFolder(around: Pick<Surroundings, "env" | "home">): string {
  return around.env["DOCKER_CONFIG"] ?? path.join(around.home, ".docker");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new KserveLocalError("engine-unreachable", {
      what: "Docker's configuration is not valid JSON",
      why: messageOf(error),
      fix: "Correct ~/.docker/config.json (or the folder DOCKER_CONFIG names)",
      cause: error,
    });
  }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
