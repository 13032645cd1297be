/** Pulls an image for linux/amd64, with the user's credentials. */
import type { Readable } from "node:stream";
import type Docker from "dockerode";
import { KserveLocalError, messageOf } from "../../kernel/errors.ts";
import type { PrepareOptions, PrepareProgress } from "../engine.ts";
import { engineWords, isConnectionError, engineFailure } from "./client.ts";
import { type CredentialSource, findCredentials, type RegistryCredentials } from "./credentials.ts";
import { PLATFORM } from "./inspect.ts";
import { jsonLines } from "./ndjson.ts";
import type { ImageReference } from "./reference.ts";

/** Throws KserveLocalError `registry-denied`, `image-missing` or `pull-failed`, or the signal's reason. */
export async function pullImage(
  docker: Docker,
  reference: ImageReference,
  around: CredentialSource,
  options: PrepareOptions,
): Promise<void> {
  const { signal } = options;
  const onProgress = (progress: PrepareProgress): void => options.onProgress(progress);
  const credentials = await findCredentials(reference.registry, around, signal);
  const name = `pull ${reference.name}`;
  const begin = performance.now();
  onProgress({ kind: "step", name, status: "start" });
  try {
    const stream = await request(docker, reference, credentials, signal);
    for await (const message of jsonLines(stream)) {
      const error = message["error"];
      if (typeof error === "string") throw new Error(error);
      report(message, onProgress);
    }
    signal.throwIfAborted();
  } catch (error) {
    signal.throwIfAborted();
    onProgress({ kind: "step", name, status: "error", durationMs: performance.now() - begin });
    throw isConnectionError(error)
      ? engineFailure(error, `pulling ${reference.name}`)
      : pullFailure(reference, engineWords(error), credentials);
  }
  onProgress({ kind: "step", name, status: "done", durationMs: performance.now() - begin });
}

async function request(
  docker: Docker,
  reference: ImageReference,
  credentials: RegistryCredentials | undefined,
  signal: AbortSignal,
): Promise<Readable> {
  // Without a tag the engine would pull every tag of the repository.
  const tag = reference.digest ?? reference.tag ?? "latest";
  const suffix = reference.name.length - (reference.digest === undefined ? 0 : reference.digest.length + 1);
  const named = reference.name.slice(0, suffix);
  const fromImage =
    reference.tag === undefined ? named : named.slice(0, named.length - reference.tag.length - 1);
  const options = { fromImage, tag, platform: PLATFORM, abortSignal: signal };
  const stream =
    credentials === undefined ? docker.createImage(options) : docker.createImage(credentials, options);
  return (await stream) as Readable;
}

function report(message: Record<string, unknown>, onProgress: (progress: PrepareProgress) => void): void {
  const { id, status, progressDetail } = message;
  if (typeof id !== "string" || typeof status !== "string") return;
  const { current, total } = (progressDetail ?? {}) as { current?: unknown; total?: unknown };
  if (typeof current === "number") {
    onProgress({
      kind: "transfer",
      id,
      what: status.toLowerCase(),
      current,
      total: typeof total === "number" ? total : 0,
    });
  }
}

/** In the order of certainty; the texts are those of Docker Hub, of the registry's own server and of the big clouds. */
const DENIED = /no basic auth credentials|unauthorized|authentication required|denied|forbidden|\b40[13]\b/i;
const MISSING = /manifest unknown|not found|name unknown|no such (?:image|manifest)|no matching manifest/i;

export function pullFailure(
  reference: ImageReference,
  words: string,
  credentials: RegistryCredentials | undefined,
): KserveLocalError {
  const why = withoutSecrets(words, credentials);
  const { name, registry } = reference;
  if (
    /no matching manifest|no image found in .*manifest list|does not match the specified platform/i.test(
      words,
    )
  ) {
    return new KserveLocalError("image-platform", {
      what: `The image ${name} is not available for ${PLATFORM}`,
      why,
      fix: `Build and push it for that platform: docker build --platform ${PLATFORM} -t ${name} . && docker push ${name}`,
    });
  }
  if (DENIED.test(words)) {
    return new KserveLocalError("registry-denied", {
      what: `The registry ${registry} does not let ${credentials === undefined ? "an anonymous client" : "this account"} pull ${name}`,
      why,
      fix:
        credentials === undefined
          ? `docker login ${registry === "docker.io" ? "" : registry}`.trim() +
            " (and check the name: registries answer the same way for a repository that doesn't exist)"
          : `Check that the account may read the repository, and that it exists; docker login ${registry} renews the credentials`,
    });
  }
  if (MISSING.test(words)) {
    return new KserveLocalError("image-missing", {
      what: `The image ${name} does not exist in ${registry}`,
      why,
      fix: "Correct the name or the tag, or push the image first",
    });
  }
  return new KserveLocalError("pull-failed", {
    what: `The image ${name} could not be pulled from ${registry}`,
    why,
    fix: "Check the network (proxy, VPN) and try again; imagePullPolicy: IfNotPresent uses a local image where there is one",
  });
}

/** Should a registry ever quote what it was sent. */
function withoutSecrets(text: string, credentials: RegistryCredentials | undefined): string {
  const secrets = [credentials?.password, credentials?.identitytoken, credentials?.registrytoken];
  return secrets.reduce<string>(
    (clean, secret) => (secret ? clean.replaceAll(secret, "***") : clean),
    messageOf(text),
  );
}
