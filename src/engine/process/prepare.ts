import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { KserveLocalError, messageOf } from "../../kernel/errors.ts";
import { hashContext } from "../build-context.ts";
import type { Artifact, HostSource, ImageSource, PrepareOptions } from "../engine.ts";
import { lastStage, type StageConfig } from "./dockerfile-stage.ts";
import type { HostLayout } from "./host-layout.ts";

export interface Prepared {
  readonly artifact: Artifact;
  readonly layout: HostLayout;
}

const NOTHING: Omit<StageConfig, "base"> = {
  entrypoint: [],
  cmd: [],
  env: [],
  workingDir: "/",
  user: "",
  exposedPorts: [],
};

/** Reads what to run from the Dockerfile; nothing is built. The id is a hash of the directory and all that is in it. */
export async function prepareOnHost(
  source: ImageSource,
  options: PrepareOptions,
  hostEnv: NodeJS.ProcessEnv,
): Promise<Prepared> {
  options.signal.throwIfAborted();
  if (source.kind !== "host") throw needsContainers(source);
  const stage = await readStage(source, hostEnv);
  options.signal.throwIfAborted();
  const content = await hashContext(source.directory, source.dockerfile);
  options.signal.throwIfAborted();
  const id = createHash("sha256")
    .update(`${source.directory}\0${source.dockerfile ?? ""}\0${content}`)
    .digest("hex");
  return {
    artifact: {
      id: `sha256:${id}`,
      reference: source.reference,
      entrypoint: stage.entrypoint,
      cmd: stage.cmd,
      env: stage.env,
      workingDir: source.directory,
      user: stage.user,
      exposedPorts: stage.exposedPorts,
      sizeBytes: 0,
    },
    layout: { directory: source.directory, imageDirectory: stage.workingDir },
  };
}

function needsContainers(source: Exclude<ImageSource, HostSource>): KserveLocalError {
  const what =
    source.kind === "build"
      ? `building ${posix.normalize(source.dockerfile)} needs a container engine`
      : `running the image ${source.reference} needs a container engine`;
  return new KserveLocalError("engine-unsupported", {
    what,
    why: "no container engine is used: instances run as processes of this machine",
    fix: "start a container engine (Docker, Podman, Colima, ...), or give the command to run after `--`",
  });
}

async function readStage(source: HostSource, hostEnv: NodeJS.ProcessEnv): Promise<Omit<StageConfig, "base">> {
  if (source.dockerfile === undefined) return NOTHING;
  const file = join(source.directory, source.dockerfile);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new KserveLocalError("build-failed", {
      what: `cannot read ${file}`,
      why: messageOf(cause),
      fix: "create it, or give the command to run after `--`",
      cause,
    });
  }
  const stage = lastStage({ text, file, baseEnv: { PATH: hostEnv["PATH"] ?? "" } });
  if (stage !== undefined) return stage;
  throw new KserveLocalError("build-failed", {
    what: `${file} has no FROM`,
    why: "a Dockerfile needs at least one stage",
    fix: "write one, or give the command to run after `--`",
    at: { file },
  });
}
