/**
 * Registry credentials as the docker CLI finds them: a helper for the registry, the helper for all, then `auths`.
 * Secrets are returned to the caller and go nowhere else: not into messages, not into logs.
 */
import path from "node:path";
import { KserveLocalError } from "../../kernel/errors.ts";
import { dockerFolder, type Surroundings } from "./endpoint.ts";

export interface RegistryCredentials {
  /** The key of the registry in Docker's configuration. */
  readonly serveraddress: string;
  readonly username?: string;
  readonly password?: string;
  /** An OAuth refresh token, in the place of a password. */
  readonly identitytoken?: string;
  readonly registrytoken?: string;
}

/** Docker Hub's key is a URL for historical reasons. */
const HUB_KEY = "https://index.docker.io/v1/";
const HELPER_TIMEOUT_MS = 15_000;

interface ConfigFile {
  readonly auths?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
}

export type CredentialSource = Pick<Surroundings, "env" | "home" | "read">;

/**
 * Undefined: none are configured, ask anonymously.
 * Throws KserveLocalError `registry-denied` where a configured helper fails: to go on anonymously would hide why.
 */
export async function findCredentials(
  registry: string,
  around: CredentialSource,
  signal?: AbortSignal,
): Promise<RegistryCredentials | undefined> {
  const key = registry === "docker.io" ? HUB_KEY : registry;
  const config = mainConfig(around);
  const helper = helperFor(config, registry, key);
  if (helper !== undefined) {
    const found = await askHelper(helper, key, registry, around, signal);
    if (found !== undefined) return found;
  }
  for (const file of [config, ...otherConfigs(around)]) {
    const found = fromAuths(file, registry, key);
    if (found !== undefined) return found;
  }
  return undefined;
}

function mainConfig(around: CredentialSource): ConfigFile {
  const inline = around.env["DOCKER_AUTH_CONFIG"];
  if (inline !== undefined && inline !== "") return readConfig(inline, "DOCKER_AUTH_CONFIG");
  const file = path.join(dockerFolder(around), "config.json");
  return readConfig(around.read(file), file);
}

/** Where Podman, Buildah and Skopeo keep theirs. */
function otherConfigs(around: CredentialSource): ConfigFile[] {
  const runtime = around.env["XDG_RUNTIME_DIR"];
  const files = [
    around.env["REGISTRY_AUTH_FILE"],
    runtime === undefined ? undefined : path.join(runtime, "containers", "auth.json"),
    path.join(around.home, ".config", "containers", "auth.json"),
  ];
  return files.filter((file) => file !== undefined).map((file) => readConfig(around.read(file), file));
}

function readConfig(text: string | undefined, name: string): ConfigFile {
  if (text === undefined || text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    // The parser's message quotes the text, which holds secrets.
    throw new KserveLocalError("registry-denied", {
      what: `Docker's registry configuration ${name} is not valid JSON`,
      fix: "Correct it, or run `docker login` again",
    });
  }
}

function helperFor(config: ConfigFile, registry: string, key: string): string | undefined {
  const own = config.credHelpers?.[key] ?? config.credHelpers?.[registry];
  const name = own ?? config.credHelpers?.[`https://${registry}`] ?? config.credsStore;
  return name === undefined || name === "" ? undefined : name;
}

/** `docker-credential-<name> get`: the key on stdin, JSON on stdout (docker/docker-credential-helpers). */
async function askHelper(
  name: string,
  key: string,
  registry: string,
  around: CredentialSource,
  signal?: AbortSignal,
): Promise<RegistryCredentials | undefined> {
  const { execa } = await import("execa");
  const command = `docker-credential-${name}`;
  const result = await execa(command, ["get"], {
    input: key,
    reject: false,
    timeout: HELPER_TIMEOUT_MS,
    env: around.env,
    extendEnv: false,
    stderr: "ignore",
    maxBuffer: 1_000_000,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  signal?.throwIfAborted();
  if (!result.failed) return parseHelperAnswer(result.stdout, key, command, registry);
  // The protocol's "nothing stored": exit code 1 with this sentence on stdout.
  if (/credentials not found/i.test(result.stdout)) return undefined;
  const missing = result.code === "ENOENT";
  throw new KserveLocalError("registry-denied", {
    what: `No credentials for ${registry}: ${command} ${missing ? "is not on PATH" : result.timedOut ? "did not answer in 15 s" : "failed"}`,
    ...(missing || result.timedOut || result.stdout === "" ? {} : { why: firstLine(result.stdout) }),
    fix: missing
      ? `Install ${command}, or take credsStore/credHelpers out of Docker's config.json and run \`docker login ${registry}\``
      : `Run \`docker login ${registry}\` again`,
  });
}

function parseHelperAnswer(
  text: string,
  key: string,
  command: string,
  registry: string,
): RegistryCredentials | undefined {
  try {
    const answer = JSON.parse(text) as { Username?: unknown; Secret?: unknown };
    const { Username: username, Secret: secret } = answer;
    if (typeof username !== "string" || typeof secret !== "string" || secret === "") return undefined;
    if (username === "<token>") return { serveraddress: key, identitytoken: secret };
    return { serveraddress: key, username, password: secret };
  } catch {
    throw new KserveLocalError("registry-denied", {
      what: `No credentials for ${registry}: ${command} printed something that isn't JSON`,
      fix: `Run \`docker login ${registry}\` again`,
    });
  }
}

function fromAuths(config: ConfigFile, registry: string, key: string): RegistryCredentials | undefined {
  const auths = config.auths ?? {};
  const entry =
    auths[key] ??
    auths[registry] ??
    Object.entries(auths).find(([name]) => hostOf(name) === hostOf(key))?.[1];
  if (entry === undefined) return undefined;
  const { identitytoken, registrytoken, auth, username, password } = entry;
  if (isText(identitytoken)) return { serveraddress: key, identitytoken };
  if (isText(registrytoken)) return { serveraddress: key, registrytoken };
  if (isText(auth)) return decodeAuth(auth, key);
  return isText(username) && isText(password) ? { serveraddress: key, username, password } : undefined;
}

/** Old versions of Docker padded the text with NULs. */
function decodeAuth(auth: string, key: string): RegistryCredentials | undefined {
  const text = Buffer.from(auth, "base64").toString().replaceAll("\0", "");
  const colon = text.indexOf(":");
  return colon < 0
    ? undefined
    : { serveraddress: key, username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Keys were once URLs: `https://registry.example/v1/`. */
function hostOf(name: string): string {
  return name.replace(/^https?:\/\//, "").replace(/\/.*$/s, "");
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
