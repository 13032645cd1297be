/**
 * Events -> lines for people. Knows what was said before (so that the first deployment is one story and not six
 * lines), and nothing of terminals: the console decides when and where the lines are written.
 */
import type {
  BuildProgress,
  InstanceChanged,
  PlatformEvent,
  ProblemFound,
  RevisionScaled,
  SessionStarted,
  WatchEvent,
} from "../resources/events.ts";
import { count, formatDuration } from "./figures.ts";
import { InstanceStories } from "./instance-story.ts";
import { shortInstance } from "./line.ts";
import { LogLines } from "./log-lines.ts";
import { problemLines, showPath } from "./problem-lines.ts";
import { type ReadyOptions, ReadyStories } from "./ready-story.ts";
import { requestLine, requestSubject } from "./request-line.ts";
import type { Theme } from "./theme.ts";
import { type Said, Voice, type VoiceOptions } from "./voice.ts";

export interface NarratorOptions extends VoiceOptions, ReadyOptions {
  /** Progress is shown live, so that steps need no lines of their own. */
  readonly live: boolean;
  readonly raw: boolean;
  readonly requests: boolean;
  readonly cwd: string;
}

/** The name before lines that belong to no service. */
const US = "kserve-local";
const MOST_FILES = 3;

export class Narrator {
  readonly #options: NarratorOptions;
  readonly #theme: Theme;
  readonly #voice: Voice;
  readonly #logs: LogLines;
  readonly #ready: ReadyStories;
  readonly #instances = new InstanceStories();
  /** Revisions created and not yet ready. */
  readonly #rising = new Set<string>();
  /** Service -> the revision that serves it. */
  readonly #serving = new Map<string, string>();
  /** The message of the last problem: what fails because of it need not repeat it. */
  #lastProblem: string | undefined;

  constructor(options: NarratorOptions) {
    this.#options = options;
    this.#theme = options.stderrTheme;
    this.#voice = new Voice(options);
    this.#logs = new LogLines(options.stdoutTheme, options.raw);
    this.#ready = new ReadyStories(options, this.#voice);
  }

  /** `now`: real ms. `took`: how long the task ran that this event ends. */
  tell(event: PlatformEvent, now: number, took?: number): Said[] {
    switch (event.type) {
      case "session.started":
        return this.#sessionStarted(event, now);
      case "engine.chosen":
        return this.ours(US, `engine: ${event.title}${event.reason === "" ? "" : ` (${event.reason})`}`);
      case "service.ready":
        this.#serving.set(`${event.namespace}/${event.service}`, event.revision);
        return this.#ready.tell(event, now);
      case "service.failed": {
        const serving = this.#serving.get(`${event.namespace}/${event.service}`);
        const what = this.#isTold(event.message) ? "not ready" : `${event.reason}: ${event.message}`;
        return this.#voice.bad(
          event.service,
          serving === undefined ? what : `${what}; ${serving} keeps serving`,
        );
      }
      case "service.removed":
        return this.ours(event.service, "removed");
      case "revision.created":
        this.#rising.add(event.revision);
        this.#ready.workBegins(event.service, now);
        return this.ours(event.revision, `created: ${event.reason}`);
      case "revision.ready":
        this.#rising.delete(event.revision);
        return this.#voice.good(
          event.revision,
          took === undefined ? "ready" : `ready in ${formatDuration(took)}`,
        );
      case "revision.failed":
        this.#rising.delete(event.revision);
        this.#ready.workFailed(event.service);
        return this.#isTold(event.message)
          ? []
          : this.#voice.bad(event.revision, `${event.reason}: ${event.message}`);
      case "revision.scaled":
        return this.#scaled(event);
      case "instance.state":
        return this.#instanceChanged(event, now);
      case "request.completed": {
        if (!this.#options.requests) return [];
        const line = requestLine(event, this.#theme, this.#options.columns("stderr"));
        return this.#voice.say("stderr", requestSubject(event), this.#theme.marks.ours, line);
      }
      case "log":
        return this.#voice.quote(this.#logs.name(event), this.#logs.mark(event), this.#logs.text(event));
      case "build.progress":
        return this.#buildProgress(event, now, took);
      case "watch.change":
        return this.ours(US, `${this.#files(event)} changed: ${event.decision}`);
      case "problem":
        this.#lastProblem = event.message;
        return this.#problem(event);
      case "notice":
        return this.ours(US, event.message);
      case "session.stopping":
        return this.ours(US, `stopping: ${event.reason}`);
    }
  }

  #isTold(message: string): boolean {
    return this.#lastProblem !== undefined && message.includes(this.#lastProblem);
  }

  /** A line of ours on stderr. */
  ours(name: string, text: string): Said[] {
    return this.#voice.ours(name, text);
  }

  /** Apart from what stands around it, where people watch. */
  #problem(event: ProblemFound): Said[] {
    const lines = problemLines(event, this.#theme, this.#options.cwd, this.#options.columns("stderr"));
    return [{ to: "stderr", lines: this.#options.live && lines.length > 1 ? ["", ...lines, ""] : lines }];
  }

  #sessionStarted(event: SessionStarted, now: number): Said[] {
    this.#ready.sessionBegins(now);
    const scale = event.timeScale === 1 ? "" : `, platform time runs ${event.timeScale} times as fast`;
    return this.ours(US, `listening on ${event.url}, profile ${event.profile}${scale}`);
  }

  /** What a new revision does first is told by `created` and `ready`. */
  #scaled(event: RevisionScaled): Said[] {
    if (this.#rising.has(event.revision) || event.desired === event.actual) return [];
    const { arrow } = this.#theme.marks;
    return this.ours(
      event.revision,
      `${event.actual} ${arrow} ${count(event.desired, "instance")}: ${event.reason}`,
    );
  }

  #instanceChanged(event: InstanceChanged, now: number): Said[] {
    const told = this.#instances.tell(event, now, this.#rising.has(event.revision));
    if (told === undefined) return [];
    const name = shortInstance(event.instance, event.revision);
    if (told.tone === "bad") return this.#voice.bad(name, told.text);
    if (told.tone === "good") return this.#voice.good(name, told.text);
    return told.tone === "warning" ? this.#voice.warning(name, told.text) : this.ours(name, told.text);
  }

  #buildProgress(event: BuildProgress, now: number, took: number | undefined): Said[] {
    const time = took === undefined ? "" : ` in ${formatDuration(took)}`;
    if (event.status === "start") this.#ready.workBegins(event.service, now);
    if (event.status === "failed") {
      this.#ready.workFailed(event.service);
      return this.#voice.bad(event.service, `${FAILED[event.phase]}${time}: ${event.message}`);
    }
    // That an image was found says nothing new: the pull or the revision follows.
    if (event.status === "done")
      return event.phase === "find" ? [] : this.#voice.good(event.service, `${DONE[event.phase]}${time}`);
    if (this.#options.live || event.status === "transfer" || event.phase === "find") return [];
    if (event.status === "start") return this.ours(event.service, `${event.phase}: ${event.message}`);
    return this.ours(event.service, event.status === "output" ? `  ${event.message}` : event.message);
  }

  #files(event: WatchEvent): string {
    const shown = event.files.slice(0, MOST_FILES).map((file) => showPath(file, this.#options.cwd));
    const more = event.files.length - shown.length;
    return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
  }
}

const DONE = { build: "built", pull: "pulled", find: "found" } as const;
const FAILED = { build: "build failed", pull: "pull failed", find: "image not found" } as const;
