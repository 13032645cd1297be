/** Lines of JSON from an engine's stream. docker-modem's followProgress parses unguarded inside a `data` handler. */
import { StringDecoder } from "node:string_decoder";

/** Yields each object; text that isn't JSON is skipped. Throws what the stream throws. */
export async function* jsonLines(
  stream: AsyncIterable<Buffer | string>,
): AsyncGenerator<Record<string, unknown>> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + (typeof chunk === "string" ? chunk : decoder.write(chunk))).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const value = parse(line);
      if (value !== undefined) yield value;
    }
  }
  const last = parse(rest + decoder.end());
  if (last !== undefined) yield last;
}

function parse(line: string): Record<string, unknown> | undefined {
  const text = line.trim();
  if (text === "") return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
