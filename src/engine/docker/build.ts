/**
 * Builds an image for linux/amd64 through the engine's API rather than by `docker build`: no docker CLI has to be
 * installed (or match), the build happens in the engine that runs the image, whatever context the CLI has, and its progress
 * is data instead of text for a terminal. BuildKit where the engine has it, else the classic builder.
 */
import { readFile } from "node:fs/promises";
import path from "node:path";
import type Docker from "dockerode";
import type { Artifact, BuildSource, PrepareOptions } from "../engine.ts";
import { type Instruction, readInstructions } from "../process/dockerfile-instructions.ts";
import { buildFailure } from "./build-failure.ts";
import { type BuildRequest, buildMessages } from "./build-request.ts";
import { openSession } from "./build-session.ts";
import { BuildTrace, type FailedStep } from "./build-trace.ts";
import { ClassicTrace } from "./classic-trace.ts";
import { engineFailure, engineWords, isConnectionError, statusOf } from "./client.ts";
import { type CredentialSource, findCredentials, type RegistryCredentials } from "./credentials.ts";
import { baseImages } from "./dockerfile.ts";
import type { EngineFacts } from "./facts.ts";
import { inspectImage, toArtifact } from "./inspect.ts";
import { parseReference } from "./reference.ts";

interface Build extends BuildRequest {
  readonly instructions: readonly Instruction[];
  readonly around: CredentialSource;
}

interface Outcome {
  /** The image's id, where the builder told it. */
  readonly id?: string;
  readonly error?: string;
  readonly step?: FailedStep | undefined;
}

/** Answers of an engine, or of a proxy before it, that lets nobody call back. */
const NO_SESSIONS = new Set([403, 404, 501]);

/** Throws KserveLocalError `build-failed` or `image-platform`, or the signal's reason; an abort cancels the build. */
export async function buildImage(
  docker: Docker,
  source: BuildSource,
  facts: EngineFacts,
  around: CredentialSource,
  options: PrepareOptions,
): Promise<Artifact> {
  const build: Build = { docker, source, instructions: await readDockerfile(source), around, options };
  // The docker CLI's own switch.
  const buildkit = facts.buildkit && around.env["DOCKER_BUILDKIT"] !== "0";
  const outcome = await run(build, buildkit ? withBuildKit : withClassic);
  if (outcome.error !== undefined)
    throw buildFailure(source, build.instructions, outcome.error, outcome.step);
  const image = await inspectImage(docker, outcome.id ?? source.tag);
  if (image === undefined)
    throw buildFailure(source, build.instructions, "The build ended without an image", undefined);
  return toArtifact(image, source.tag, "built");
}

async function readDockerfile(source: BuildSource): Promise<readonly Instruction[]> {
  const file = path.join(source.context, source.dockerfile);
  try {
    return readInstructions(await readFile(file, "utf8")).instructions;
  } catch (error) {
    throw buildFailure(
      source,
      [],
      `${file} can't be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
      undefined,
    );
  }
}

async function run(build: Build, builder: (build: Build) => Promise<Outcome>): Promise<Outcome> {
  const { signal } = build.options;
  signal.throwIfAborted();
  try {
    const outcome = await builder(build);
    signal.throwIfAborted();
    return outcome;
  } catch (error) {
    signal.throwIfAborted();
    if (isConnectionError(error)) throw engineFailure(error, `building ${build.source.tag}`);
    // A refusal before the build begins, such as a mistake in the Dockerfile; anything else is ours or the context's.
    if (statusOf(error) === undefined) throw error;
    return { error: engineWords(error) };
  }
}

async function withBuildKit(build: Build): Promise<Outcome> {
  const { docker, around, options } = build;
  const session = await openSession(docker, (registry) =>
    findCredentials(registry, around, options.signal),
  ).catch((error: unknown) => {
    if (NO_SESSIONS.has(statusOf(error) ?? 0)) return undefined;
    throw error;
  });
  if (session === undefined) return withClassic(build);
  try {
    const trace = new BuildTrace((progress) => options.onProgress(progress));
    let id: string | undefined;
    let error: string | undefined;
    for await (const message of buildMessages(build, { version: "2", session: session.id })) {
      const { aux } = message;
      if (message["id"] === "moby.buildkit.trace" && typeof aux === "string") trace.apply(aux);
      id = imageId(aux) ?? id;
      error = errorIn(message) ?? error;
    }
    return {
      ...(id === undefined ? {} : { id }),
      ...(error === undefined ? {} : { error, step: trace.failed() }),
    };
  } finally {
    session.close();
  }
}

async function withClassic(build: Build): Promise<Outcome> {
  const trace = new ClassicTrace((progress) => build.options.onProgress(progress));
  const registries = await credentialsOfBases(build);
  let id: string | undefined;
  let error: string | undefined;
  for await (const message of buildMessages(build, { rm: "1", forcerm: "1" }, registries)) {
    trace.apply(message);
    id = imageId(message["aux"]) ?? id;
    error = errorIn(message) ?? error;
  }
  trace.finish(error);
  return {
    ...(id === undefined ? {} : { id }),
    ...(error === undefined ? {} : { error, step: trace.failed() }),
  };
}

/** The classic builder can't ask: it is given what it may need beforehand. */
async function credentialsOfBases(build: Build): Promise<Record<string, RegistryCredentials>> {
  const registries = new Set(baseImages(build.instructions).map((image) => parseReference(image).registry));
  const found: Record<string, RegistryCredentials> = {};
  for (const registry of registries) {
    const credentials = await findCredentials(registry, build.around, build.options.signal);
    if (credentials !== undefined) found[credentials.serveraddress] = credentials;
  }
  return found;
}

function imageId(aux: unknown): string | undefined {
  const id = typeof aux === "object" && aux !== null ? (aux as { ID?: unknown }).ID : undefined;
  return typeof id === "string" ? id : undefined;
}

function errorIn(message: Readonly<Record<string, unknown>>): string | undefined {
  const detail = message["errorDetail"] as { message?: unknown } | undefined;
  if (typeof detail?.message === "string") return detail.message;
  return typeof message["error"] === "string" ? message["error"] : undefined;
}
