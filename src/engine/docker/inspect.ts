/** From an image in the engine to an Artifact: pinned by id, and of the platform that the cluster runs. */
import type Docker from "dockerode";
import { KserveLocalError } from "../../kernel/errors.ts";
import type { Artifact } from "../engine.ts";
import { statusOf } from "./client.ts";
import { parseReference } from "./reference.ts";

export const PLATFORM = "linux/amd64";

/** Undefined where the engine has no such image. */
export async function inspectImage(
  docker: Docker,
  name: string,
): Promise<Docker.ImageInspectInfo | undefined> {
  try {
    return await docker.getImage(name).inspect();
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/**
 * The check can't be left to the engine: Docker 20.10 hands out an image of another platform from its cache, and pulls
 * one in silence where a repository has no other.
 */
export function toArtifact(
  image: Docker.ImageInspectInfo,
  reference: string,
  origin: "built" | "found",
): Artifact {
  const platform = `${image.Os}/${image.Architecture}`;
  if (platform !== PLATFORM) throw wrongPlatform(reference, platform, origin);
  // Podman and images from `docker import` leave out what is empty.
  const config = (image.Config ?? {}) as Partial<Docker.ImageInspectInfo["Config"]>;
  const digest = digestOf(image.RepoDigests ?? [], reference);
  return {
    id: image.Id.startsWith("sha256:") ? image.Id : `sha256:${image.Id}`,
    reference,
    ...(digest === undefined ? {} : { digest }),
    entrypoint: listOf(config.Entrypoint),
    cmd: listOf(config.Cmd),
    env: (config.Env ?? []).map(splitEnv),
    workingDir: config.WorkingDir === undefined || config.WorkingDir === "" ? "/" : config.WorkingDir,
    user: config.User ?? "",
    exposedPorts: Object.keys(config.ExposedPorts ?? {}),
    sizeBytes: image.Size,
  };
}

function wrongPlatform(reference: string, platform: string, origin: "built" | "found"): KserveLocalError {
  return new KserveLocalError("image-platform", {
    what: `The image ${reference} is for ${platform}; Knative's nodes here are ${PLATFORM}`,
    why:
      origin === "built"
        ? "A base image or a COPY --from of the Dockerfile brought that platform in"
        : "It was built or pulled on a machine of that platform, without naming another",
    fix:
      origin === "built"
        ? `Fetch the base image for the right platform: docker pull --platform ${PLATFORM} <base image>, and take any --platform out of FROM`
        : `docker build --platform ${PLATFORM} -t ${reference} . or docker pull --platform ${PLATFORM} ${reference}`,
  });
}

/** The digest that belongs to the repository asked for: one image may have come from several. */
function digestOf(digests: readonly string[], reference: string): string | undefined {
  const wanted = parseReference(reference);
  return digests.find((digest) => {
    if (!digest.includes("@") || digest.startsWith("<none>")) return false;
    const { registry, repository } = parseReference(digest);
    return registry === wanted.registry && repository === wanted.repository;
  });
}

function listOf(value: string | readonly string[] | null | undefined): readonly string[] {
  if (value === null || value === undefined) return [];
  return typeof value === "string" ? [value] : value;
}

function splitEnv(entry: string): readonly [string, string] {
  const at = entry.indexOf("=");
  return at < 0 ? [entry, ""] : [entry.slice(0, at), entry.slice(at + 1)];
}
