/** What we need to know about the engine, asked once when connecting. */
import type Docker from "dockerode";
import { KserveLocalError } from "../../kernel/errors.ts";
import type { Endpoint } from "./endpoint.ts";

export interface EngineFacts {
  readonly product: "docker" | "podman";
  readonly version: string;
  readonly title: string;
  readonly endpoint: Endpoint;
  /** Builds through BuildKit rather than the classic builder. */
  readonly buildkit: boolean;
  /** The engine can put an init process in front of the app. */
  readonly init: boolean;
  /** Runs linux/amd64 under emulation. */
  readonly emulates: boolean;
  /** The engine's network may be this machine's own: Linux, a unix socket, neither in a VM nor rootless. */
  readonly sharesNetwork: boolean;
  /** Docker Desktop: the engine runs in a virtual machine of this computer. */
  readonly desktop: boolean;
}

/** Docker 20.10 and Podman 4; older ones lack `platform` at create. */
const OLDEST_API = [1, 41] as const;

/** Docker has BuildKit behind its API since 18.09; Podman answers `version=2` with 404. */
const OLDEST_BUILDKIT = [18, 9] as const;

/** Throws KserveLocalError `engine-unsupported`. */
export function readFacts(
  endpoint: Endpoint,
  version: Docker.DockerVersion,
  info: Record<string, unknown>,
  platform: NodeJS.Platform,
): EngineFacts {
  const components = version.Components ?? [];
  const podman = components.some((component) => /podman/i.test(component.Name));
  const title = `${podman ? "Podman" : "Docker"} ${version.Version} at ${endpoint.uri}`;
  if (!isAtLeast(version.ApiVersion, OLDEST_API)) {
    throw new KserveLocalError("engine-unsupported", {
      what: `${title} is too old`,
      why: `It speaks API ${version.ApiVersion}; needed is ${OLDEST_API.join(".")}`,
      fix: "Use Docker 20.10 or newer, or Podman 4 or newer",
    });
  }
  if (info["OSType"] !== undefined && info["OSType"] !== "linux") {
    throw new KserveLocalError("engine-unsupported", {
      what: `${title} runs ${textOf(info["OSType"])} containers`,
      fix: "Switch Docker Desktop to Linux containers",
    });
  }
  const options = Array.isArray(info["SecurityOptions"]) ? info["SecurityOptions"].map(String) : [];
  const virtual = info["OperatingSystem"] === "Docker Desktop";
  const rootless = options.some((option) => option.includes("rootless"));
  return {
    product: podman ? "podman" : "docker",
    version: version.Version,
    title,
    endpoint,
    buildkit: !podman && isAtLeast(version.Version, OLDEST_BUILDKIT),
    init: typeof info["InitBinary"] === "string" && info["InitBinary"] !== "",
    emulates: !["x86_64", "amd64"].includes(textOf(info["Architecture"], "x86_64")),
    desktop: virtual,
    sharesNetwork: platform === "linux" && endpoint.transport === "socket" && !virtual && !rootless,
  };
}

function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [a = 0, b = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
  return a > major || (a === major && b >= minor);
}

function textOf(value: unknown, otherwise = ""): string {
  return typeof value === "string" ? value : otherwise;
}
