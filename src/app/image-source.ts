/**
 * Where the image of a service comes from (DESIGN 4, Images): built when there is something to build, else taken from
 * the engine, else pulled. Decided by flags, annotations and the files beside the manifest.
 */
import path from "node:path";
import type { BuildSource, HostSource, PullPolicy, ReferenceSource } from "../engine/engine.ts";
import { KserveLocalError, messageOf } from "../kernel/errors.ts";
import type { Container, KnativeService } from "../manifest/spec.ts";
import { ANNOTATIONS } from "../resources/objects.ts";

export interface SourceFlags {
  /** `--build <dir>`, absolute. */
  readonly build?: string;
  /** `--no-build`. */
  readonly noBuild: boolean;
  readonly pull?: PullPolicy;
}

export interface ServiceFile {
  readonly service: KnativeService;
  /** Absolute directory of the manifest; undefined for stdin. */
  readonly directory: string | undefined;
  /** Services in the same directory that name no build context of their own, this one included. */
  readonly unnamedInDirectory: number;
}

type IsFile = (file: string) => boolean;

/** What to build, or undefined where the image is only referred to. @throws KserveLocalError `usage` */
export function buildContext(
  { service, directory, unnamedInDirectory }: ServiceFile,
  flags: SourceFlags,
  isFile: IsFile,
): { readonly context: string; readonly dockerfile: string } | undefined {
  if (flags.noBuild) return undefined;
  const annotations = service.spec.template.metadata?.annotations ?? {};
  const dockerfile = annotations[ANNOTATIONS.dockerfile] ?? "Dockerfile";
  const annotated = annotations[ANNOTATIONS.build];
  const named = annotated === undefined ? flags.build : path.resolve(directory ?? ".", annotated);
  if (named !== undefined) {
    if (!isFile(path.join(named, dockerfile)))
      throw new KserveLocalError("usage", {
        what: `there is no ${dockerfile} in ${named}`,
        why:
          annotated === undefined
            ? "--build names that directory"
            : `service ${service.metadata.name} names it with ${ANNOTATIONS.build}`,
        fix: `write a Dockerfile there, or name another file with the annotation ${ANNOTATIONS.dockerfile}`,
      });
    return { context: named, dockerfile };
  }
  if (directory === undefined || !isFile(path.join(directory, dockerfile))) return undefined;
  // One Dockerfile beside several services says nothing about which of them it builds.
  return unnamedInDirectory === 1 ? { context: directory, dockerfile } : undefined;
}

/** The Dockerfile that nothing is built from because it stands beside several services. */
export function ambiguousDockerfile(
  { service, directory, unnamedInDirectory }: ServiceFile,
  flags: SourceFlags,
  isFile: IsFile,
): string | undefined {
  const annotations = service.spec.template.metadata?.annotations ?? {};
  const isNamed = flags.build !== undefined || annotations[ANNOTATIONS.build] !== undefined;
  if (flags.noBuild || isNamed || directory === undefined || unnamedInDirectory === 1) return undefined;
  const file = path.join(directory, annotations[ANNOTATIONS.dockerfile] ?? "Dockerfile");
  return isFile(file) ? file : undefined;
}

export function buildSource(
  service: KnativeService,
  found: { readonly context: string; readonly dockerfile: string },
  flags: SourceFlags,
): BuildSource {
  const annotations = service.spec.template.metadata?.annotations ?? {};
  const target = annotations[ANNOTATIONS.target];
  return {
    kind: "build",
    ...found,
    ...(target === undefined ? {} : { target }),
    buildArgs: parseBuildArgs(annotations[ANNOTATIONS.buildArgs], service),
    tag: `kserve-local/${service.metadata.namespace}-${service.metadata.name}:latest`,
    pullBase: flags.pull === "always",
  };
}

export function hostSource(
  file: ServiceFile,
  found: { readonly context: string; readonly dockerfile: string } | undefined,
  reference: string,
): HostSource {
  return {
    kind: "host",
    directory: found?.context ?? file.directory ?? process.cwd(),
    ...(found === undefined ? {} : { dockerfile: found.dockerfile }),
    reference,
  };
}

export function referenceSource(container: Container, flags: SourceFlags): ReferenceSource {
  return {
    kind: "reference",
    reference: container.image,
    pull: flags.pull ?? pullPolicy(container.imagePullPolicy),
  };
}

function pullPolicy(written: string | undefined): PullPolicy {
  if (written === "Always") return "always";
  return written === "Never" ? "never" : "missing";
}

/** `KEY=value` entries, separated by commas or new lines; or a JSON object. @throws KserveLocalError `usage` */
function parseBuildArgs(text: string | undefined, service: KnativeService): Readonly<Record<string, string>> {
  const trimmed = text?.trim() ?? "";
  const refuse = (why: string, cause?: unknown): KserveLocalError =>
    new KserveLocalError("usage", {
      what: `the annotation ${ANNOTATIONS.buildArgs} of service ${service.metadata.name} can't be read`,
      why,
      fix: "write it as KEY=value, separated by commas, or as a JSON object of texts",
      ...(cause === undefined ? {} : { cause }),
    });
  if (trimmed.startsWith("{")) return buildArgsOfJson(trimmed, refuse);
  const entries = trimmed.split(/[,\n]/).filter((entry) => entry.trim() !== "");
  return Object.fromEntries(
    entries.map((entry) => {
      const equals = entry.indexOf("=");
      if (equals < 1) throw refuse(`"${entry.trim()}" is not KEY=value`);
      return [entry.slice(0, equals).trim(), entry.slice(equals + 1).trim()];
    }),
  );
}

function buildArgsOfJson(
  text: string,
  refuse: (why: string, cause?: unknown) => KserveLocalError,
): Readonly<Record<string, string>> {
  let parsed: Record<string, unknown>;
  try {
    parsed = JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw refuse(messageOf(error), error);
  }
  return Object.fromEntries(
    Object.entries(parsed).map(([key, value]) => {
      if (typeof value === "string") return [key, value];
      if (typeof value !== "number" && typeof value !== "boolean")
        throw refuse(`the value of ${key} is not a text`);
      return [key, String(value)];
    }),
  );
}
