import type Docker from "dockerode";
import { describe, expect, it } from "vitest";
import { buildFailure } from "../../../src/engine/docker/build-failure.ts";
import { readFacts } from "../../../src/engine/docker/facts.ts";
import { toArtifact } from "../../../src/engine/docker/inspect.ts";
import { jsonLines } from "../../../src/engine/docker/ndjson.ts";
import { pullFailure } from "../../../src/engine/docker/pull.ts";
import { parseReference } from "../../../src/engine/docker/reference.ts";
import type { BuildSource } from "../../../src/engine/engine.ts";
import { readInstructions } from "../../../src/engine/process/dockerfile-instructions.ts";

const hash = "a".repeat(64);

function inspected(more: object): Docker.ImageInspectInfo {
  return {
    Id: `sha256:${hash}`,
    Os: "linux",
    Architecture: "amd64",
    Size: 7,
    ...more,
  } as Docker.ImageInspectInfo;
}

describe("an image becomes an artifact", () => {
  it("with everything that its configuration says", () => {
    const Config = {
      Entrypoint: ["node"],
      Cmd: "app.js",
      Env: ["A=b=c", "EMPTY"],
      WorkingDir: "/app",
      User: "node",
      ExposedPorts: { "8080/tcp": {} },
    };
    const RepoDigests = [`other.example/x@sha256:${"b".repeat(64)}`, `ghcr.io/a/b@sha256:${hash}`];
    expect(toArtifact(inspected({ Config, RepoDigests }), "ghcr.io/a/b:v1", "found")).toEqual({
      id: `sha256:${hash}`,
      reference: "ghcr.io/a/b:v1",
      digest: `ghcr.io/a/b@sha256:${hash}`,
      entrypoint: ["node"],
      cmd: ["app.js"],
      env: [
        ["A", "b=c"],
        ["EMPTY", ""],
      ],
      workingDir: "/app",
      user: "node",
      exposedPorts: ["8080/tcp"],
      sizeBytes: 7,
    });
  });

  it("also where the engine leaves out what is empty", () => {
    const artifact = toArtifact(inspected({ Id: hash, Config: undefined, RepoDigests: null }), "x", "found");
    expect(artifact).toMatchObject({
      id: `sha256:${hash}`,
      entrypoint: [],
      cmd: [],
      env: [],
      workingDir: "/",
      user: "",
    });
    expect(artifact).not.toHaveProperty("digest");
  });

  it("only for linux/amd64", () => {
    const foreign = inspected({ Architecture: "arm64" });
    expect(() => toArtifact(foreign, "app:v1", "found")).toThrow(/app:v1 is for linux\/arm64/);
    expect(() => toArtifact(foreign, "app:v1", "built")).toThrow(
      expect.objectContaining({ code: "image-platform" }) as Error,
    );
  });
});

describe("a pull's failure", () => {
  const reference = parseReference("ghcr.io/team/app:v1");
  it.each([
    ["registry-denied", 'Head "https://ghcr.io/v2/team/app/manifests/v1": no basic auth credentials'],
    ["registry-denied", "unauthorized: authentication required"],
    [
      "registry-denied",
      "pull access denied for team/app, repository does not exist or may require 'docker login'",
    ],
    ["image-missing", "manifest for ghcr.io/team/app:v1 not found: manifest unknown: manifest unknown"],
    ["image-platform", "no matching manifest for linux/amd64 in the manifest list entries"],
    ["pull-failed", 'Get "https://ghcr.io/v2/": dial tcp: lookup ghcr.io: no such host'],
    [
      "pull-failed",
      'Get "http://127.0.0.1:40123/v2/": dial tcp 127.0.0.1:40123: connect: connection refused',
    ],
    ["pull-failed", "net/http: TLS handshake timeout"],
  ])("is %s: %s", (code, words) => {
    expect(pullFailure(reference, words, undefined)).toMatchObject({ code, exitCode: 4, why: words });
  });

  it("shows no secret, should a registry quote one", () => {
    const credentials = { serveraddress: "ghcr.io", username: "me", password: "hunter2" };
    expect(pullFailure(reference, "unauthorized: hunter2 is wrong", credentials).why).toBe(
      "unauthorized: *** is wrong",
    );
  });
});

