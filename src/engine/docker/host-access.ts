/** How containers reach a listener of this process: see EngineDescription.hostAccess. */
import { BlockList, isIPv4 } from "node:net";
import type { EngineDescription } from "../engine.ts";
import { type ReadRoutes, readProcRoutes } from "./address.ts";
import type { EngineFacts } from "./facts.ts";

/**
 * On this machine's own network: our address on the engine's bridge. Docker Desktop forwards a name of its own to the
 * loopback of the host. Anywhere else (rootless, remote) there is no way that needs no setting up: undefined.
 */
export async function hostAccess(
  facts: Pick<EngineFacts, "sharesNetwork" | "desktop">,
  bridgeSubnets: readonly string[],
  readRoutes: ReadRoutes = readProcRoutes,
): Promise<EngineDescription["hostAccess"]> {
  if (facts.desktop) return { listen: "127.0.0.1", reach: "host.docker.internal" };
  if (!facts.sharesNetwork) return undefined;
  const bridge = new BlockList();
  for (const subnet of bridgeSubnets) {
    const [network = "", bits = ""] = subnet.split("/");
    if (isIPv4(network)) bridge.addSubnet(network, Number(bits), "ipv4");
  }
  const routes = await readRoutes("self").catch(() => undefined);
  // The trie lists the subnet's first and last address as local ones too: nobody can listen on those.
  const own = [...(routes?.local ?? [])].find(
    (address) => bridge.check(address, "ipv4") && !/\.(0|255)$/.test(address),
  );
  return own === undefined ? undefined : { listen: own, reach: own };
}
