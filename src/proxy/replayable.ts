/** Which requests may be sent again where a kept-alive connection turns out dead: those that Go's transport sends again. */
import type { Exchange } from "./exchange.ts";

/** RFC 9110 section 9.2.2, RFC 9112 section 9.3.1. */
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

/** By its method, or because the client says that it may be repeated. That it has no body is the caller's to know. */
export function isReplayable(exchange: Exchange): boolean {
  if (METHODS.has(exchange.method)) return true;
  return ["idempotency-key", "x-idempotency-key"].some((name) => exchange.header(name) !== undefined);
}
