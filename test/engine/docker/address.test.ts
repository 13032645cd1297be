import type Docker from "dockerode";
import { describe, expect, it } from "vitest";
import {
  mayReachDirectly,
  parseRoutes,
  proveDirect,
  publishedAddress,
  publishing,
  type Routes,
} from "../../../src/engine/docker/address.ts";
import type { EngineFacts } from "../../../src/engine/docker/facts.ts";

const HOST_TRIE = `Main:
  +-- 0.0.0.0/0 3 0 4
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 172.17.0.0/16 2 0 2
        +-- 172.17.0.0/31 1 0 0
           |-- 172.17.0.0
              /16 link UNICAST
           |-- 172.17.0.1
              /32 host LOCAL
        |-- 172.17.255.255
           /32 link BROADCAST
Local:
  +-- 127.0.0.0/8 2 0 2
     |-- 127.0.0.1
        /32 host LOCAL
`;
const own = parseRoutes(HOST_TRIE);
const facts = {
  sharesNetwork: true,
  desktop: false,
  endpoint: { transport: "socket", path: "/s", uri: "unix:///s", source: "test" },
} as unknown as EngineFacts;

function container(IPAddress: string, more: { Gateway?: string; IPPrefixLen?: number; Pid?: number } = {}) {
  const { Gateway = "172.17.0.1", IPPrefixLen = 16, Pid = 7 } = more;
  const info = {
    NetworkSettings: { Networks: { bridge: { IPAddress, Gateway, IPPrefixLen } }, Ports: {} },
    State: { Pid },
  };
  return info as unknown as Docker.ContainerInspectInfo;
}

const routes =
  (theirs: readonly string[]) =>
  (pid: number | "self"): Promise<Routes> =>
    Promise.resolve(pid === "self" ? own : { local: new Set(theirs), links: new Set() });

describe("the routes of a network namespace", () => {
  it("are its own addresses and its links", () => {
    expect([...own.local]).toEqual(["172.17.0.1", "127.0.0.1"]);
    expect([...own.links]).toEqual(["172.17.0.0/16"]);
  });
});

describe("reaching a container directly", () => {
  it("comes into question where the engine's bridge is a link of ours", async () => {
    const read = routes([]);
    expect(await mayReachDirectly(facts, ["172.17.0.0/16"], {}, read)).toBe(true);
    expect(await mayReachDirectly(facts, ["10.88.0.0/16"], {}, read)).toBe(false);
    expect(await mayReachDirectly({ ...facts, sharesNetwork: false }, ["172.17.0.0/16"], {}, read)).toBe(
      false,
    );
    const forced = { KSERVE_LOCAL_DOCKER_ADDRESS: "published" };
    expect(await mayReachDirectly(facts, ["172.17.0.0/16"], forced, read)).toBe(false);
    expect(
      await mayReachDirectly(facts, ["172.17.0.0/16"], {}, () => Promise.reject(new Error("no /proc"))),
    ).toBe(false);
  });

  it("is proved where the address is one of the container's own namespace", async () => {
    expect(await proveDirect(container("172.17.0.2"), 8080, routes(["127.0.0.1", "172.17.0.2"]))).toEqual({
      host: "172.17.0.2",
      port: 8080,
      connectProves: true,
    });
  });

  it.each([
    ["another namespace's address", container("172.17.0.2"), ["172.17.0.3"]],
    ["an address outside the bridge's subnet", container("192.168.1.9"), ["192.168.1.9"]],
    ["a gateway that isn't ours", container("172.17.0.2", { Gateway: "172.17.0.9" }), ["172.17.0.2"]],
    ["a subnet that we have no link to", container("172.17.0.2", { IPPrefixLen: 24 }), ["172.17.0.2"]],
    ["our own address", container("172.17.0.1"), ["172.17.0.1"]],
    ["no address", container(""), ["172.17.0.2"]],
    ["no process", container("172.17.0.2", { Pid: 0 }), ["172.17.0.2"]],
  ])("is not proved with %s", async (_title, info, theirs) => {
    expect(await proveDirect(info, 8080, routes(theirs))).toBeUndefined();
  });

  it("is not proved where the container's namespace can't be read", async () => {
    const read = (pid: number | "self") =>
      pid === "self" ? Promise.resolve(own) : Promise.reject(new Error("EACCES"));
    expect(await proveDirect(container("172.17.0.2"), 8080, read)).toBeUndefined();
  });
});

describe("publishing", () => {
  const tcp = (host: string) =>
    ({ ...facts, endpoint: { transport: "tcp", host, port: 2375, uri: "", source: "" } }) as EngineFacts;

  it("is on loopback, except for an engine on another machine", () => {
    expect(publishing(facts)).toEqual({ bind: "127.0.0.1", connect: "127.0.0.1" });
    expect(publishing(tcp("localhost"))).toEqual({ bind: "127.0.0.1", connect: "127.0.0.1" });
    expect(publishing(tcp("docker"))).toEqual({ bind: "0.0.0.0", connect: "docker" });
  });

  it("gives the port that the engine chose", () => {
    const info = container("172.17.0.2");
    expect(publishedAddress(info, 8080, "127.0.0.1")).toBeUndefined();
    info.NetworkSettings.Ports = { "8080/tcp": [{ HostIp: "127.0.0.1", HostPort: "32768" }] };
    expect(publishedAddress(info, 8080, "127.0.0.1")).toEqual({
      host: "127.0.0.1",
      port: 32_768,
      connectProves: false,
    });
  });
});
