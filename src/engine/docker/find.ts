/** Brings the image of a reference into the engine, by the pull policy, and pins it. */
import type Docker from "dockerode";
import { KserveLocalError } from "../../kernel/errors.ts";
import type { Artifact, PrepareOptions, ReferenceSource } from "../engine.ts";
import { engineFailure } from "./client.ts";
import type { CredentialSource } from "./credentials.ts";
import { inspectImage, PLATFORM, toArtifact } from "./inspect.ts";
import { pullImage } from "./pull.ts";
import { type ImageReference, isLocalOnly, parseReference } from "./reference.ts";

export async function findImage(
  docker: Docker,
  source: ReferenceSource,
  around: CredentialSource,
  options: PrepareOptions,
): Promise<Artifact> {
  const reference = parse(source.reference);
  const local = await inspect(docker, reference.name);
  if (local !== undefined && (source.pull !== "always" || isLocalOnly(reference)))
    return toArtifact(local, source.reference, "found");
  if (isLocalOnly(reference)) throw notBuilt(source.reference, reference);
  if (source.pull === "never") throw notHere(source.reference);
  try {
    await pullImage(docker, reference, around, options);
  } catch (error) {
    // Without a network the image of yesterday is better than nothing, as long as it is said.
    const offline = error instanceof KserveLocalError && error.code === "pull-failed";
    if (!offline || local === undefined) throw error;
    options.onProgress({
      kind: "notice",
      message: `${error.message}; using the local image ${source.reference}`,
    });
    return toArtifact(local, source.reference, "found");
  }
  const pulled = await inspect(docker, reference.name);
  if (pulled === undefined) throw notHere(source.reference);
  return toArtifact(pulled, source.reference, "found");
}

function parse(text: string): ImageReference {
  try {
    return parseReference(text);
  } catch (error) {
    throw new KserveLocalError("image-missing", {
      what: `"${text}" is not an image reference`,
      fix: "Write it as registry/repository:tag, in lower case",
      cause: error,
    });
  }
}

async function inspect(docker: Docker, name: string): Promise<Docker.ImageInspectInfo | undefined> {
  try {
    return await inspectImage(docker, name);
  } catch (error) {
    throw engineFailure(error, `looking for the image ${name}`);
  }
}

function notBuilt(text: string, reference: ImageReference): KserveLocalError {
  return new KserveLocalError("image-missing", {
    what: `The image ${text} is not in the engine`,
    why: `${reference.registry}/ is the prefix of images that were built on this machine; no registry has them`,
    fix: `Build it: docker build --platform ${PLATFORM} -t ${text} ., or put a Dockerfile beside the service.yaml (--build <folder> for another place)`,
  });
}

function notHere(text: string): KserveLocalError {
  return new KserveLocalError("image-missing", {
    what: `The image ${text} is not in the engine, and imagePullPolicy is Never`,
    fix: `Build it (docker build --platform ${PLATFORM} -t ${text} .) or set imagePullPolicy: IfNotPresent`,
  });
}
