/** One JSON object a line on stdout for each event: the contract of docs/events.md. */
import type { PlatformEvent } from "../resources/events.ts";
import { guardOutput, type Output } from "./output.ts";

export interface Reporter {
  /** For EventBus.subscribe. */
  readonly listener: (event: PlatformEvent) => void;
  /** Prints what is left to say and gives the terminal back. Idempotent. */
  close(): void;
}

export interface JsonOptions {
  readonly stdout: Output;
  /** The reader has gone (EPIPE): called once; nothing is written from then on. */
  readonly onClosed?: (error: NodeJS.ErrnoException) => void;
}

export function createJsonReporter({ stdout, onClosed }: JsonOptions): Reporter {
  const output = guardOutput(stdout, onClosed);
  return {
    // One write a line, newline included: lines never interleave.
    listener: (event) => output.write(`${jsonLine(event)}\n`),
    close: () => output.close(),
  };
}

/** `time` as RFC 3339 in UTC with milliseconds, then `type`, then the event's own fields. */
export function jsonLine(event: PlatformEvent): string {
  const { time, type, ...fields } = event;
  return JSON.stringify({ time: new Date(time).toISOString(), type, ...fields }, rounded);
}

/** Milliseconds to the microsecond: more digits are noise. */
function rounded(key: string, value: unknown): unknown {
  return key.endsWith("Ms") && typeof value === "number" ? Math.round(value * 1000) / 1000 : value;
}
