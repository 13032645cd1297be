import { describe, expect, it } from "vitest";
import { parseGateLine } from "../../../src/engine/docker/gate/gate-line.ts";
import { gatedSpec, type GateOptions } from "../../../src/engine/docker/gate/gate-spec.ts";
import { resolveUser } from "../../../src/engine/docker/gate/user.ts";

const ACCOUNTS = {
  passwd: [
    "root:x:0:0:root:/root:/bin/sh",
    "# a comment",
    "broken line",
    "app:x:1001:1002:An App,,,:/home/app:/bin/sh",
    "homeless:x:1003:1003:::",
    "app:x:9:9::/second:",
  ].join("\n"),
  group: [
    "root:x:0:",
    "crew:x:50:app,other",
    "extra:x:51:app",
    "wheel:x:10:root",
    "bad:x:no:app",
    "own:x:1002:app",
  ].join("\n"),
};

describe("the user that an image or a manifest names", () => {
  it.each([
    ["", { uid: 0, gid: 0, groups: [0, 10], home: "/root" }],
    ["root", { uid: 0, gid: 0, groups: [0, 10], home: "/root" }],
    ["app", { uid: 1001, gid: 1002, groups: [1002, 50, 51], home: "/home/app" }],
    ["1001", { uid: 1001, gid: 1002, groups: [1002, 50, 51], home: "/home/app" }],
    ["app:crew", { uid: 1001, gid: 50, groups: [50], home: "/home/app" }],
    ["app:7", { uid: 1001, gid: 7, groups: [7], home: "/home/app" }],
    ["1001:51", { uid: 1001, gid: 51, groups: [51], home: "/home/app" }],
    ["4711", { uid: 4711, gid: 0, groups: [0], home: "/" }],
    ["4711:4712", { uid: 4711, gid: 4712, groups: [4712], home: "/" }],
    [":crew", { uid: 0, gid: 50, groups: [50], home: "/root" }],
    ["homeless", { uid: 1003, gid: 1003, groups: [1003], home: "/" }],
  ])("%j", (user, resolved) => {
    expect(resolveUser(user, ACCOUNTS)).toEqual(resolved);
  });

  it("may be a number in an image without accounts", () => {
    expect(resolveUser("1000", { passwd: "", group: "" })).toEqual({
      uid: 1000,
      gid: 0,
      groups: [0],
      home: "/",
    });
    expect(resolveUser("", { passwd: "", group: "" })).toEqual({ uid: 0, gid: 0, groups: [0], home: "/" });
  });

  it.each([
    ["nobody", /user "nobody" does not exist/],
    ["app:nogroup", /user "nogroup" does not exist|group/],
    ["4294967296", /does not exist/],
  ])("%j does not exist", (user, words) => {
    expect(() => resolveUser(user, ACCOUNTS)).toThrow(words);
  });
});

describe("the gate's own lines", () => {
  it.each([
    ["kserve-local-gate t ready", { kind: "ready" }],
    [
      "kserve-local-gate t root mount overlay: Invalid argument",
      { kind: "no-root", why: "mount overlay: Invalid argument" },
    ],
    [
      'kserve-local-gate t failed 127 exec: "x": executable file not found in $PATH',
      { kind: "failed", code: 127, why: 'exec: "x": executable file not found in $PATH' },
    ],
    ["kserve-local-gate t broken setuid: No", { kind: "broken", why: "broken setuid: No" }],
    ["kserve-local-gate other ready", undefined],
    ["ready", undefined],
    [" kserve-local-gate t ready", undefined],
  ])("%s", (line, word) => {
    expect(parseGateLine(line, "t")).toEqual(word);
  });
});

describe("a container behind the gate", () => {
  const plain = {
    name: "app",
    Hostname: "app",
    Image: "sha256:1",
    Entrypoint: ["/run"],
    Cmd: ["x"],
    Env: ["A=1"],
    User: "app",
    WorkingDir: "/srv",
    ExposedPorts: { "8080/tcp": {} },
    NetworkingConfig: { EndpointsConfig: {} },
    HostConfig: {
      Init: true,
      Memory: 7,
      PortBindings: { "8080/tcp": [{ HostIp: "", HostPort: "" }] },
      Mounts: [{ Type: "volume" as const, Source: "", Target: "/etc" }],
    },
  };
  const options: GateOptions = { argv: ["/run", "x y"], init: true, holder: "h", volume: "v", token: "t" };
  const user = { uid: 5, gid: 6, groups: [6, 7], home: "/home/app" };

  it("joins the holder and leaves to it what the engine would refuse", () => {
    const spec = gatedSpec(plain, options);
    expect(spec).toMatchObject({
      User: "app",
      WorkingDir: "/srv",
      OpenStdin: true,
      StdinOnce: true,
      Env: ["A=1"],
    });
    for (const name of ["Hostname", "ExposedPorts", "NetworkingConfig"])
      expect(spec).not.toHaveProperty(name);
    expect(spec.HostConfig).not.toHaveProperty("PortBindings");
    expect(spec.HostConfig).not.toHaveProperty("CapAdd");
    expect(spec.HostConfig).toMatchObject({ NetworkMode: "container:h", Init: false, Memory: 7 });
    expect(spec.HostConfig?.Mounts?.map(({ Target }) => Target)).toEqual(["/etc", "/.kserve-local"]);
    expect([spec.Entrypoint, spec.Cmd]).toEqual([
      ["/.kserve-local/helper"],
      ["gate", "--token", "t", "--init", "--", "/run", "x y"],
    ]);
  });

  it("with its root in memory starts as root, and names the app's user, its HOME and the VOLUMEs", () => {
    const memoryRoot = { user, bytes: 99, volumes: ["/data", "/my data"], hasHome: false, filter: true };
    const spec = gatedSpec(plain, { ...options, init: false, memoryRoot });
    expect(spec).toMatchObject({ User: "0:0", Env: ["A=1", "HOME=/home/app"] });
    expect(spec.HostConfig).toMatchObject({ CapAdd: ["SYS_ADMIN"], SecurityOpt: ["apparmor=unconfined"] });
    expect(spec.Cmd?.join("|")).toBe(
      "gate|--token|t|--memory|--filter|--bytes|99|--skip|/data|--skip|/my data|--user|5:6:6,7|--|/run|x y",
    );
  });

  it("keeps a HOME that the image or the manifest sets", () => {
    const memoryRoot = { user, volumes: [], hasHome: true, filter: false };
    const spec = gatedSpec(plain, { ...options, memoryRoot });
    expect(spec.Env).toEqual(["A=1"]);
    expect(spec.Cmd).not.toContain("--filter");
  });
});
