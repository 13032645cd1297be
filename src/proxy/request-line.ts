/** What a request has to satisfy before anything else looks at it, beyond what node's parser already refuses. Pure. */

export interface RequestHead {
  readonly rawHeaders: readonly string[];
  readonly target: string;
  readonly httpVersion: string;
}

/** Where the request goes, or why it is refused: with this status, and the connection closed. */
export type Admission =
  | {
      readonly ok: true;
      readonly path: string;
      readonly authority: string | undefined;
      readonly host: string;
    }
  | { readonly ok: false; readonly status: number; readonly reason: string };

/** Characters of a host and port; Go's server refuses others alike (golang.org/x/net/http/httpguts ValidHostHeader). */
const HOST_CHARACTERS = /^[A-Za-z0-9\-._~!$&'()*+;=:%[\]]*$/;

export function admit(head: RequestHead): Admission {
  // HTTP/0.9 has no fields, and so no host (RFC 9112 section 2.3: an unknown version gets 505).
  if (head.httpVersion !== "1.1" && head.httpVersion !== "1.0")
    return refuse(505, "unsupported HTTP version");
  let hostValue: string | undefined;
  let codings = 0;
  for (let i = 0; i + 1 < head.rawHeaders.length; i += 2) {
    const spelled = head.rawHeaders[i] as string;
    if (spelled.length !== "host".length && spelled.length !== "transfer-encoding".length) continue;
    const name = spelled.toLowerCase();
    const value = head.rawHeaders[i + 1] as string;
    if (name === "host") {
      // RFC 9112 section 3.2: more than one Host is refused, since hops may differ on which one counts.
      if (hostValue !== undefined) return refuse(400, "too many Host headers");
      hostValue = value;
    } else if (name === "transfer-encoding") {
      // RFC 9112 section 6.1: HTTP/1.0 has no transfer codings; a coding that we don't know gets 501, as Go's does.
      if (head.httpVersion === "1.0") return refuse(400, "Transfer-Encoding in an HTTP/1.0 request");
      codings += 1;
      if (codings > 1 || value.trim().toLowerCase() !== "chunked")
        return refuse(501, "unsupported transfer encoding");
    }
  }
  const split = splitTarget(head.target);
  if (split === undefined) return refuse(400, "malformed request-target");
  const authority = split.authority ?? hostValue ?? "";
  if (!HOST_CHARACTERS.test(authority)) return refuse(400, "malformed Host header");
  return { ok: true, path: split.path, authority: split.authority, host: hostOf(authority) };
}

function refuse(status: number, reason: string): Admission {
  return { ok: false, status, reason };
}

/** Origin-form and `*` as they are; absolute-form taken apart (RFC 9112 section 3.2.2), without user information. */
function splitTarget(target: string): { path: string; authority: string | undefined } | undefined {
  if (target.startsWith("/") || target === "*") return { path: target, authority: undefined };
  const match = /^https?:\/\/([^/?#@]+)([^#@]*)$/i.exec(target);
  if (match === null) return undefined;
  const rest = match[2] as string;
  return { path: rest.startsWith("/") ? rest : `/${rest}`, authority: match[1] };
}

/** Lower case, port off; an IPv6 literal keeps its brackets. */
export function hostOf(authority: string): string {
  const bare = authority.includes(":") ? authority.replace(/:\d*$/, "") : authority;
  return bare.toLowerCase();
}

/** `::ffff:127.0.0.1` is how a dual-stack listener shows an IPv4 peer; Go shows it as IPv4. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return "";
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}
