/** The call that builds: the context goes up, messages come down. */
import type { Readable } from "node:stream";
import type Docker from "dockerode";
import { packContext } from "../build-context.ts";
import type { BuildSource, PrepareOptions } from "../engine.ts";
import { dial } from "./client.ts";
import { PLATFORM } from "./inspect.ts";
import { LABEL } from "./labels.ts";
import { jsonLines } from "./ndjson.ts";

export interface BuildRequest {
  readonly docker: Docker;
  readonly source: BuildSource;
  readonly options: PrepareOptions;
}

/** What the builder says, to the end. Throws the context's own error where that is what broke the connection. */
export async function* buildMessages(
  build: BuildRequest,
  more: Readonly<Record<string, string>>,
  registryconfig?: object,
): AsyncGenerator<Record<string, unknown>> {
  const { docker, source, options } = build;
  const context = packContext(source.context, source.dockerfile);
  let failure: unknown;
  context.once("error", (error) => (failure = error));
  reportUpload(context, options);
  try {
    const stream = await dial<Readable>(docker, {
      method: "POST",
      path: `/build?${query(source, more)}`,
      file: context,
      isStream: true,
      abortSignal: options.signal,
      ...(registryconfig === undefined ? {} : { registryconfig }),
      statusCodes: { 200: true },
    });
    yield* jsonLines(stream);
  } catch (error) {
    throw failure ?? error;
  } finally {
    // A build may be refused before all was sent.
    context.destroy();
  }
}

function query(source: BuildSource, more: Readonly<Record<string, string>>): string {
  const parameters = new URLSearchParams({
    t: source.tag,
    dockerfile: source.dockerfile,
    platform: PLATFORM,
    buildargs: JSON.stringify(source.buildArgs),
    // Nothing of the session: a label is part of the image, and equal sources must give an equal id.
    labels: JSON.stringify({ [LABEL.role]: "build" }),
    ...(source.target === undefined ? {} : { target: source.target }),
    ...(source.pullBase ? { pull: "1" } : {}),
    ...more,
  });
  return parameters.toString();
}

function reportUpload(context: Readable, options: PrepareOptions): void {
  let current = 0;
  context.on("data", (chunk: Buffer) => {
    current += chunk.length;
    options.onProgress({ kind: "transfer", id: "context", what: "build context", current, total: 0 });
  });
}
