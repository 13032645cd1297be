/** What the session has done, for its last line. */
import type { PlatformEvent } from "../resources/events.ts";
import { count, formatDuration } from "./figures.ts";

export class Tally {
  #startedAt: number | undefined;
  #requests = 0;
  #coldStarts = 0;
  #ours = 0;
  #errors = 0;
  readonly #revisions = new Set<string>();
  readonly #instances = new Set<string>();

  /** `now`: real ms. */
  add(event: PlatformEvent, now: number): void {
    if (event.type === "session.started") this.#startedAt = now;
    if (event.type === "revision.created") this.#revisions.add(`${event.namespace}/${event.revision}`);
    if (event.type === "instance.state") this.#instances.add(event.instance);
    if (event.type !== "request.completed") return;
    this.#requests += 1;
    if (event.coldStart) this.#coldStarts += 1;
    if (event.reason !== undefined) this.#ours += 1;
    else if (event.status >= 500) this.#errors += 1;
  }

  /** Undefined where no session has begun: there is nothing to sum up. */
  summary(now: number): string | undefined {
    if (this.#startedAt === undefined) return undefined;
    const notes = [
      ...(this.#coldStarts > 0 ? [count(this.#coldStarts, "cold start")] : []),
      ...(this.#errors > 0 ? [`${this.#errors} failed in the app`] : []),
      ...(this.#ours > 0 ? [`${this.#ours} cut or answered by the platform`] : []),
    ];
    const requests = count(this.#requests, "request") + (notes.length > 0 ? ` (${notes.join(", ")})` : "");
    const made = `${count(this.#revisions.size, "revision")}, ${count(this.#instances.size, "instance")}`;
    return `stopped after ${formatDuration(now - this.#startedAt)}: ${requests}, ${made}`;
  }
}
