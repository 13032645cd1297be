/** The platform's own answers, as Go's http.Error writes them, with our reason header beside. */
import type { Answer } from "../proxy/exchange.ts";

/** On every response that the platform made rather than the app. */
export const REASON_HEADER = "X-Kserve-Local-Reason";

export function platformAnswer(status: number, body: string, reason: string): Answer {
  const isError = body.endsWith("\n");
  return {
    status,
    headers: [
      ...(body === "" ? [] : [["Content-Type", "text/plain; charset=utf-8"] as const]),
      ...(isError ? [["X-Content-Type-Options", "nosniff"] as const] : []),
      [REASON_HEADER, reason],
    ],
    body,
  };
}
