/** The bare engine as a baseline: its API over the socket, without the docker CLI and without any of our code. */
import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { request } from "node:http";

/** What this run made in the engine carries this label, and nothing else does. */
const LABEL = "dev.kserve-local.bench";
const run = randomUUID();
const BASE_IMAGE = "node:22-slim";
const images = new Set();

function socketPath() {
  const host = process.env.DOCKER_HOST || "unix:///var/run/docker.sock";
  return host.startsWith("unix://") ? host.slice("unix://".length) : undefined;
}

/** Resolves to the parsed answer; rejects for a status of 400 or more. */
async function api(method, path, body) {
  const text = await ask(method, path, "application/json", body === undefined ? "" : JSON.stringify(body));
  return text === "" || text === "OK" ? undefined : JSON.parse(text);
}

function ask(method, path, type, body) {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": type, "content-length": Buffer.byteLength(body) };
    const asked = request(
      { socketPath: socketPath(), method, path, headers, timeout: 60_000 },
      (response) => {
        let answer = "";
        response.setEncoding("utf8").on("data", (chunk) => (answer += chunk));
        response.on("end", () => {
          if (response.statusCode < 400) resolve(answer);
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${answer}`));
        });
      },
    );
    asked.on("timeout", () => asked.destroy(new Error(`${method} ${path}: no answer in 60 s`)));
    asked.on("error", reject);
    asked.end(body);
  });
}

/** Why the engine can't be measured, or undefined. Pulls nothing: how long that takes is no figure of ours. */
export async function engineProblem() {
  if (socketPath() === undefined) return `DOCKER_HOST=${process.env.DOCKER_HOST} is not a Unix socket`;
  try {
    await api("GET", "/version");
  } catch (error) {
    return `no container engine answers at ${socketPath()} (${error.code ?? error.message})`;
  }
  try {
    await api("GET", `/images/${BASE_IMAGE}/json`);
  } catch {
    return `the engine has no image ${BASE_IMAGE}: docker pull ${BASE_IMAGE}, or npm run base-images on Debian`;
  }
  return undefined;
}

export async function engineTitle() {
  const { Version, Platform } = await api("GET", "/version");
  return `${Platform?.Name || "engine"} ${Version}`;
}

/** Creates and starts a container of the image with its port 8080 on loopback. */
export async function start(image, port) {
  const { Id: id } = await api("POST", "/containers/create", {
    Image: image,
    Env: ["PORT=8080"],
    Labels: { [LABEL]: run },
    ExposedPorts: { "8080/tcp": {} },
    HostConfig: { PortBindings: { "8080/tcp": [{ HostIp: "127.0.0.1", HostPort: String(port) }] } },
  });
  await api("POST", `/containers/${id}/start`);
  return { id, remove: () => api("DELETE", `/containers/${id}?force=true`) };
}

/**
 * What `docker build` asks of the engine, BuildKit included, but for the start of the docker CLI: on machines without
 * its buildx part that would fall back to the old builder, which is no match for what we use.
 */
export async function build(directory, tag) {
  images.add(tag);
  const packed = spawnSync("tar", ["--create", "--file=-", "--directory", directory, "."]);
  if (packed.status !== 0) throw new Error(`tar: ${packed.error?.message ?? packed.stderr.toString()}`);
  const text = await ask("POST", `/build?version=2&t=${tag}`, "application/x-tar", packed.stdout);
  const failure = text.split("\n").find((line) => line.startsWith('{"errorDetail"'));
  if (failure !== undefined) throw new Error(`building ${tag}: ${failure}`);
}

/** Removes what this run left, and the image that the CLI builds for the app. */
export async function cleanUp() {
  const filters = encodeURIComponent(JSON.stringify({ label: [`${LABEL}=${run}`] }));
  for (const { Id } of await api("GET", `/containers/json?all=true&filters=${filters}`)) {
    await api("DELETE", `/containers/${Id}?force=true`);
  }
  for (const tag of [...images, "kserve-local/default-bench:latest"]) {
    await api("DELETE", `/images/${tag}?force=true`).catch(() => undefined);
  }
}
