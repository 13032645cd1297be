/** The platform's own answer to a request. A string body is sent as UTF-8; `Content-Length` and `Date` are added. */
export interface Answer {
  readonly status: number;
  readonly headers?: ReadonlyArray<readonly [string, string]>;
  readonly body?: string | Uint8Array;
}

/** One request from a client, plain or upgrade, as the layers above see it. */
export interface Exchange {
  readonly method: string;
  /** The request-target as the client wrote it: origin-form, absolute-form or `*` (RFC 9112 section 3.2). */
  readonly target: string;
  /** Lower-cased authority without port (an IPv6 literal keeps its brackets); '' if there is none (HTTP/1.0). */
  readonly host: string;
  /** Name, value, name, value, ... in the client's order and spelling. */
  readonly rawHeaders: readonly string[];
  /** The first value of the field; `name` in any case. */
  header(name: string): string | undefined;
  /** The client asks to switch protocols, and we are willing to (never `h2c`, see front-server.ts). */
  readonly upgrade: boolean;
  /** The peer's IP address; an IPv4 address in IPv6 clothes is shown as IPv4. */
  readonly remoteAddress: string;
  /** Aborts when the client's connection goes away before the response is complete. */
  readonly clientGone: AbortSignal;
  /** A status line has been sent (or handed to the socket). Informational (1xx) answers don't count, 101 does. */
  readonly responseStarted: boolean;
  /** The status sent, 101 included. */
  readonly status: number | undefined;
  /** The response is fully handed over, or the connection is gone. Never rejects. After a 101: both directions ended. */
  readonly finished: Promise<void>;
  /** Answers in the platform's name. Does nothing once the response has started or the client is gone. */
  respond(answer: Answer): void;
  /**
   * Ends the exchange now, as Knative's timeout handler does (knative/serving pkg/http/handler/timeout.go). Nothing
   * sent yet: as `respond`. Already started: the body's text is appended and the response ends, cleanly where the
   * length was open, with the connection destroyed where a `Content-Length` was declared or protocols were switched.
   */
  cut(answer: Answer): void;
  /**
   * Called for each piece of the response written to the client, the status line and what flows after a 101 included.
   * In Knative what flows after a 101 is invisible to the idle timer: a caller that wants that looks at `status`.
   */
  onWrite: (() => void) | undefined;
}
