/** A failed build in words: which step, what it printed, where it stands in the Dockerfile. */
import path from "node:path";
import { KserveLocalError } from "../../kernel/errors.ts";
import type { BuildSource } from "../engine.ts";
import type { Instruction } from "../process/dockerfile-instructions.ts";
import type { FailedStep } from "./build-trace.ts";
import { lineOfStep } from "./dockerfile.ts";

export function buildFailure(
  source: BuildSource,
  instructions: readonly Instruction[],
  error: string,
  step: FailedStep | undefined,
): KserveLocalError {
  const line = lineIn(error) ?? (step === undefined ? undefined : lineOfStep(instructions, step.name));
  const reason = readable(error);
  return new KserveLocalError("build-failed", {
    what:
      step === undefined
        ? `The build of ${source.tag} failed`
        : `The build of ${source.tag} failed at ${step.name}`,
    why: [...(step?.lines ?? []), reason].join("\n"),
    fix: fixFor(error, source),
    at: { file: path.join(source.context, source.dockerfile), ...(line === undefined ? {} : { line }) },
  });
}

function lineIn(error: string): number | undefined {
  const found = /(?:parse error (?:on )?line|Dockerfile:|line) ?(\d+)/i.exec(error)?.[1];
  return found === undefined || !/dockerfile/i.test(error) ? undefined : Number(found);
}

/** BuildKit repeats the whole command around the one thing that matters. */
function readable(error: string): string {
  const code = /exit code: (\d+)$/.exec(error)?.[1] ?? /returned a non-zero code: (\d+)/.exec(error)?.[1];
  return code === undefined ? error : `The command ended with exit code ${code}`;
}

function fixFor(error: string, source: BuildSource): string {
  if (/pull access denied|unauthorized|no basic auth|insufficient_scope|denied/i.test(error)) {
    return "Check the base image's name in FROM; if it is private, docker login to its registry";
  }
  if (/no match for platform|no matching manifest/i.test(error))
    return "Choose a base image that exists for linux/amd64";
  if (
    /manifest unknown|not found: not found|failed to resolve source metadata|: not found$/i.test(error) &&
    /\bFROM\b|docker\.io|manifest|metadata/i.test(error)
  ) {
    return "Check the base image's name and tag in FROM, and the network";
  }
  if (/failed to compute cache key|COPY failed|no source files|failed to calculate checksum/i.test(error)) {
    return "The file has to exist in the build context and must not be excluded by .dockerignore";
  }
  if (/failed to reach build target|target stage .* could not be found/i.test(error))
    return "Name a stage that the Dockerfile has (FROM … AS <name>)";
  if (/parse error|unknown instruction/i.test(error)) return "Correct the Dockerfile";
  return `Correct the step; the same by hand: docker build --platform linux/amd64 -f ${path.join(source.context, source.dockerfile)} ${source.context}`;
}
