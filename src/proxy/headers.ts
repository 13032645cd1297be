/**
 * Every rule on header fields and framing, in one place, used by plain and upgrade requests alike. Pure. Lists are flat
 * (name, value, name, value, ...) as node's `rawHeaders`: case, order and duplicates survive.
 */
import { synthesiseForwarded } from "./forwarded.ts";

/** What the layers above want on the request that the app gets, beyond the rules that always hold. */
export interface HeaderPlan {
  /** Replace any value of the client's. */
  readonly set?: ReadonlyArray<readonly [string, string]>;
  /** Lower-case names of fields not to pass on. */
  readonly remove?: readonly string[];
  /** Whether the request goes through the activator, which says so with `K-Proxy-Request`. Default true. */
  readonly viaActivator?: boolean;
  /** Address of a hop between the client's peer and the app's queue-proxy: it ends X-Forwarded-For. */
  readonly hop?: string;
}

export interface IncomingFields {
  readonly method: string;
  readonly rawHeaders: readonly string[];
  /** Authority out of an absolute-form target: it overrides Host (RFC 9112 section 3.2.2). */
  readonly authority: string | undefined;
  /** Host for a client that sends none, as HTTP/1.0 allows; HTTP/1.1 demands one (RFC 9112 section 3.2). */
  readonly fallbackHost: string;
  readonly remoteAddress: string;
  readonly scheme: "http" | "https";
  readonly upgrade: boolean;
}

export type BodyFraming = "none" | "length" | "chunked";

export interface OutgoingFields {
  readonly headers: string[];
  readonly framing: BodyFraming;
}

/**
 * Hop-by-hop fields: RFC 9110 section 7.6.1, with the older names that Go's ReverseProxy removes as well. `Trailer`
 * stays, since trailers are passed on (RFC 9110 section 6.6.2).
 */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "proxy-connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Lengths of the names that any rule here looks at, as bits: most fields are told by it to be just passed on, without a
 * lower-case copy of their names. Names beyond 31 characters have no rules.
 */
const LENGTHS_IN_RESPONSES = lengthsOf([...HOP_BY_HOP, "content-length"]);
const LENGTHS_IN_REQUESTS = lengthsOf([
  ...HOP_BY_HOP,
  "content-length",
  "host",
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "k-original-host",
  "k-proxy-request",
  "knative-serving-revision",
  "knative-serving-namespace",
]);

function lengthsOf(names: readonly string[]): number {
  return names.reduce((bits, name) => bits | (1 << name.length), 0);
}

function mayMatter(name: string, lengths: number): boolean {
  return name.length < 32 && (lengths & (1 << name.length)) !== 0;
}

/** Connection may name any field, but must not take routing or framing from the next hop (RFC 9110 section 7.6.1). */
const NEVER_CONNECTION_SPECIFIC: ReadonlySet<string> = new Set([
  "",
  "host",
  "content-length",
  "close",
  "keep-alive",
]);

/** Trailer fields that would change routing or framing are not passed on (RFC 9110 section 6.5.1). */
const NEVER_IN_TRAILERS: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  "content-length",
  "host",
  "trailer",
  "expect",
  "knative-serving-revision",
  "knative-serving-namespace",
]);

/** A request with one of these methods and no framing has no content; any other says so (RFC 9110 section 8.6). */
const NO_CONTENT_EXPECTED: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE", "OPTIONS", "TRACE"]);

/** The fields of the request as the app gets them. */
export function requestFieldsForApp(incoming: IncomingFields, plan: HeaderPlan = {}): OutgoingFields {
  const { rawHeaders } = incoming;
  const rewrite = new RequestRewrite(incoming, plan);
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    rewrite.take(rawHeaders[i] as string, rawHeaders[i + 1] as string);
  }
  return rewrite.finish();
}

/** One pass over the client's fields, then the ones that we add. */
class RequestRewrite {
  readonly #incoming: IncomingFields;
  readonly #plan: HeaderPlan;
  readonly #headers: string[] = [];
  readonly #dropped: ReadonlySet<string> | undefined;
  readonly #viaActivator: boolean;
  #framing: BodyFraming = "none";
  #lengthGiven = false;
  #host: string | undefined;
  #hostAt = -1;
  #upgrade = "";
  #trailersWelcome = false;
  #for = "";
  #proto = "";
  #forwardedHost = "";
  #forwardedGiven = false;

