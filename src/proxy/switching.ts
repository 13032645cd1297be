/** When an offer to switch protocols is taken up, and what is left of it when it isn't. Pure. */
import { firstValue, hasToken } from "./headers.ts";

/**
 * Not in HTTP/1.0 (RFC 9110 section 7.8 forbids it), not with a body, and not to h2c, which RFC 9113 has dropped: curl
 * --http2 offers it on every plain request and is content with HTTP/1.1.
 */
export function willSwitch(head: {
  readonly httpVersion: string;
  readonly rawHeaders: readonly string[];
  /** The value of Upgrade. */
  readonly upgrade: string;
}): boolean {
  if (head.httpVersion === "1.0") return false;
  if (firstValue(head.rawHeaders, "transfer-encoding") !== undefined) return false;
  if (Number(firstValue(head.rawHeaders, "content-length") ?? 0) !== 0) return false;
  return !hasToken(head.upgrade, "h2c");
}

/** The fields without the offer: a server may ignore it (RFC 9110 section 7.8). */
export function withoutOffer(rawHeaders: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    const lower = name.toLowerCase();
    if (lower === "upgrade" || lower === "http2-settings") continue;
    const value = rawHeaders[i + 1] as string;
    const left = lower === "connection" ? withoutUpgrade(value) : value;
    if (left !== undefined) kept.push(name, left);
  }
  return kept;
}

function withoutUpgrade(connection: string): string | undefined {
  const kept = connection.split(",").filter((option) => !/^\s*(upgrade|http2-settings)\s*$/i.test(option));
  return kept.length > 0 ? kept.join(",") : undefined;
}
