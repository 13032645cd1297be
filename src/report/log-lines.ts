/** A line of the app's output, as people see it. */
import type { AppLog } from "../resources/events.ts";
import { shortInstance } from "./line.ts";
import { safeText } from "./safe-text.ts";
import { parseStructuredLog } from "./structured-log.ts";
import type { Paint, Theme } from "./theme.ts";

export class LogLines {
  readonly #theme: Theme;
  readonly #raw: boolean;
  /** Containers seen of each revision: a name is shown only where there is more than one to tell apart. */
  readonly #containers = new Map<string, Set<string>>();

  constructor(theme: Theme, raw: boolean) {
    this.#theme = theme;
    this.#raw = raw;
  }

  name(event: AppLog): string {
    const seen = this.#containers.get(event.revision) ?? new Set();
    this.#containers.set(event.revision, seen.add(event.container));
    const instance = shortInstance(event.instance, event.revision);
    return seen.size > 1 ? `${instance}/${event.container}` : instance;
  }

  mark(event: AppLog): string {
    const { app } = this.#theme.marks;
    return event.stream === "stderr" ? this.#theme.warning(app) : this.#theme.dim(app);
  }

  text(event: AppLog): string {
    const keepColours = this.#theme.level > 0;
    const entry = this.#raw ? undefined : parseStructuredLog(event.line);
    if (entry === undefined) return safeText(event.line, keepColours);
    const paint = severityPaint(entry.severity, this.#theme);
    const severity = entry.severity === "DEFAULT" ? "" : `${paint(safeText(entry.severity, false))} `;
    // A message may hold a whole stack trace.
    const message = entry.message
      .trimEnd()
      .split("\n")
      .map((line) => safeText(line, keepColours))
      .join("\n");
    const fields = entry.fields.map((field) => safeText(field, false)).join(" ");
    return severity + message + (fields === "" ? "" : `  ${this.#theme.dim(fields)}`);
  }
}

function severityPaint(severity: string, theme: Theme): Paint {
  if (/^(?:ERROR|CRITICAL|ALERT|EMERGENCY|FATAL)$/.test(severity)) return theme.error;
  if (/^WARN(?:ING)?$/.test(severity)) return theme.warning;
  return /^(?:DEBUG|TRACE)$/.test(severity) ? theme.dim : theme.success;
}
