/** The connections to one instance: kept alive, the last used first. */
import { Agent, type ClientRequest, request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";

export interface UpstreamOptions {
  /** The address as messages show it; Knative's say `127.0.0.1:<containerPort>`. Default: the real one. */
  readonly shownAs?: string;
  /** How long an idle connection is kept, ms of wall time; less where the app announces less. Default 90 s, as Go's. */
  readonly idleTimeoutMs?: number;
}

export interface Upstream {
  readonly address: { readonly host: string; readonly port: number };
  readonly shownAs: string;
  /** Connections open right now, idle ones included. */
  readonly connections: number;
  /** Ends idle connections, keeps none from now on, and resolves when those in use have ended. */
  close(): Promise<void>;
  /** Ends every connection at once. */
  destroy(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

export function createUpstream(
  address: { readonly host: string; readonly port: number },
  options: UpstreamOptions = {},
): Upstream {
  return new HttpUpstream(address, options);
}

export interface UpstreamRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly string[];
  /** A connection of its own, never one from the pool: for upgrades, which keep it. */
  readonly dedicated: boolean;
}

/** What is remembered of a connection, to tell afterwards what became of a request on it. */
export interface ConnectionFacts {
  /** Local address, for messages such as Go's `read tcp <local>-><remote>: ...`. */
  local: string;
  /** Bytes the connection had received when it last became idle: before the present request. */
  readBefore: number;
  /** How long the app says that it keeps the connection, less a margin, ms; undefined where it doesn't say. */
  idleMs: number | undefined;
}

/** How much sooner than the app we close an idle connection, so that no request meets its closing. Node's margin. */
const KEEP_ALIVE_MARGIN_MS = 1000;

export class HttpUpstream implements Upstream {
  readonly address: { readonly host: string; readonly port: number };
  readonly shownAs: string;
  readonly #pool: PoolAgent;
  readonly #single: PoolAgent;
  readonly #sockets = new Map<Socket, ConnectionFacts>();
  #closed: Promise<void> | undefined;
  #resolveClosed: (() => void) | undefined;

  constructor(address: { readonly host: string; readonly port: number }, options: UpstreamOptions) {
    this.address = { host: address.host, port: address.port };
    const shownHost = address.host.includes(":") ? `[${address.host}]` : address.host;
    this.shownAs = options.shownAs ?? `${shownHost}:${address.port}`;
    const idleTimeoutMs = options.idleTimeoutMs ?? 90_000;
    // Half-open only for upgrades: a tunnel passes the end of one direction on, a pooled connection must go on it.
    this.#pool = new PoolAgent(idleTimeoutMs, true, () => this.#connect(false), this.#sockets);
    this.#single = new PoolAgent(idleTimeoutMs, false, () => this.#connect(true), this.#sockets);
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Starts a request; node sends its head together with the first piece of the body, or on `end`. */
  open(request: UpstreamRequest): ClientRequest {
    if (!request.dedicated) this.#pool.dropSpoiled();
    return httpRequest({
      host: this.address.host,
      port: this.address.port,
      method: request.method,
      path: request.path,
      headers: request.headers,
      agent: request.dedicated ? this.#single : this.#pool,
      setHost: false,
      insecureHTTPParser: false,
      // Go's transport takes 10 MiB; node would drop fields beyond a count in silence, so the size alone limits.
      maxHeaderSize: 1024 * 1024,
    });
  }

  facts(socket: Socket | null): ConnectionFacts | undefined {
    return socket === null ? undefined : this.#sockets.get(socket);
  }

  /** Heeds the app's `Keep-Alive: timeout=<s>`: it closes the connection then, and we had better be first. */
  noteKeepAlive(socket: Socket | null, value: string): void {
    const facts = this.facts(socket);
    const seconds = /\btimeout=(\d+)/i.exec(value)?.[1];
    if (facts !== undefined && seconds !== undefined)
      facts.idleMs = Number(seconds) * 1000 - KEEP_ALIVE_MARGIN_MS;
  }

  /** Ends the idle connections, so that the next request gets a fresh one. */
  dropIdle(): void {
    for (const sockets of Object.values(this.#pool.freeSockets)) {
      for (const socket of sockets ?? []) socket.destroy();
    }
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#resolveClosed = resolve;
      this.#pool.keeping = false;
      this.dropIdle();
      if (this.#sockets.size === 0) resolve();
    });
    return this.#closed;
  }

  destroy(): void {
    void this.close();
    for (const socket of this.#sockets.keys()) socket.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.destroy();
    return this.close();
  }

  #connect(allowHalfOpen: boolean): Socket {
    const socket = connect({ ...this.address, noDelay: true, allowHalfOpen });
    const facts: ConnectionFacts = { local: "", readBefore: 0, idleMs: undefined };
    this.#sockets.set(socket, facts);
    // Only idle connections have a timeout set.
    socket.on("timeout", () => socket.destroy());
    socket.once("connect", () => {
      facts.local = `${socket.localAddress}:${socket.localPort}`;
    });
    socket.once("close", () => {
      // Late, since whoever handles the failure still asks for the facts.
      setImmediate(() => {
        this.#sockets.delete(socket);
        if (this.#sockets.size === 0) this.#resolveClosed?.();
      });
    });
    return socket;
  }
}

class PoolAgent extends Agent {
  keeping: boolean;
  readonly #idleTimeoutMs: number;
  readonly #connect: () => Socket;
  readonly #facts: ReadonlyMap<Duplex, ConnectionFacts>;

  constructor(
    idleTimeoutMs: number,
    keepAlive: boolean,
    open: () => Socket,
    facts: ReadonlyMap<Duplex, ConnectionFacts>,
  ) {
    // No `timeout`: node would arm it for each request anew, and it is only wanted for idle connections.
    super({ keepAlive, maxSockets: Infinity, maxFreeSockets: 1024, scheduling: "lifo" });
    this.keeping = keepAlive;
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#connect = open;
    this.#facts = facts;
  }

  /** One address: one key. */
  override getName(): string {
    return KEY;
  }

  override createConnection(): Socket {
    return this.#connect();
  }

  /** The documentation wants a boolean, the type says void. */
  override keepSocketAlive(socket: Duplex): boolean {
    const facts = this.#facts.get(socket);
    const idleMs = Math.min(this.#idleTimeoutMs, facts?.idleMs ?? Infinity);
    if (!this.keeping || facts === undefined || idleMs <= 0) return false;
    facts.readBefore = (socket as Socket).bytesRead;
    (socket as Socket).setTimeout(idleMs);
    return true;
  }

  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    (socket as Socket).setTimeout(0);
    super.reuseSocket(socket, request);
  }

  /** Takes idle connections out that can't be trusted, from the end that the next request would get. */
  dropSpoiled(): void {
    for (;;) {
      const socket = this.freeSockets[KEY]?.at(-1);
      if (socket === undefined) return;
      // Bytes that came between two requests belong to neither (RFC 9112 section 9.2).
      if (!socket.destroyed && socket.bytesRead === this.#facts.get(socket)?.readBefore) return;
      socket.destroy();
      // Off the list now; destroying alone takes it off a turn later.
      socket.emit("agentRemove");
    }
  }
}

const KEY = "instance";
