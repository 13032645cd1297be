/** What went wrong between us and the app: in the words of Go's proxy, which Knative's users know, and as a diagnosis. */
import { goQuote } from "./go-quote.ts";

export type Diagnosis =
  /** Nobody listens on the port. */
  | "refused"
  /** The address can't be reached: no route, timed out, no such name. */
  | "unreachable"
  /** The app's side reset the connection before a response. */
  | "reset"
  /** The app closed the connection before a response, or in the middle of its head. */
  | "eof"
  /** What came is no HTTP/1.1 response. */
  | "malformed"
  /** The app speaks TLS on its port. */
  | "tls"
  /** The app speaks HTTP/2 (gRPC, say) on a port that isn't named h2c. */
  | "http2"
  /** The response broke off after it had begun. */
  | "truncated"
  | "other";

export interface UpstreamFailure {
  readonly error: Error;
  /** As Go's reverse proxy words it, without a newline. */
  readonly goMessage: string;
  readonly diagnosis: Diagnosis;
  /** False only where it is certain that the app has seen nothing of the request. */
  readonly mayHaveReachedApp: boolean;
}

/** The app's answer can't be read, or not sent on: in the words of Go's transport. */
export function brokenAnswer(
  message: string,
  context = "net/http: HTTP/1.x transport connection broken: ",
): UpstreamFailure {
  return {
    error: new Error(message),
    goMessage: context + message,
    diagnosis: "malformed",
    mayHaveReachedApp: true,
  };
}

export interface FailureContext {
  /** `host:port` of the app, as shown to users. */
  readonly remote: string;
  /** `host:port` of our end; '' where it never got that far. */
  readonly local: string;
  /** Response bytes that had come for this request. */
  readonly received: number;
  /** A response head had come. */
  readonly responded: boolean;
}

interface NodeError extends Error {
  readonly code?: string;
  readonly syscall?: string;
  /** The bytes on which node's parser gave up. */
  readonly rawPacket?: Uint8Array;
}

/** Go's words for the kernel's errors, which are libc's. */
const ERRNO_TEXT: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset by peer",
  EPIPE: "broken pipe",
  ETIMEDOUT: "connection timed out",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "network is unreachable",
  EADDRNOTAVAIL: "cannot assign requested address",
  EACCES: "permission denied",
  EMFILE: "too many open files",
};

/** How Go's transport wraps what goes wrong once the first response byte has been read. */
const BROKEN = "net/http: HTTP/1.x transport connection broken: ";

export function upstreamFailure(thrown: Error, context: FailureContext): UpstreamFailure {
  // Node tries several addresses of a name and gathers what happened to each.
  const error = thrown instanceof AggregateError && thrown.errors.length > 0 ? thrown.errors[0] : thrown;
  const { goMessage, diagnosis, reached } = describe(error as NodeError, context);
  return { error: thrown, goMessage, diagnosis, mayHaveReachedApp: reached };
}

interface Description {
  readonly goMessage: string;
  readonly diagnosis: Diagnosis;
  readonly reached: boolean;
}

function describe(error: NodeError, context: FailureContext): Description {
  if (error.syscall === "connect" || error.syscall === "getaddrinfo") return describeDial(error, context);
  if (error.code?.startsWith("HPE_")) return describeMalformed(error, context);
  if (context.responded) return { goMessage: "unexpected EOF", diagnosis: "truncated", reached: true };
  const text = ERRNO_TEXT[error.code ?? ""];
  if (error.syscall !== undefined && text !== undefined) {
    const verb = error.syscall === "read" ? "read" : "write";
    const goMessage = `${verb} tcp ${context.local}->${context.remote}: ${verb}: ${text}`;
    return { goMessage, diagnosis: "reset", reached: true };
  }
  if (error.code === "ECONNRESET") {
    const goMessage = context.received > 0 ? `${BROKEN}unexpected EOF` : "EOF";
    return { goMessage, diagnosis: "eof", reached: true };
  }
  return { goMessage: error.message, diagnosis: "other", reached: true };
}

function describeDial(error: NodeError, { remote }: FailureContext): Description {
  const name = remote.replace(/:\d+$/, "");
  if (error.syscall === "getaddrinfo") {
    const goMessage = `dial tcp: lookup ${name}: no such host`;
    return { goMessage, diagnosis: "unreachable", reached: false };
  }
  const text = ERRNO_TEXT[error.code ?? ""] ?? error.message;
  const diagnosis = error.code === "ECONNREFUSED" ? "refused" : "unreachable";
  return { goMessage: `dial tcp ${remote}: connect: ${text}`, diagnosis, reached: false };
}

function describeMalformed(error: NodeError, context: FailureContext): Description {
  const bytes = error.rawPacket ?? new Uint8Array();
  if (context.responded) {
    return { goMessage: "invalid byte in chunk length", diagnosis: "truncated", reached: true };
  }
  if (error.code === "HPE_HEADER_OVERFLOW") {
    const goMessage = `${BROKEN}net/http: server response headers exceeded 1048576 bytes; aborted`;
    return { goMessage, diagnosis: "malformed", reached: true };
  }
  const goMessage = `${BROKEN}malformed HTTP response ${goQuote(firstLine(bytes))}`;
  return { goMessage, diagnosis: whatSpeaks(bytes), reached: true };
}

/** The start of a TLS record (alert or handshake, version 3.x), or of an HTTP/2 SETTINGS frame on stream 0. */
function whatSpeaks(bytes: Uint8Array): Diagnosis {
  if ((bytes[0] === 0x15 || bytes[0] === 0x16) && bytes[1] === 0x03) return "tls";
  if (
    bytes.length >= 9 &&
    bytes[0] === 0 &&
    bytes[3] === 0x04 &&
    bytes.slice(5, 9).every((byte) => byte === 0)
  ) {
    return "http2";
  }
  return "malformed";
}

/** Bytes of a malformed response shown in a message; Go shows the whole first line. */
const SHOWN_BYTES = 256;

function firstLine(bytes: Uint8Array): Uint8Array {
  const newline = bytes.indexOf(0x0a);
  let end = newline < 0 ? bytes.length : newline;
  if (end > 0 && newline >= 0 && bytes[end - 1] === 0x0d) end -= 1;
  return bytes.subarray(0, Math.min(end, SHOWN_BYTES));
}
