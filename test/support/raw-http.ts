/** A client of bytes: says exactly what a test tells it to, and waits for events, never for time. */
import { connect, type Socket } from "node:net";

export class RawClient implements AsyncDisposable {
  readonly socket: Socket;
  /** All that came, as latin1, so that one character is one byte. */
  text = "";
  /** How the peer ended it: a FIN, a reset; undefined while it is open. */
  ending: "end" | "reset" | undefined;
  readonly #waiters = new Set<() => void>();

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.text += chunk.toString("latin1");
      this.#wake();
    });
    socket.on("end", () => {
      this.ending ??= "end";
      this.#wake();
    });
    socket.on("error", () => {
      this.ending ??= "reset";
      this.#wake();
    });
    socket.on("close", () => {
      this.ending ??= "end";
      this.#wake();
    });
  }

  static open(port: number, options: { allowHalfOpen?: boolean } = {}): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: options.allowHalfOpen ?? false });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new RawClient(socket));
      });
    });
  }

  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  }

  /** Resolves when `done` holds; rejects, showing what came, when the connection ends before. */
  until(done: (text: string) => boolean): Promise<string> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        if (done(this.text)) {
          this.#waiters.delete(check);
          resolve(this.text);
        } else if (this.ending !== undefined) {
          this.#waiters.delete(check);
          reject(
            new Error(`connection ended (${this.ending}) after ${JSON.stringify(this.text.slice(-400))}`),
          );
        }
      };
      this.#waiters.add(check);
      check();
    });
  }

  /** Resolves with all that came, when the peer has ended the connection one way or the other. */
  ended(): Promise<string> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (this.ending === undefined) return;
        this.#waiters.delete(check);
        resolve(this.text);
      };
      this.#waiters.add(check);
      check();
    });
  }

  /** Reads one final response off the front, past any 1xx, by its own framing; the rest stays. */
  async response(options: { head?: boolean } = {}): Promise<RawResponse> {
    let parsed = parseResponse(this.text, this.ending !== undefined, options.head ?? false);
    if (parsed === undefined) {
      const complete = (): boolean => {
        parsed = parseResponse(this.text, this.ending !== undefined, options.head ?? false);
        return parsed !== undefined;
      };
      await this.until(complete);
    }
    const { rest, ...response } = parsed as RawResponse & { rest: string };
    this.text = rest;
    return response;
  }

  #wake(): void {
    for (const waiter of this.#waiters) waiter();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
  }
}

export interface RawResponse {
  readonly status: number;
  readonly statusText: string;
  /** Name and value as they came, in order. */
  readonly headers: ReadonlyArray<readonly [string, string]>;
  readonly body: string;
  readonly trailers: ReadonlyArray<readonly [string, string]>;
  /** Status codes of the 1xx before it. */
  readonly informational: readonly number[];
}

/** The value of a header, its several values joined, or undefined. */
export function valueOf(response: { headers: RawResponse["headers"] }, name: string): string | undefined {
  const values = response.headers.filter(([key]) => key.toLowerCase() === name.toLowerCase());
  return values.length === 0 ? undefined : values.map(([, value]) => value).join(", ");
}

function parseResponse(
  input: string,
  ended: boolean,
  head: boolean,
): (RawResponse & { rest: string }) | undefined {
  const informational: number[] = [];
  let text = input;
  for (;;) {
    const split = text.indexOf("\r\n\r\n");
    if (split < 0) return undefined;
    const lines = text.slice(0, split).split("\r\n");
    const match = /^HTTP\/1\.1 (\d{3}) ?(.*)$/.exec(lines[0] ?? "");
    if (match === null) throw new Error(`no status line: ${JSON.stringify(lines[0])}`);
    const status = Number(match[1]);
    const after = text.slice(split + 4);
    if (status < 200 && status !== 101) {
      informational.push(status);
      text = after;
      continue;
    }
    const headers = pairsOf(lines.slice(1));
    const base = { status, statusText: match[2] ?? "", headers, informational };
    const body =
      head || status === 204 || status === 304 || status === 101
        ? none(after)
        : bodyOf(headers, after, ended);
    return body === undefined ? undefined : { ...base, ...body };
  }
}

type Body = { body: string; trailers: Array<[string, string]>; rest: string };

function none(rest: string): Body {
  return { body: "", trailers: [], rest };
}

function bodyOf(headers: RawResponse["headers"], after: string, ended: boolean): Body | undefined {
  if (valueOf({ headers }, "transfer-encoding") === "chunked") return dechunk(after);
  const length = valueOf({ headers }, "content-length");
  if (length === undefined) return ended ? { body: after, trailers: [], rest: "" } : undefined;
  if (after.length < Number(length)) return undefined;
  return { body: after.slice(0, Number(length)), trailers: [], rest: after.slice(Number(length)) };
}

function dechunk(text: string): Body | undefined {
  let body = "";
  let at = 0;
  for (;;) {
    const line = text.indexOf("\r\n", at);
    if (line < 0) return undefined;
    const size = Number.parseInt(text.slice(at, line), 16);
    if (size === 0) {
      if (text.startsWith("\r\n", line + 2)) return { body, trailers: [], rest: text.slice(line + 4) };
      const end = text.indexOf("\r\n\r\n", line + 2);
      if (end < 0) return undefined;
      return { body, trailers: pairsOf(text.slice(line + 2, end).split("\r\n")), rest: text.slice(end + 4) };
    }
    if (text.length < line + 2 + size + 2) return undefined;
    body += text.slice(line + 2, line + 2 + size);
    at = line + 2 + size + 2;
  }
}

function pairsOf(lines: readonly string[]): Array<[string, string]> {
  return lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
}
