/** What is under way: builds, pulls and revisions that come up, as the lines of the live block. Times are real ms. */
import type { BuildProgress } from "../resources/events.ts";
import { formatBytes, formatDuration } from "./figures.ts";
import { safeText } from "./safe-text.ts";
import type { Theme } from "./theme.ts";

interface Task {
  readonly subject: string;
  readonly verb: string;
  readonly startedAt: number;
  step: string;
  output: string;
  readonly transfers: Map<string, { current: number; total: number }>;
}

const VERBS = { build: "building", pull: "pulling", find: "looking for the image" } as const;
const BAR_CELLS = 16;

export class ProgressBoard {
  readonly #tasks = new Map<string, Task>();

  get idle(): boolean {
    return this.#tasks.size === 0;
  }

  /** Resolves `done` and `failed` to the real ms that the task took. */
  apply(event: BuildProgress, now: number): number | undefined {
    const key = `${event.phase} ${event.service}`;
    const message = safeText(event.message, false).replaceAll("\t", " ");
    if (event.status === "done" || event.status === "failed") return this.finish(key, now);
    const task = this.start(key, event.service, VERBS[event.phase], now);
    if (event.status === "transfer") {
      task.transfers.set(event.id ?? message, { current: event.current ?? 0, total: event.total ?? 0 });
    } else if (event.status === "output") {
      task.output = message.trim();
    } else {
      task.step = message;
      task.output = "";
    }
    return undefined;
  }

  /** Begins a task, or returns it when it is under way. */
  start(key: string, subject: string, verb: string, now: number): Task {
    const running = this.#tasks.get(key);
    if (running !== undefined) return running;
    const task: Task = { subject, verb, startedAt: now, step: "", output: "", transfers: new Map() };
    this.#tasks.set(key, task);
    return task;
  }

  finish(key: string, now: number): number | undefined {
    const task = this.#tasks.get(key);
    this.#tasks.delete(key);
    return task === undefined ? undefined : now - task.startedAt;
  }

  clear(): void {
    this.#tasks.clear();
  }

  lines(now: number, frame: number, theme: Theme): string[] {
    const spinner = theme.marks.spinner[frame % theme.marks.spinner.length] ?? "";
    return [...this.#tasks.values()].flatMap((task) => {
      const elapsed = theme.dim(formatDuration(now - task.startedAt));
      const parts = [
        theme.name(task.subject)(task.subject),
        task.verb,
        elapsed,
        bytesOf(task, theme),
        task.step,
      ];
      const head = `${theme.accent(spinner)} ${parts.filter((part) => part !== "").join("  ")}`;
      return task.output === "" ? [head] : [head, theme.dim(`    ${task.output}`)];
    });
  }
}

function bytesOf(task: Task, theme: Theme): string {
  if (task.transfers.size === 0) return "";
  let current = 0;
  let total = 0;
  let known = true;
  for (const transfer of task.transfers.values()) {
    current += transfer.current;
    total += transfer.total;
    known &&= transfer.total > 0;
  }
  if (!known || total === 0) return formatBytes(current);
  const share = Math.min(1, current / total);
  const full = Math.round(share * BAR_CELLS);
  const bar =
    theme.accent(theme.marks.barFull.repeat(full)) + theme.dim(theme.marks.barEmpty.repeat(BAR_CELLS - full));
  return `${bar} ${Math.floor(share * 100)} %  ${formatBytes(current)} / ${formatBytes(total)}`;
}
