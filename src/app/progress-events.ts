/** Turns what an engine reports while it prepares an image into build.progress events. */
import type { Artifact, ImageSource, PrepareProgress } from "../engine/engine.ts";
import { messageOf } from "../kernel/errors.ts";
import type { BuildProgress, PlatformEventBody } from "../resources/events.ts";

export interface ProgressEvents {
  readonly report: (progress: PrepareProgress) => void;
  done(artifact: Artifact): void;
  failed(error: unknown): void;
}

export function progressEvents(
  service: string,
  source: ImageSource,
  emit: (event: PlatformEventBody) => void,
): ProgressEvents {
  // An image that is referred to is looked for first; the engine's first step is that it pulls.
  let phase: BuildProgress["phase"] = source.kind === "build" ? "build" : "find";
  const send = (
    status: BuildProgress["status"],
    message: string,
    numbers: { id?: string; current?: number; total?: number } = {},
  ): void => emit({ type: "build.progress", service, phase, status, message, ...numbers });
  send("start", describe(source));
  return {
    report(progress) {
      switch (progress.kind) {
        case "step": {
          if (phase === "find") {
            send("done", "to be pulled");
            phase = "pull";
            send("start", describe(source));
          }
          const took =
            progress.durationMs === undefined ? "" : ` (${(progress.durationMs / 1000).toFixed(1)} s)`;
          send(
            "step",
            progress.status === "start" ? progress.name : `${progress.name} ${progress.status}${took}`,
          );
          return;
        }
        case "output":
          send("output", progress.line);
          return;
        case "transfer":
          send("transfer", progress.what, {
            id: progress.id,
            current: progress.current,
            total: progress.total,
          });
          return;
        case "notice":
          emit({ type: "notice", message: progress.message });
      }
    },
    done: (artifact) => send("done", artifact.digest ?? artifact.id),
    failed: (error) => send("failed", messageOf(error)),
  };
}

function describe(source: ImageSource): string {
  switch (source.kind) {
    case "build":
      return `building ${source.context} (${source.dockerfile}) for linux/amd64`;
    case "host":
      return `using ${source.directory}`;
    case "reference":
      return source.reference;
  }
}
