/** The moment that people wait for: the URL, and how long it took them to get there. All times are real ms. */
import type { ServiceReady } from "../resources/events.ts";
import { displayWidth, padTo } from "./display-width.ts";
import { formatDuration } from "./figures.ts";
import type { Theme } from "./theme.ts";
import type { Said, Voice } from "./voice.ts";

export interface ReadyOptions {
  readonly stdoutTheme: Theme;
  readonly stderrTheme: Theme;
  /** The first URL of a service stands in a block of its own: stdout is a terminal. */
  readonly resultBlock: boolean;
  /** Said once, below the first block. */
  readonly hint: string | undefined;
}

export class ReadyStories {
  readonly #options: ReadyOptions;
  readonly #voice: Voice;
  /** Services that have been ready, by namespace and name. */
  readonly #known = new Set<string>();
  /** Service -> when the work on its next revision began. */
  readonly #workSince = new Map<string, number>();
  #sessionSince: number | undefined;
  #hinted = false;

  constructor(options: ReadyOptions, voice: Voice) {
    this.#options = options;
    this.#voice = voice;
  }

  sessionBegins(now: number): void {
    this.#sessionSince = now;
  }

  workBegins(service: string, now: number): void {
    if (!this.#workSince.has(service)) this.#workSince.set(service, now);
  }

  /** The next attempt counts from its own change. */
  workFailed(service: string): void {
    this.#workSince.delete(service);
  }

  tell(event: ServiceReady, now: number): Said[] {
    const id = `${event.namespace}/${event.service}`;
    const again = this.#known.has(id);
    this.#known.add(id);
    const workSince = this.#workSince.get(event.service);
    const since = again ? workSince : (this.#sessionSince ?? workSince);
    this.#workSince.delete(event.service);
    const took = since === undefined ? undefined : formatDuration(now - since);
    if (again || !this.#options.resultBlock) return this.#line(event, again, took);
    return [this.#block(event, took), ...this.#hint()];
  }

  #line(event: ServiceReady, again: boolean, took: string | undefined): Said[] {
    const theme = this.#options.stdoutTheme;
    const text = `${theme.url(event.url)}  ${again ? "now serves" : "ready, serves"} ${event.revision}`;
    const time = again ? `  ${took} after the change` : `  after ${took}`;
    const suffix = took === undefined ? "" : theme.dim(time);
    return this.#voice.say("stdout", event.service, theme.success(theme.marks.done), text + suffix);
  }

  #block(event: ServiceReady, took: string | undefined): Said {
    const theme = this.#options.stdoutTheme;
    const facts = [event.revision, ...(took === undefined ? [] : [`ready after ${took}`])];
    const lines = [
      "",
      `  ${theme.success(theme.marks.done)} ${theme.bold(event.service)}  ${theme.url(event.url)}`,
      `    ${padTo("", displayWidth(event.service))}  ${theme.dim(facts.join(` ${theme.marks.dot} `))}`,
      "",
    ];
    return { to: "stdout", lines };
  }

  #hint(): Said[] {
    const { hint, stderrTheme } = this.#options;
    if (this.#hinted || hint === undefined) return [];
    this.#hinted = true;
    return [{ to: "stderr", lines: [`    ${stderrTheme.dim(hint)}`, ""] }];
  }
}
