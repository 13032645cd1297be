/**
 * Codes of what the user can mend (their file, their app, their machine) and of what we got wrong.
 * Each maps to one exit code; the table is documented in docs/exit-codes.md and never changes meaning.
 */
const EXIT_CODES = {
  // user's set
  "app-failed": 1,
  "check-failed": 1,
  usage: 2,
  "manifest-invalid": 2,
  "manifest-not-found": 2,
  "port-taken": 2,
  "engine-unreachable": 3,
  "engine-unsupported": 3,
  "build-failed": 4,
  "pull-failed": 4,
  "image-missing": 4,
  "image-platform": 4,
  "registry-denied": 4,
  "start-failed": 5,
  "not-ready": 5,
  // system's set
  "engine-error": 3,
  "engine-lost": 3,
  internal: 70,
} as const;

export type ErrorCode = keyof typeof EXIT_CODES;

/** Where in the user's files the cause stands; line and column count from 1. */
export interface SourcePosition {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

export interface ErrorDetails {
  /** What happened, one line, no full stop needed. */
  readonly what: string;
  /** Why, as far as known: evidence such as the last log lines, one entry a line. */
  readonly why?: string;
  /** What the user can do about it. */
  readonly fix?: string;
  readonly at?: SourcePosition;
  readonly cause?: unknown;
}

/** The one error class that crosses layers. `message` is `what`; console and JSON print the parts. */
export class KserveLocalError extends Error {
  readonly code: ErrorCode;
  readonly why: string | undefined;
  readonly fix: string | undefined;
  readonly at: SourcePosition | undefined;

  constructor(code: ErrorCode, details: ErrorDetails) {
    super(details.what, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "KserveLocalError";
    this.code = code;
    this.why = details.why;
    this.fix = details.fix;
    this.at = details.at;
  }

  get exitCode(): number {
    return EXIT_CODES[this.code];
  }
}

export function isKserveLocalError(error: unknown, code?: ErrorCode): error is KserveLocalError {
  return error instanceof KserveLocalError && (code === undefined || error.code === code);
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
