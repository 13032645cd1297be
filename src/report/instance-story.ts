/** Of the states of an instance, those that its owner wants to read about, each once. */
import type { InstanceChanged } from "../resources/events.ts";
import { formatDuration } from "./figures.ts";

export interface Told {
  readonly tone: "plain" | "good" | "warning" | "bad";
  readonly text: string;
}

interface Story {
  readonly startedAt: number;
  ready: boolean;
  stopping: boolean;
}

export class InstanceStories {
  readonly #stories = new Map<string, Story>();

  /**
   * `quiet`: its revision is being brought up for the first time, and that is told as one story of the revision; only
   * failures are told here. `now`: real ms.
   */
  tell(event: InstanceChanged, now: number, quiet: boolean): Told | undefined {
    const story = this.#stories.get(event.instance) ?? { startedAt: now, ready: false, stopping: false };
    this.#stories.set(event.instance, story);
    switch (event.to) {
      case "starting":
        return quiet ? undefined : told("plain", "starting", event.reason);
      case "ready":
        return this.#ready(story, now, quiet);
      case "unready":
        return told("warning", "not ready any more", event.reason);
      case "draining":
      case "terminating":
        return stopping(story, event.reason);
      case "failed":
        return told("bad", "failed", event.reason);
      case "pending":
        return undefined;
      case "gone":
        this.#stories.delete(event.instance);
        return undefined;
    }
  }

  #ready(story: Story, now: number, quiet: boolean): Told | undefined {
    const again = story.ready;
    story.ready = true;
    if (again) return told("good", "ready again", "");
    return quiet ? undefined : told("good", `ready after ${formatDuration(now - story.startedAt)}`, "");
  }
}

/** Draining and terminating are one thing to people. */
function stopping(story: Story, reason: string): Told | undefined {
  if (story.stopping) return undefined;
  story.stopping = true;
  return told("plain", "stopping", reason);
}

function told(tone: Told["tone"], what: string, reason: string): Told {
  return { tone, text: reason === "" ? what : `${what}: ${reason}` };
}
