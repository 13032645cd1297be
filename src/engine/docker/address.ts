/**
 * How an instance is reached. Publishing a port costs 30 to 80 ms of every start and half of the throughput, and a
 * published port accepts before the app listens; so the container's own address is used where it is *proved* that the
 * address is the container's. An unproved one is never sent a byte: addresses of a rootless engine or of an engine in a
 * virtual machine may well belong to somebody else on this machine's network.
 *
 * An address is the instance's while it lives; `exited` tells the end. Then a published port refuses at once, but a
 * container's own address is given to the next container, so whoever routes must let go of it.
 */
import { readFile } from "node:fs/promises";
import type Docker from "dockerode";
import type { Address } from "../engine.ts";
import type { EngineFacts } from "./facts.ts";

/** Set to `published` to publish always. */
export const ADDRESS_VARIABLE = "KSERVE_LOCAL_DOCKER_ADDRESS";

/** First half of the proof: this machine has a link to the subnet of the engine's bridge. */
export async function mayReachDirectly(
  facts: EngineFacts,
  subnets: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  readRoutes: ReadRoutes = readProcRoutes,
): Promise<boolean> {
  if (!facts.sharesNetwork || env[ADDRESS_VARIABLE] === "published") return false;
  const own = await readRoutes("self").catch(() => undefined);
  return own !== undefined && subnets.some((subnet) => own.links.has(subnet));
}

/**
 * Subnets of the default bridge; empty where the engine has none of that name. (Its gateway is not always told: Docker 20.10
 * leaves it out until the daemon's second start.)
 */
export async function bridgeSubnets(docker: Docker): Promise<readonly string[]> {
  try {
    const network = (await docker.getNetwork("bridge").inspect()) as {
      IPAM?: { Config?: Array<{ Subnet?: string }> | null };
    };
    return (network.IPAM?.Config ?? []).flatMap(({ Subnet }) => (Subnet === undefined ? [] : [Subnet]));
  } catch {
    return [];
  }
}

/**
 * Second half, for each container: we have a link to its address' subnet through the engine's bridge, and the address is
 * a local one in the network namespace of the container's process. Undefined: not proved.
 */
export async function proveDirect(
  container: Pick<Docker.ContainerInspectInfo, "NetworkSettings" | "State">,
  port: number,
  readRoutes: ReadRoutes = readProcRoutes,
): Promise<Address | undefined> {
  const network = Object.values(container.NetworkSettings.Networks)[0];
  const host = network?.IPAddress ?? "";
  if (network === undefined || host === "" || container.State.Pid <= 0) return undefined;
  try {
    const [own, theirs] = await Promise.all([readRoutes("self"), readRoutes(container.State.Pid)]);
    const linked = own.local.has(network.Gateway) && own.links.has(subnetOf(host, network.IPPrefixLen));
    const proved = linked && !own.local.has(host) && theirs.local.has(host);
    return proved ? { host, port, connectProves: true } : undefined;
  } catch {
    return undefined;
  }
}

/** The published port; undefined where the engine gave none (the container has ended already). */
export function publishedAddress(
  container: Docker.ContainerInspectInfo,
  port: number,
  host: string,
): Address | undefined {
  const bindings = container.NetworkSettings.Ports?.[`${port}/tcp`] ?? [];
  const published = Number(bindings[0]?.HostPort ?? "");
  return published > 0 ? { host, port: published, connectProves: false } : undefined;
}

/**
 * Where to publish and where to connect to. An engine that DOCKER_HOST names on another machine (the `docker:dind` service of
 * a CI job) can be reached only there.
 */
export function publishing(facts: EngineFacts): { readonly bind: string; readonly connect: string } {
  const { endpoint } = facts;
  if (endpoint.transport === "socket" || isLoopback(endpoint.host))
    return { bind: "127.0.0.1", connect: "127.0.0.1" };
  return { bind: "0.0.0.0", connect: endpoint.host };
}

/** What a network namespace says about itself. */
export interface Routes {
  /** Its own addresses. */
  readonly local: ReadonlySet<string>;
  /** Subnets that it has a link to, as `172.17.0.0/16`. */
  readonly links: ReadonlySet<string>;
}

export type ReadRoutes = (pid: number | "self") => Promise<Routes>;

/**
 * Reads /proc/<pid>/net/fib_trie, which any user may. Not os.networkInterfaces(): that leaves out a bridge that has no
 * container on it yet.
 */
export async function readProcRoutes(pid: number | "self"): Promise<Routes> {
  return parseRoutes(await readFile(`/proc/${pid}/net/fib_trie`, "utf8"));
}

export function parseRoutes(trie: string): Routes {
  const local = new Set<string>();
  const links = new Set<string>();
  let leaf = "";
  for (const line of trie.split("\n")) {
    const address = /\|-- ([\d.]+)\s*$/.exec(line)?.[1];
    if (address !== undefined) leaf = address;
    else if (/^\s*\/32 host LOCAL\s*$/.test(line)) local.add(leaf);
    else {
      const prefix = /^\s*\/(\d+) link UNICAST\s*$/.exec(line)?.[1];
      if (prefix !== undefined) links.add(`${leaf}/${prefix}`);
    }
  }
  return { local, links };
}

function subnetOf(address: string, prefix: number): string {
  const bits = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - prefix);
  const base = bits - (bits % size);
  return `${[24, 16, 8, 0].map((shift) => Math.floor(base / 2 ** shift) % 256).join(".")}/${prefix}`;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || host.startsWith("127.");
}
