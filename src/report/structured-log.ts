/**
 * One-line reading of JSON logs: Google's structured logging (`severity`, `message`), and the same with the names that
 * the common logging libraries give (`level`, `msg`). https://docs.cloud.google.com/logging/docs/structured-logging
 */

export interface StructuredLog {
  /** Upper case; `DEFAULT` where the line has none. */
  readonly severity: string;
  readonly message: string;
  /** What else was in the entry, as `key=value`. */
  readonly fields: readonly string[];
}

/** Not worth a column: the time is now, the rest is for the log's own machinery. */
const LEFT_OUT = new Set([
  "severity",
  "level",
  "message",
  "msg",
  "time",
  "timestamp",
  "timestampSeconds",
  "timestampNanos",
]);
const LEFT_OUT_PREFIX = "logging.googleapis.com/";
/** Bunyan's and pino's numbers. */
const NUMERIC_LEVELS: Readonly<Record<number, string>> = {
  10: "DEBUG",
  20: "DEBUG",
  30: "INFO",
  40: "WARNING",
  50: "ERROR",
  60: "CRITICAL",
};

/** Undefined where the line is not a JSON log entry: then it is shown as it is. */
export function parseStructuredLog(line: string): StructuredLog | undefined {
  const text = line.trim();
  if (!text.startsWith("{") || !text.endsWith("}")) return undefined;
  const entry = parseObject(text);
  if (entry === undefined) return undefined;
  const message = entry["message"] ?? entry["msg"];
  if (typeof message !== "string") return undefined;
  const severity = severityOf(entry["severity"] ?? entry["level"]);
  if (severity === undefined) return undefined;
  return { severity, message, fields: fieldsOf(entry) };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function severityOf(value: unknown): string | undefined {
  if (value === undefined) return "DEFAULT";
  if (typeof value === "number") return NUMERIC_LEVELS[value];
  return typeof value === "string" ? value.toUpperCase() : undefined;
}

function fieldsOf(entry: Record<string, unknown>): string[] {
  return Object.entries(entry)
    .filter(([key]) => !LEFT_OUT.has(key) && !key.startsWith(LEFT_OUT_PREFIX))
    .map(([key, value]) => `${key}=${showValue(value)}`);
}

function showValue(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value);
  return value === "" || /[\s"=]/.test(value) ? JSON.stringify(value) : value;
}