describe("a build's failure", () => {
  const source: BuildSource = {
    kind: "build",
    context: "/app",
    dockerfile: "deploy/Dockerfile",
    buildArgs: {},
    tag: "app:v1",
    pullBase: false,
  };
  const { instructions } = readInstructions("FROM x\nRUN npm ci\n");

  it.each<[string, number | undefined, RegExp]>([
    ["dockerfile parse error line 2: unknown instruction: RUNX", 2, /Correct the Dockerfile/],
    ["dockerfile parse error on line 12: unknown instruction: RUNX", 12, /Correct the Dockerfile/],
    ["failed to reach build target nope in Dockerfile", undefined, /stage/],
    ["pull access denied for x, repository does not exist", undefined, /docker login/],
    ["something new", undefined, /docker build --platform linux\/amd64/],
  ])("%s", (error, line, fix) => {
    const failure = buildFailure(source, instructions, error, undefined);
    expect(failure).toMatchObject({ code: "build-failed", why: error });
    expect(failure.at).toEqual({ file: "/app/deploy/Dockerfile", ...(line === undefined ? {} : { line }) });
    expect(failure.fix).toMatch(fix);
  });

  it("of a step shows what it printed, and the exit code in few words", () => {
    const error = "executor failed running [/bin/sh -c npm ci]: exit code: 1";
    const failure = buildFailure(source, instructions, error, {
      name: "[2/2] RUN npm ci",
      error,
      lines: ["npm ERR!"],
    });
    expect(failure.message).toBe("The build of app:v1 failed at [2/2] RUN npm ci");
    expect(failure.why).toBe("npm ERR!\nThe command ended with exit code 1");
    expect(failure.at).toMatchObject({ line: 2 });
  });
});

describe("lines of JSON", () => {
  it("survive being cut anywhere, and what isn't JSON", async () => {
    const bytes = Buffer.from('{"a":"grüße"}\r\n\nnonsense\n{"b":2}');
    for (let at = 0; at <= bytes.length; at += 1) {
      const found: unknown[] = [];
      async function* chunks() {
        yield bytes.subarray(0, at);
        yield bytes.subarray(at);
      }
      for await (const value of jsonLines(chunks())) found.push(value);
      expect(found).toEqual([{ a: "grüße" }, { b: 2 }]);
    }
  });
});

describe("what an engine says about itself", () => {
  const endpoint = { transport: "socket", path: "/s", uri: "unix:///s", source: "test" } as const;
  const version = (more: object = {}) =>
    ({ Version: "20.10.24+dfsg1", ApiVersion: "1.41", ...more }) as Docker.DockerVersion;
  const info = {
    OSType: "linux",
    Architecture: "x86_64",
    InitBinary: "docker-init",
    OperatingSystem: "Debian",
  };
  const facts = (v: object = {}, i: object = {}, platform: NodeJS.Platform = "linux") =>
    readFacts(endpoint, version(v), { ...info, ...i }, platform);

  it("makes the facts", () => {
    expect(facts()).toMatchObject({
      product: "docker",
      title: "Docker 20.10.24+dfsg1 at unix:///s",
      buildkit: true,
      init: true,
      emulates: false,
      sharesNetwork: true,
      desktop: false,
    });
  });

  it("knows Podman, which has no BuildKit", () => {
    const podman = { Version: "4.3.1", Components: [{ Name: "Podman Engine", Version: "4.3.1" }] };
    expect(facts(podman)).toMatchObject({
      product: "podman",
      buildkit: false,
      title: "Podman 4.3.1 at unix:///s",
    });
  });

  it("knows when its network is not this machine's", () => {
    expect(facts({}, { OperatingSystem: "Docker Desktop" }).sharesNetwork).toBe(false);
    expect(facts({}, { SecurityOptions: ["name=rootless"] }).sharesNetwork).toBe(false);
    expect(facts({}, {}, "darwin").sharesNetwork).toBe(false);
    expect(facts({}, { Architecture: "aarch64", InitBinary: "" })).toMatchObject({
      emulates: true,
      init: false,
    });
  });

  it("may be too old, or for Windows", () => {
    expect(() => facts({ ApiVersion: "1.40" })).toThrow(/too old/);
    expect(() => facts({}, { OSType: "windows" })).toThrow(/windows containers/);
  });
});
