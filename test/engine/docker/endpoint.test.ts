import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { findEndpoints, type Surroundings } from "../../../src/engine/docker/endpoint.ts";
import { isKserveLocalError } from "../../../src/kernel/errors.ts";

function around(
  env: Record<string, string>,
  files: Record<string, string> = {},
  platform: NodeJS.Platform = "linux",
): Surroundings {
  const exists = (path: string) =>
    Object.keys(files).some((name) => name === path || name.startsWith(`${path}/`));
  return { env, home: "/home/me", platform, exists, read: (path) => files[path] };
}

function context(name: string, docker: object, folder = "/home/me/.docker"): Record<string, string> {
  const id = createHash("sha256").update(name).digest("hex");
  return {
    [`${folder}/contexts/meta/${id}/meta.json`]: JSON.stringify({ Name: name, Endpoints: { docker } }),
  };
}

const only = (surroundings: Surroundings) => {
  const { endpoints, chosen } = findEndpoints(surroundings);
  expect(endpoints).toHaveLength(1);
  return { ...endpoints[0], chosen };
};
const failureOf = (surroundings: Surroundings): unknown => {
  try {
    return findEndpoints(surroundings);
  } catch (error) {
    return error;
  }
};

describe("the engine's endpoint", () => {
  const current = { "/home/me/.docker/config.json": JSON.stringify({ currentContext: "colima" }) };
  const colima = context("colima", { Host: "unix:///home/me/.colima/default/docker.sock" });

  it("is DOCKER_HOST before all else", () => {
    const env = { DOCKER_HOST: "unix:///run/other.sock", DOCKER_CONTEXT: "colima" };
    expect(only(around(env, { ...current, ...colima, "/var/run/docker.sock": "" }))).toEqual({
      transport: "socket",
      path: "/run/other.sock",
      uri: "unix:///run/other.sock",
      source: "DOCKER_HOST",
      chosen: true,
    });
  });

  it("is DOCKER_CONTEXT before the current context", () => {
    const files = { ...current, ...colima, ...context("remote", { Host: "tcp://10.0.0.7:2375" }) };
    expect(only(around({ DOCKER_CONTEXT: "remote" }, files))).toMatchObject({
      transport: "tcp",
      host: "10.0.0.7",
      port: 2375,
      source: "DOCKER_CONTEXT=remote",
    });
  });

  it("is the current context's, in DOCKER_CONFIG's folder too", () => {
    expect(only(around({}, { ...current, ...colima }))).toMatchObject({
      path: "/home/me/.colima/default/docker.sock",
      source: 'the docker context "colima"',
      chosen: true,
    });
    const moved = {
      "/cfg/config.json": current["/home/me/.docker/config.json"],
      ...context("colima", { Host: "unix:///x" }, "/cfg"),
    };
    expect(only(around({ DOCKER_CONFIG: "/cfg" }, moved))).toMatchObject({ path: "/x" });
  });

  it.each([{ DOCKER_CONTEXT: "default" }, { DOCKER_HOST: "" }, {}])("is a default socket with %j", (env) => {
    const files = { "/var/run/docker.sock": "", "/home/me/.docker/config.json": "{}" };
    expect(only(around(env as Record<string, string>, files))).toMatchObject({
      path: "/var/run/docker.sock",
      chosen: false,
    });
  });

  it("is each default socket that exists, in order", () => {
    const sockets = [
      "/home/me/.rd/docker.sock",
      "/run/user/7/podman/podman.sock",
      "/home/me/.orbstack/run/docker.sock",
    ];
    const files = Object.fromEntries(sockets.map((path) => [path, ""]));
    const { endpoints, chosen } = findEndpoints(around({ XDG_RUNTIME_DIR: "/run/user/7" }, files));
    expect(endpoints.map(({ uri }) => uri)).toEqual([
      "unix:///home/me/.rd/docker.sock",
      "unix:///home/me/.orbstack/run/docker.sock",
      "unix:///run/user/7/podman/podman.sock",
    ]);
    expect(chosen).toBe(false);
    expect(findEndpoints(around({})).endpoints).toEqual([]);
  });

  it("is the pipe on Windows", () => {
    const files = { "//./pipe/docker_engine": "" };
    expect(only(around({}, files, "win32"))).toMatchObject({
      transport: "socket",
      path: "//./pipe/docker_engine",
    });
  });

  it("over TCP takes TLS from DOCKER_CERT_PATH, and the port that belongs to it", () => {
    const files = { "/certs/ca.pem": "CA", "/certs/cert.pem": "CERT", "/certs/key.pem": "KEY" };
    const env = { DOCKER_HOST: "tcp://build.example", DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: "/certs" };
    expect(only(around(env, files))).toMatchObject({
      port: 2376,
      tls: { ca: "CA", cert: "CERT", key: "KEY", verify: true },
    });
    expect(only(around({ DOCKER_HOST: "build.example:1234" }))).toMatchObject({
      host: "build.example",
      port: 1234,
    });
    expect(only(around({ DOCKER_HOST: "tcp://build.example" }))).not.toHaveProperty("tls");
  });

  it("over TCP takes TLS from its context", () => {
    const id = createHash("sha256").update("remote").digest("hex");
    const files = {
      ...context("remote", { Host: "tcp://h:2376", SkipTLSVerify: true }),
      [`/home/me/.docker/contexts/tls/${id}/docker/ca.pem`]: "CA",
    };
    expect(only(around({ DOCKER_CONTEXT: "remote" }, files))).toMatchObject({
      tls: { ca: "CA", verify: false },
    });
  });

  it.each([
    [
      "a context that doesn't exist",
      around({ DOCKER_CONTEXT: "gone" }),
      /DOCKER_CONTEXT=gone names a docker context that does not exist/,
    ],
    ["ssh", around({ DOCKER_HOST: "ssh://me@host" }), /DOCKER_HOST points at ssh:\/\/me@host/],
    ["nonsense", around({ DOCKER_HOST: "ftp://x" }), /points at ftp:\/\/x/],
    ["a broken config", around({}, { "/home/me/.docker/config.json": "{" }), /not valid JSON/],
  ])("that is %s is an error with what to do", (_title, surroundings, words) => {
    const error = failureOf(surroundings);
    expect(error).toSatisfy((thrown) => isKserveLocalError(thrown, "engine-unreachable"));
    expect(String(error)).toMatch(words);
    expect(error).toHaveProperty("fix", expect.any(String));
  });
});
