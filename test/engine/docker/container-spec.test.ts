import { describe, expect, it } from "vitest";
import { argvOf, containerSpec, fileVolumes, wantsInit } from "../../../src/engine/docker/container-spec.ts";
import type { ContainerRun, InstanceRun } from "../../../src/engine/engine.ts";

const artifact = {
  id: "sha256:1",
  reference: "app",
  entrypoint: ["/entry"],
  cmd: ["from", "cmd"],
  env: [],
  workingDir: "/",
  user: "",
  exposedPorts: [],
  sizeBytes: 1,
};

function runOf(
  main: Partial<ContainerRun> = {},
  name = "hello-00001-deployment-6b9f4d7c5f-x8k2p",
): InstanceRun {
  return {
    name,
    service: "hello",
    revision: "hello-00001",
    port: 8080,
    onLog: () => undefined,
    main: { name: "user-container", artifact, env: [], files: [], emptyDirs: [], ...main },
  };
}
const options = { labels: { a: "b" }, init: true, product: "docker" as const };
const specOf = (main: Partial<ContainerRun> = {}, more = {}) =>
  containerSpec(runOf(main), { ...options, ...more });

describe("what a container is created with", () => {
  it.each<[string, Partial<ContainerRun>, object, string[]]>([
    ["nothing", {}, {}, ["/entry", "from", "cmd"]],
    ["args", { args: ["x"] }, { Cmd: ["x"] }, ["/entry", "x"]],
    ["command", { command: ["c"] }, { Entrypoint: ["c"], Cmd: [] }, ["c"]],
    ["both", { command: ["c"], args: ["x"] }, { Entrypoint: ["c"], Cmd: ["x"] }, ["c", "x"]],
    ["empty lists", { command: [], args: [] }, {}, ["/entry", "from", "cmd"]],
  ])("the command when the manifest gives %s", (_title, main, expected, argv) => {
    const { Entrypoint, Cmd } = specOf(main);
    expect({ ...(Entrypoint && { Entrypoint }), ...(Cmd && { Cmd }) }).toEqual(expected);
    expect(argvOf(runOf(main).main)).toEqual(argv);
  });

  it("an init process, unless the image brings its own", () => {
    expect(specOf().HostConfig?.Init).toBe(true);
    expect(specOf({}, { init: false }).HostConfig?.Init).toBe(false);
    expect(wantsInit(["/usr/bin/tini", "--", "node"])).toBe(false);
    expect(wantsInit(["/init"])).toBe(false);
    expect(wantsInit(["node", "init"])).toBe(true);
    expect(wantsInit([])).toBe(true);
  });

  it("limits as period and quota, without swap, not below what the kernel takes", () => {
    expect(specOf({ cpuMillis: 1500, memoryBytes: 1e8 }).HostConfig).toMatchObject({
      CpuPeriod: 100_000,
      CpuQuota: 150_000,
      Memory: 1e8,
      MemorySwap: 1e8,
    });
    expect(specOf({ cpuMillis: 1 }).HostConfig).toMatchObject({ CpuQuota: 1000 });
    expect(specOf().HostConfig).not.toHaveProperty("CpuQuota");
    expect(specOf().HostConfig).not.toHaveProperty("Memory");
    expect(specOf().HostConfig).not.toHaveProperty("NanoCpus");
  });

  it("a published port only where asked for, on the address asked for", () => {
    expect(specOf().HostConfig).not.toHaveProperty("PortBindings");
    expect(specOf({}, { publishOn: "127.0.0.1" })).toMatchObject({
      ExposedPorts: { "8080/tcp": {} },
      HostConfig: { PortBindings: { "8080/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] } },
    });
  });

  it("a host name that Linux takes", () => {
    const long = `${"a".repeat(62)}-${"b".repeat(20)}`;
    const spec = containerSpec(runOf({}, long), options);
    expect(spec.Hostname).toBe("a".repeat(62));
    expect(spec.name).toBe(long);
  });

  it("the later of two equal names in the environment", () => {
    const env = [["A", "1"] as const, ["B", "2"] as const, ["A", "3=x"] as const];
    expect(specOf({ env }).Env).toEqual(["A=3=x", "B=2"]);
  });

  it("the metadata address as its own where the engine can do that", () => {
    const own = { EndpointsConfig: { bridge: { IPAMConfig: { LinkLocalIPs: ["169.254.169.254"] } } } };
    expect(specOf().NetworkingConfig).toEqual(own);
    expect(specOf({}, { product: "podman" })).not.toHaveProperty("NetworkingConfig");
  });

  it("a log driver that the engine knows", () => {
    expect(specOf().HostConfig?.LogConfig?.Type).toBe("local");
    expect(specOf({}, { product: "podman" }).HostConfig?.LogConfig?.Type).toBe("json-file");
  });

  it("volumes for files on a read-only root, the outermost folders only", () => {
    const file = (path: string) => ({ path, content: Buffer.alloc(0), mode: 0o644 });
    const files = ["/etc/a/x", "/etc/a/b/y", "/etc/ab/z", "/etc/a/w"].map(file);
    expect(fileVolumes(runOf({ files }).main)).toEqual([]);
    const readOnly = { files, readOnlyRootFilesystem: true };
    expect(fileVolumes(runOf(readOnly).main)).toEqual(["/etc/a", "/etc/ab"]);
    expect(specOf(readOnly).HostConfig?.Mounts).toMatchObject([{ Target: "/etc/a" }, { Target: "/etc/ab" }]);
  });
});
