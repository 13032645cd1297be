/** One line for each request. */
import type { RequestCompleted } from "../resources/events.ts";
import { formatDuration } from "./figures.ts";
import { shortInstance } from "./line.ts";
import { safeText } from "./safe-text.ts";
import type { Paint, Theme } from "./theme.ts";

/** Longer paths are cut in the middle: both ends say more than it does. */
const LONGEST_PATH = 100;
const SHORTEST_PATH = 24;
/** Cells that the instance, the method, the status and the durations take. */
const ROOM_FOR_THE_REST = 60;
/** Queueing below this is not worth a word. */
const NOTABLE_QUEUE_MS = 50;
const CLIENT_WENT_AWAY = 499;

/** Who answered: the instance, else as much as the route knew. */
export function requestSubject(event: RequestCompleted): string {
  if (event.instance !== undefined) return shortInstance(event.instance, event.revision ?? "");
  return safeText(event.revision ?? event.service ?? event.host, false);
}

/** `columns`: width of the terminal, if it is one. */
export function requestLine(event: RequestCompleted, theme: Theme, columns?: number): string {
  const parts = [
    `${theme.bold(safeText(event.method, false))} ${shorten(safeText(event.path, false), columns)}`,
    statusPaint(event, theme)(String(event.status)),
    theme.dim(formatDuration(event.durationMs)),
    waiting(event, theme),
    why(event, theme),
  ];
  return parts.filter((part) => part !== "").join("  ");
}

function waiting(event: RequestCompleted, theme: Theme): string {
  if (event.coldStart) return theme.accent(`cold start ${formatDuration(event.queuedMs)}`);
  return event.queuedMs >= NOTABLE_QUEUE_MS ? theme.dim(`queued ${formatDuration(event.queuedMs)}`) : "";
}

function why(event: RequestCompleted, theme: Theme): string {
  if (event.reason === undefined)
    return event.status === CLIENT_WENT_AWAY ? theme.dim("the client went away") : "";
  const text = event.detail === undefined ? event.reason : `${event.reason}: ${event.detail}`;
  return statusPaint(event, theme)(safeText(text, false));
}

/** The app's own 4xx are its business; ours are marked, and everything from 500 is red. */
function statusPaint(event: RequestCompleted, theme: Theme): Paint {
  if (event.status === CLIENT_WENT_AWAY) return theme.dim;
  if (event.status >= 500) return theme.error;
  if (event.status >= 400 || event.reason !== undefined) return theme.warning;
  return theme.success;
}

function shorten(path: string, columns = Infinity): string {
  const most = Math.min(LONGEST_PATH, Math.max(SHORTEST_PATH, columns - ROOM_FOR_THE_REST));
  if (path.length <= most) return path;
  const half = Math.floor((most - 1) / 2);
  return `${path.slice(0, half)}…${path.slice(-half)}`;
}
