/** The app of the transcripts: does what the path says. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { FakeProgram } from "../support/fake-engine.ts";

/** As Go writes field names, and in the order in which the app of the transcripts printed them: Host, then by name. */
function seen(request: IncomingMessage, hidden: ReadonlySet<string>): ReadonlyArray<[string, string]> {
  const pairs: Array<[string, string]> = [];
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    const name = (request.rawHeaders[i] ?? "").toLowerCase();
    const shown = name.replaceAll(/(^|-)[a-z]/g, (part) => part.toUpperCase());
    if (!hidden.has(name)) pairs.push([shown, request.rawHeaders[i + 1] ?? ""]);
  }
  const rank = ([name]: [string, string]): string => (name === "Host" ? "" : name);
  return pairs.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

/** `hidden`: fields, in lower case, that an ingress adds and that were recorded without one. */
export function transcriptApp(hidden: readonly string[]): FakeProgram {
  const without = new Set(["connection", ...hidden]);
  return () => (request, response) => {
    const url = new URL(request.url ?? "/", "http://app");
    const ms = Number(url.searchParams.get("ms") ?? 0);
    response.setHeader("Server", "BaseHTTP/0.6 Python/3.11.7");
    const text = (status: number, body: string): void =>
      void response.writeHead(status, { "Content-Length": Buffer.byteLength(body) }).end(body);
    switch (url.pathname) {
      case "/headers": {
        const { method, url: path } = request;
        const headers = seen(request, without).map(([name, value]) => [
          name,
          value.replace(/;proto=http$/, ""),
        ]);
        text(200, `${JSON.stringify({ method, path, headers }, undefined, 1)}\n`);
        break;
      }
      case "/status":
        text(Number(url.searchParams.get("code") ?? 200), "status\n");
        break;
      case "/sleep":
        setTimeout(() => text(200, "slept\n"), ms);
        break;
      case "/stream":
        stream(response, Number(url.searchParams.get("n") ?? 3), ms);
        break;
      default:
        request.socket.destroy();
    }
  };
}

function stream(response: ServerResponse, count: number, ms: number): void {
  let sent = 0;
  const began = performance.now();
  const next = (): void => {
    if (sent === count) {
      response.end();
      return;
    }
    response.write(`chunk ${sent}\n`);
    sent += 1;
    // By the beginning, so that lateness does not add up.
    setTimeout(next, began + sent * ms - performance.now());
  };
  response.removeHeader("Content-Length");
  next();
}