  constructor(incoming: IncomingFields, plan: HeaderPlan) {
    this.#incoming = incoming;
    this.#plan = plan;
    this.#host = incoming.authority;
    this.#viaActivator = plan.viaActivator !== false;
    this.#dropped = droppedNames(connectionSpecific(incoming.rawHeaders), plan);
  }

  take(name: string, value: string): void {
    if (this.#dropped === undefined && !mayMatter(name, LENGTHS_IN_REQUESTS)) {
      this.#headers.push(name, value);
      return;
    }
    const lower = name.toLowerCase();
    if (this.#dropped?.has(lower)) return;
    if (this.#isForwarding(lower, value) || this.#isHop(lower, value) || this.#isKnative(lower, value))
      return;
    if (lower === "host") {
      // The client's Host reaches the app (BEHAVIOUR 3.3); front-server.ts refuses a second one.
      this.#hostAt = this.#headers.length;
    } else if (lower === "content-length") {
      this.#lengthGiven = true;
      if (this.#framing === "none" && Number(value) !== 0) this.#framing = "length";
    }
    this.#headers.push(name, value);
  }

  finish(): OutgoingFields {
    const headers = this.#headers;
    if (this.#hostAt < 0) headers.unshift("Host", this.#host ?? this.#incoming.fallbackHost);
    else if (this.#host !== undefined) headers[this.#hostAt + 1] = this.#host;
    this.#pushForwarding();
    // knative/serving pkg/activator/handler/handler.go; nothing removes it on the way to the app.
    if (this.#viaActivator) headers.push("K-Proxy-Request", "activator");
    for (const [name, value] of this.#plan.set ?? []) headers.push(name, value);
    this.#pushFraming();
    this.#pushConnection();
    if (this.#framing !== "chunked") dropField(headers, "trailer");
    return { headers, framing: this.#framing };
  }

  /** Notes what the X-Forwarded fields say; true if the field is rewritten rather than copied. */
  #isForwarding(lower: string, value: string): boolean {
    switch (lower) {
      case "x-forwarded-for":
        this.#for = this.#for === "" ? value : `${this.#for}, ${value}`;
        return true;
      case "x-forwarded-proto":
        this.#proto ||= value;
        return false;
      case "x-forwarded-host":
        this.#forwardedHost ||= value;
        return false;
      case "forwarded":
        this.#forwardedGiven ||= value !== "";
        return false;
      default:
        return false;
    }
  }

  #isHop(lower: string, value: string): boolean {
    if (!HOP_BY_HOP.has(lower)) return false;
    if (lower === "transfer-encoding") this.#framing = "chunked";
    else if (lower === "te") this.#trailersWelcome ||= hasToken(value, "trailers");
    else if (lower === "upgrade") this.#upgrade = this.#upgrade === "" ? value : `${this.#upgrade}, ${value}`;
    return true;
  }

  #isKnative(lower: string, value: string): boolean {
    switch (lower) {
      case "knative-serving-revision":
      case "knative-serving-namespace":
        // Routing between Knative's own hops: knative/serving pkg/activator/activator.go, pkg/http/proxy.go.
        return true;
      case "k-original-host":
        // The activator keeps a value that is there already, and queue-proxy restores it as Host and deletes it
        // (knative/networking pkg/http/header/header.go).
        this.#host ??= value;
        return true;
      case "k-proxy-request":
        return this.#viaActivator;
      default:
        return false;
    }
  }

  /** As the ingress leaves them (BEHAVIOUR 3.3): the peer appended to For, Proto where it is missing. */
  #pushForwarding(): void {
    const { remoteAddress, scheme } = this.#incoming;
    const chain = this.#for === "" ? remoteAddress : `${this.#for}, ${remoteAddress}`;
    const { hop } = this.#plan;
    this.#headers.push("X-Forwarded-For", hop === undefined ? chain : `${chain}, ${hop}`);
    if (this.#proto === "") this.#headers.push("X-Forwarded-Proto", scheme);
    if (this.#forwardedGiven) return;
    this.#headers.push("Forwarded", synthesiseForwarded(chain, this.#forwardedHost, this.#proto || scheme));
  }

  /** RFC 9112 section 6: one framing, and ours where the client left it open. */
  #pushFraming(): void {
    if (this.#framing === "chunked") this.#headers.push("Transfer-Encoding", "chunked");
    else if (!this.#lengthGiven && !NO_CONTENT_EXPECTED.has(this.#incoming.method)) {
      this.#headers.push("Content-Length", "0");
    }
  }

  /** TE and Upgrade are to be named in Connection (RFC 9110 sections 10.1.4 and 7.8). */
  #pushConnection(): void {
    const switching = this.#incoming.upgrade && this.#upgrade !== "";
    if (switching) this.#headers.push("Upgrade", this.#upgrade);
    if (this.#trailersWelcome) this.#headers.push("TE", "trailers");
    // Explicit, since node adds the field on its own where it is missing.
    const options = switching ? "Upgrade" : "keep-alive";
    this.#headers.push("Connection", this.#trailersWelcome ? `${options}, TE` : options);
  }
}

export interface DownstreamFields {
  readonly headers: string[];
  /** The declared Content-Length, -1 where there is none. */
  readonly length: number;
  /** The transfer codings, where there are any. */
  readonly coding: string | undefined;
  /** The app's word on how long it keeps the connection. */
  readonly keepAlive: string | undefined;
}

/** The fields of the app's final response as the client gets them. Framing and Connection are the server's to add. */
export function responseFieldsForClient(rawHeaders: readonly string[], status: number): DownstreamFields {
  const headers: string[] = [];
  const listed = connectionSpecific(rawHeaders);
  let length = -1;
  let coding: string | undefined;
  let keepAlive: string | undefined;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    const value = rawHeaders[i + 1] as string;
    if (listed === undefined && !mayMatter(name, LENGTHS_IN_RESPONSES)) {
      headers.push(name, value);
      continue;
    }
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower)) {
      if (lower === "transfer-encoding") coding = coding === undefined ? value : `${coding}, ${value}`;
      else if (lower === "keep-alive") keepAlive = value;
      // A 426 is pointless without it, and must carry it (RFC 9110 section 15.5.22).
      if (status !== 426 || lower !== "upgrade") continue;
    } else if (listed?.has(lower)) continue;
    if (lower === "content-length") length = Number(value);
    headers.push(name, value);
  }
  return { headers, length, coding, keepAlive };
}

/** The trailer fields that may be passed on, as pairs. */
export function passableTrailers(rawTrailers: readonly string[]): Array<[string, string]> {
  const pairs: Array<[string, string]> = [];
  for (let i = 0; i + 1 < rawTrailers.length; i += 2) {
    const name = rawTrailers[i] as string;
    if (!NEVER_IN_TRAILERS.has(name.toLowerCase())) pairs.push([name, rawTrailers[i + 1] as string]);
  }
  return pairs;
}

/** Fields that concern a field list as a whole: the first value, by lower-case name. */
export function firstValue(rawHeaders: readonly string[], lowerName: string): string | undefined {
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === lowerName.length && name.toLowerCase() === lowerName) return rawHeaders[i + 1];
  }
  return undefined;
}

/**
 * Takes a field out of a list. `Trailer` goes so where the body isn't chunked: trailers exist in chunks only (RFC 9112
 * section 7.1.2), and node throws at such an announcement.
 */
export function dropField(headers: string[], lowerName: string): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    const name = headers[i] as string;
    if (name.length === lowerName.length && name.toLowerCase() === lowerName) headers.splice(i, 2);
  }
}

/** The fields that `Connection` names, lower-case; undefined in the usual case that there are none. */
function connectionSpecific(rawHeaders: readonly string[]): Set<string> | undefined {
  let names: Set<string> | undefined;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length !== 10 || name.toLowerCase() !== "connection") continue;
    for (const option of (rawHeaders[i + 1] as string).split(",")) {
      const lower = option.trim().toLowerCase();
      if (NEVER_CONNECTION_SPECIFIC.has(lower) || HOP_BY_HOP.has(lower)) continue;
      names ??= new Set();
      names.add(lower);
    }
  }
  return names;
}

function droppedNames(listed: Set<string> | undefined, plan: HeaderPlan): ReadonlySet<string> | undefined {
  if (plan.set === undefined && plan.remove === undefined) return listed;
  const names = listed ?? new Set<string>();
  for (const [name] of plan.set ?? []) names.add(name.toLowerCase());
  for (const name of plan.remove ?? []) names.add(name);
  return names;
}

/** Whether a comma-separated list has the token; parameters after `;` are left out. */
export function hasToken(value: string, token: string): boolean {
  return value.split(",").some((part) => (part.split(";")[0] as string).trim().toLowerCase() === token);
}
