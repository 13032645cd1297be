/** What the engine is asked to create for a holder. Pure. */
import type Docker from "dockerode";
import { LABEL } from "../labels.ts";

export interface HolderRun {
  /** Name of the container; unique. */
  readonly name: string;
  /** The instance's host name; the containers that join can't have one of their own. */
  readonly hostname: string;
  /** Session, service, revision. */
  readonly labels: Readonly<Record<string, string>>;
  /** The port that is to be reachable from outside: published on this address of the engine's machine, where one is given. */
  readonly port: number;
  readonly publishOn?: string;
  /** `name:address` entries of /etc/hosts. */
  readonly extraHosts: readonly string[];
  /** Addresses that are the namespace's own, e.g. 169.254.169.254. 127.0.0.0/8 is so anyway. */
  readonly addresses: readonly string[];
  /** Where the holder listens and hands connections to us: `address:port`. */
  readonly listen: readonly string[];
  /** Names that the resolver answers itself; `*.` in front stands for one label. */
  readonly names: ReadonlyArray<readonly [pattern: string, address: string]>;
  /** Domains that short names are looked up in, before those of the engine's machine. Empty: no resolver of ours. */
  readonly search: readonly string[];
  /** Servers for all other names; absent: those that the engine gives its containers. */
  readonly dns?: readonly string[];
}

/** Cloud metadata. Not owning it would hand a developer's cloud machine's real credentials to the app. */
export const METADATA_ADDRESS = "169.254.169.254";
/** Any address of 127.0.0.0/8 that nobody else is likely to use. */
export const CLUSTER_ADDRESS = "127.0.80.1";

/**
 * What every instance has: the metadata server and the names of one namespace's services, all on port 80 and all handed to
 * us. An app that itself listens on port 80 keeps it; then those names resolve, and nobody listens.
 */
export function clusterNetwork(
  namespaces: readonly string[],
  appPort: number,
): Pick<HolderRun, "addresses" | "listen" | "names" | "search"> {
  const own = namespaces[0] ?? "default";
  return {
    addresses: [METADATA_ADDRESS],
    listen: appPort === 80 ? [] : [`${METADATA_ADDRESS}:80`, `${CLUSTER_ADDRESS}:80`],
    names: [
      ["metadata.google.internal", METADATA_ADDRESS],
      ...namespaces.map((name) => [`*.${name}.svc.cluster.local`, CLUSTER_ADDRESS] as const),
    ],
    search: [`${own}.svc.cluster.local`, "svc.cluster.local", "cluster.local"],
  };
}

export function namesText(names: HolderRun["names"]): string {
  return names.map(([pattern, address]) => `${pattern}=${address}`).join("\n");
}

export function holderSpec(run: HolderRun, image: string): Docker.ContainerCreateOptions {
  const port = `${run.port}/tcp`;
  return {
    name: run.name,
    Hostname: run.hostname,
    Image: image,
    Cmd: commandOf(run),
    Labels: { ...run.labels, [LABEL.role]: "holder" },
    User: "0:0",
    Tty: false,
    OpenStdin: true,
    // With our connection its stdin ends, and the holder with it.
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    ExposedPorts: { [port]: {} },
    HostConfig: {
      NetworkMode: "bridge",
      AutoRemove: true,
      Init: false,
      // Its output is our traffic.
      LogConfig: { Type: "none", Config: {} },
      CapDrop: ["ALL"],
      CapAdd: ["NET_ADMIN", "NET_BIND_SERVICE"],
      // Docker's own default; Podman leaves 1024, and an app that isn't root may want port 80.
      Sysctls: { "net.ipv4.ip_unprivileged_port_start": "0" },
      PidsLimit: 64,
      ExtraHosts: [...run.extraHosts],
      ...(run.dns === undefined ? {} : { Dns: [...run.dns] }),
      ...(run.publishOn === undefined
        ? {}
        : { PortBindings: { [port]: [{ HostIp: run.publishOn, HostPort: "" }] } }),
    },
  };
}

/** In the order in which the helper does them: an address before what listens on it. */
function commandOf(run: HolderRun): string[] {
  return [
    "holder",
    ...run.addresses.flatMap((address) => ["--address", address]),
    ...run.listen.flatMap((where) => ["--listen", where]),
    ...(run.names.length === 0 ? [] : ["--names", namesText(run.names)]),
    ...(run.search.length === 0 ? [] : ["--search", run.search.join(" ")]),
  ];
}
