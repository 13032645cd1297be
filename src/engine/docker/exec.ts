/** Runs a command inside a container, for exec probes. */
import type { Readable } from "node:stream";
import type Docker from "dockerode";
import { KserveLocalError } from "../../kernel/errors.ts";
import type { ExecResult } from "../engine.ts";
import { engineWords, statusOf } from "./client.ts";
import { demultiplexer } from "./logs.ts";

const LONGEST_OUTPUT = 4096;

/**
 * Rejects with the signal's reason on abort (the command itself can't be stopped: the API has no call for that), and with
 * `engine-error` when the container is gone. `user` is `uid:gid`; absent: the container's own.
 */
export async function execIn(
  container: Docker.Container,
  command: readonly string[],
  signal: AbortSignal,
  user?: string,
): Promise<ExecResult> {
  signal.throwIfAborted();
  try {
    const exec = await container.exec({
      Cmd: [...command],
      AttachStdout: true,
      AttachStderr: true,
      ...(user === undefined ? {} : { User: user }),
      abortSignal: signal,
    });
    const stream = (await exec.start({ abortSignal: signal })) as unknown as Readable;
    const output = await collect(stream, signal);
    const { ExitCode: code } = await exec.inspect();
    return { exitCode: code ?? -1, output };
  } catch (error) {
    signal.throwIfAborted();
    if (statusOf(error) === undefined) throw error;
    throw new KserveLocalError("engine-error", {
      what: `The command could not run in the container`,
      why: engineWords(error),
      cause: error,
    });
  }
}

function collect(stream: Readable, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const kept: Buffer[] = [];
    let length = 0;
    const keep = (part: Buffer): void => {
      if (length >= LONGEST_OUTPUT) return;
      kept.push(Buffer.from(part.subarray(0, LONGEST_OUTPUT - length)));
      length += part.length;
    };
    const abort = (): void => void stream.destroy();
    signal.addEventListener("abort", abort, { once: true });
    stream.on("data", demultiplexer(keep, keep));
    stream.on("error", reject);
    stream.once("close", () => {
      signal.removeEventListener("abort", abort);
      if (signal.aborted)
        reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
      else resolve(Buffer.concat(kept).toString("utf8"));
    });
  });
}
