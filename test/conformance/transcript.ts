/** The transcripts in ../shared/conformance, which hold raw answers of the real queue-proxy and activator: read and compared. */
import { existsSync, readdirSync, readFileSync } from "node:fs";

const ROOT = new URL("../../../shared/conformance/", import.meta.url);

export interface RecordedResponse {
  /** Seconds from the request to the end. */
  readonly after: number;
  /** `closed by server`, `client gave up`. */
  readonly ending: string;
  readonly status: string;
  /** Lower-case names; Date left out. Sorted. */
  readonly headers: readonly string[];
  /** Interim responses before it: their status lines. */
  readonly interim: readonly string[];
  /** Literal, chunk lengths included, with \n for \r\n. */
  readonly body: string;
}

/** Names without `.txt`; undefined where there is no such folder, as on a machine with the project alone. */
export function transcriptNames(kind: "queue-proxy" | "activator"): readonly string[] | undefined {
  const folder = new URL(`${kind}/`, ROOT);
  if (!existsSync(folder)) return undefined;
  return readdirSync(folder)
    .filter((name) => name.endsWith(".txt"))
    .map((name) => name.slice(0, -4));
}

export function readTranscript(kind: "queue-proxy" | "activator", name: string): string {
  return readFileSync(new URL(`${kind}/${name}.txt`, ROOT), "utf8");
}

export function recordedResponses(text: string): readonly RecordedResponse[] {
  const parts = text.split(/^--- /m).slice(1);
  return parts.flatMap((part) => {
    const title = /^response \d+: after ([\d.]+)s, (.*)\n/.exec(part);
    if (title === null) return [];
    const raw = part.slice(title[0].length).replace(/<no newline at end>\n?$/, "");
    return [{ after: Number(title[1]), ending: title[2] ?? "", ...readResponse(raw) }];
  });
}

/** The recorder puts a newline behind a last response that has none; here both sides are read the same way. */
export function readResponse(raw: string): Pick<RecordedResponse, "status" | "headers" | "body" | "interim"> {
  let text = raw.replaceAll("\r\n", "\n");
  const interim: string[] = [];
  while (/^HTTP\/1\.\d 1\d\d /.test(text) && !text.startsWith("HTTP/1.1 101")) {
    const end = text.indexOf("\n\n");
    interim.push(text.slice(0, end).split("\n")[0] ?? "");
    text = text.slice(end + 2);
  }
  const end = text.indexOf("\n\n");
  const [status = "", ...lines] = (end < 0 ? text : text.slice(0, end)).split("\n");
  const headers = lines
    .map((line) => line.replace(/^[^:]+/, (name) => name.toLowerCase()))
    .filter((line) => line !== "" && !line.startsWith("date:"))
    .toSorted();
  return { status, headers, interim, body: end < 0 ? "" : text.slice(end + 2) };
}
