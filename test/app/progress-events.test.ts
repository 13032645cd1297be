import { describe, expect, it } from "vitest";
import { progressEvents } from "../../src/app/progress-events.ts";
import type { Artifact, ImageSource } from "../../src/engine/engine.ts";
import type { PlatformEventBody } from "../../src/resources/events.ts";

const ARTIFACT = { id: "sha256:1" } as Artifact;
const REFERENCE: ImageSource = { kind: "reference", reference: "node:22-slim", pull: "missing" };

function told(act: (progress: ReturnType<typeof progressEvents>) => void): string[] {
  const events: PlatformEventBody[] = [];
  act(progressEvents("hello", REFERENCE, (event) => events.push(event)));
  return events.map((event) =>
    event.type === "build.progress" ? `${event.phase} ${event.status}` : event.type,
  );
}

describe("the progress of an image that is referred to", () => {
  it("is found where nothing is pulled", () => {
    expect(told((progress) => progress.done(ARTIFACT))).toEqual(["find start", "find done"]);
  });

  it("is pulled from the engine's first step on", () => {
    const events = told((progress) => {
      progress.report({ kind: "step", name: "pull node:22-slim", status: "start" });
      progress.report({ kind: "transfer", id: "layer", what: "layer", current: 1, total: 2 });
      progress.failed(new Error("refused"));
    });
    expect(events).toEqual([
      "find start",
      "find done",
      "pull start",
      "pull step",
      "pull transfer",
      "pull failed",
    ]);
  });
});
