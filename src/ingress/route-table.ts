/**
 * Which revision a request goes to, by its host. Pure: a table made from the Routes, and a choice by weight
 * (BEHAVIOUR 1.3 and 8; DESIGN 4, names and addresses).
 */
export interface RouteEntry {
  readonly name: string;
  readonly namespace: string;
  readonly traffic: ReadonlyArray<{
    readonly revisionName?: string;
    readonly percent?: number;
    readonly tag?: string;
  }>;
  /** Reachable only by its cluster-local names. */
  readonly clusterLocal: boolean;
}

export interface Destination {
  readonly service: string;
  readonly namespace: string;
  /** Set where a tag's host was asked for: that entry gets everything. */
  readonly tag?: string;
  readonly targets: ReadonlyArray<{ readonly revision: string; readonly percent: number }>;
}

export interface RouteTable {
  readonly byHost: ReadonlyMap<string, Destination>;
  /** With exactly one service, any loopback host reaches it. */
  readonly only: Destination | undefined;
  /** What is served, for the answer to an unknown host. */
  readonly hosts: readonly string[];
}

/** Loopback in every browser, in curl, and by public DNS. */
const EXTERNAL_DOMAINS = ["localhost", "127.0.0.1.sslip.io"];
const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\]|0\.0\.0\.0|)$/;

export function buildRouteTable(routes: readonly RouteEntry[]): RouteTable {
  const byHost = new Map<string, Destination>();
  const hosts: string[] = [];
  const services = new Set(routes.map((route) => `${route.name}.${route.namespace}`));
  for (const route of routes) {
    const targets = route.traffic.flatMap((target) =>
      target.revisionName === undefined
        ? []
        : [{ revision: target.revisionName, percent: target.percent ?? 0 }],
    );
    const main = { service: route.name, namespace: route.namespace, targets };
    addHosts(byHost, route, route.name, main);
    if (!route.clusterLocal) hosts.push(`${route.name}.${route.namespace}.localhost`);
    for (const target of route.traffic) {
      if (!target.tag || target.revisionName === undefined) continue;
      // A tag that would read as another service's name does not take its host.
      if (services.has(`${target.tag}-${route.name}.${route.namespace}`)) continue;
      addHosts(byHost, route, `${target.tag}-${route.name}`, {
        ...main,
        tag: target.tag,
        targets: [{ revision: target.revisionName, percent: 100 }],
      });
    }
  }
  const [first, second] = routes;
  const only =
    first !== undefined && second === undefined ? byHost.get(`${first.name}.${first.namespace}`) : undefined;
  return { byHost, only, hosts };
}

function addHosts(
  byHost: Map<string, Destination>,
  route: RouteEntry,
  name: string,
  destination: Destination,
): void {
  const base = `${name}.${route.namespace}`;
  const internal = [base, `${base}.svc`, `${base}.svc.cluster.local`];
  const external = route.clusterLocal ? [] : EXTERNAL_DOMAINS.map((domain) => `${base}.${domain}`);
  for (const host of [...internal, ...external]) byHost.set(host, destination);
}

/** `host` is lower-case and without a port. */
export function findDestination(table: RouteTable, host: string): Destination | undefined {
  const bare = host.endsWith(".") ? host.slice(0, -1) : host;
  return table.byHost.get(bare) ?? (LOOPBACK_HOST.test(bare) ? table.only : undefined);
}

/** A revision by weight; `random` in [0, 1). Undefined where nothing has a percentage. */
export function chooseRevision(destination: Destination, random: number): string | undefined {
  const { targets } = destination;
  const total = targets.reduce((sum, target) => sum + target.percent, 0);
  if (total === 0) return undefined;
  let left = random * total;
  for (const target of targets) {
    left -= target.percent;
    if (left < 0) return target.revision;
  }
  return targets.findLast((target) => target.percent > 0)?.revision;
}
