/** From the container that would be started plainly to the same one behind a gate. Pure. */
import type Docker from "dockerode";
import type { ContainerSpec } from "../container-spec.ts";
import { HELPER_FOLDER, HELPER_PROGRAM } from "../helper/binary.ts";
import type { ResolvedUser } from "./user.ts";

export interface GateOptions {
  /** What the app executes, complete (argvOf). */
  readonly argv: readonly string[];
  /** The gate stays as an init process in front of the app (wantsInit). */
  readonly init: boolean;
  /** Container whose network namespace the app joins. */
  readonly holder: string;
  /** The volume with the helper (installHelper). */
  readonly volume: string;
  /** Tells the gate's own lines from the app's: hard to guess, no blanks. */
  readonly token: string;
  /** Absent: the container's own root, on disk. */
  readonly memoryRoot?: MemoryRoot;
}

export interface MemoryRoot {
  /** Whom the app runs as: the gate itself has to start as root. */
  readonly user: ResolvedUser;
  /** The container's memory limit; absent: half of the machine's memory, Linux's own choice. */
  readonly bytes?: number;
  /** Image VOLUMEs, which are in memory as well. */
  readonly volumes: readonly string[];
  /** The image or the manifest sets HOME, which the engine then leaves alone. */
  readonly hasHome: boolean;
  /** Take back what the engine's system call filter allows for the gate's sake. Right for Docker; Podman's is laxer anyway. */
  readonly filter: boolean;
}

/**
 * Settings of the network belong to the holder; the engine refuses them on a container that joins. The app's stdin is the
 * gate's until the byte has come.
 */
export function gatedSpec(spec: ContainerSpec, options: GateOptions): ContainerSpec {
  const { Hostname: _hostname, ExposedPorts: _ports, NetworkingConfig: _network, ...rest } = spec;
  const { PortBindings: _bindings, ExtraHosts: _hosts, Dns: _dns, ...host } = spec.HostConfig ?? {};
  const { memoryRoot } = options;
  return {
    ...rest,
    Entrypoint: [HELPER_PROGRAM],
    Cmd: gateCommand(options),
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    ...(memoryRoot === undefined ? {} : asRoot(spec, memoryRoot)),
    HostConfig: {
      ...host,
      NetworkMode: `container:${options.holder}`,
      Init: false,
      Mounts: [...(host.Mounts ?? []), helperMount(options.volume)],
      ...(memoryRoot === undefined ? {} : rightsToMount()),
    },
  };
}

function gateCommand({ argv, init, token, memoryRoot }: GateOptions): string[] {
  const memory =
    memoryRoot === undefined
      ? []
      : [
          "--memory",
          ...(memoryRoot.filter ? ["--filter"] : []),
          ...(memoryRoot.bytes === undefined ? [] : ["--bytes", String(memoryRoot.bytes)]),
          ...memoryRoot.volumes.flatMap((path) => ["--skip", path]),
          "--user",
          userText(memoryRoot.user),
        ];
  return ["gate", "--token", token, ...(init ? ["--init"] : []), ...memory, "--", ...argv];
}

function userText({ uid, gid, groups }: ResolvedUser): string {
  return `${uid}:${gid}${groups.length === 0 ? "" : `:${groups.join(",")}`}`;
}

/** The engine sets HOME by the user that it starts: here that isn't the app's. */
function asRoot(spec: ContainerSpec, { user, hasHome }: MemoryRoot): Pick<ContainerSpec, "User" | "Env"> {
  return { User: "0:0", ...(hasHome ? {} : { Env: [...(spec.Env ?? []), `HOME=${user.home}`] }) };
}

/** AppArmor's default profile forbids mounts to everybody; where there is no AppArmor the option does nothing. */
function rightsToMount(): Docker.HostConfig {
  return { CapAdd: ["SYS_ADMIN"], SecurityOpt: ["apparmor=unconfined"] };
}

function helperMount(volume: string): Docker.MountSettings {
  return {
    Type: "volume",
    Source: volume,
    Target: HELPER_FOLDER,
    ReadOnly: true,
    // The type wants the other options, too, which then would not be the engine's defaults.
    VolumeOptions: { NoCopy: true } as Docker.MountSettings["VolumeOptions"] & object,
  };
}
