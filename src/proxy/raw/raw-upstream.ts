/** The connections to one instance: kept alive, the last used first. */
import type { Upstream, UpstreamOptions } from "../upstream.ts";
import { AppConnection, type AppConnectionOwner, type AppConnectionUser } from "./app-connection.ts";
import type { Deadlines } from "./deadlines.ts";

/** How much sooner than the app we close an idle connection, so that no request meets its closing. */
const KEEP_ALIVE_MARGIN_MS = 1000;
/** Idle connections that are kept. */
const MOST_IDLE = 1024;

export class RawUpstream implements Upstream, AppConnectionOwner {
  readonly address: { readonly host: string; readonly port: number };
  readonly shownAs: string;
  readonly #deadlines: Deadlines;
  readonly #idleTimeoutMs: number;
  readonly #connections = new Set<AppConnection>();
  readonly #idle: AppConnection[] = [];
  #closed: Promise<void> | undefined;
  #resolveClosed: (() => void) | undefined;

  constructor(
    address: { readonly host: string; readonly port: number },
    deadlines: Deadlines,
    options: UpstreamOptions,
  ) {
    this.address = { host: address.host, port: address.port };
    const shownHost = address.host.includes(":") ? `[${address.host}]` : address.host;
    this.shownAs = options.shownAs ?? `${shownHost}:${address.port}`;
    this.#idleTimeoutMs = options.idleTimeoutMs ?? 90_000;
    this.#deadlines = deadlines;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** A connection for one request; `dedicated`: one of its own that is never pooled, for upgrades, which keep it. */
  take(user: AppConnectionUser, dedicated: boolean): AppConnection {
    const kept = dedicated ? undefined : this.#popIdle();
    if (kept !== undefined) {
      kept.reused = true;
      kept.user = user;
      return kept;
    }
    const connection = new AppConnection(this.address, this, dedicated);
    this.#connections.add(connection);
    connection.user = user;
    return connection;
  }

  /** Takes a connection back that has carried a request to its end. */
  release(connection: AppConnection): void {
    connection.user = undefined;
    const idleMs = Math.min(this.#idleTimeoutMs, connection.idleMs);
    if (this.#closed !== undefined || idleMs <= 0 || this.#idle.length >= MOST_IDLE) {
      connection.socket.destroy();
      return;
    }
    connection.deadline = this.#deadlines.notAfter(idleMs);
    this.#deadlines.watch(connection);
    this.#idle.push(connection);
  }

  /** Those that are just being destroyed are passed over. */
  #popIdle(): AppConnection | undefined {
    for (;;) {
      const kept = this.#idle.pop();
      if (kept === undefined) return undefined;
      this.#deadlines.unwatch(kept);
      if (!kept.socket.destroyed) return kept;
    }
  }

  /** Heeds the app's `Keep-Alive: timeout=<s>`: it closes the connection then, and we had better be first. */
  noteKeepAlive(connection: AppConnection, value: string): void {
    if (connection.keepAlive === value) return;
    connection.keepAlive = value;
    const seconds = /\btimeout=(\d+)/i.exec(value)?.[1];
    if (seconds !== undefined) connection.idleMs = Number(seconds) * 1000 - KEEP_ALIVE_MARGIN_MS;
  }

  left(connection: AppConnection): void {
    this.#deadlines.unwatch(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#resolveClosed?.();
  }

  /** Ends the idle connections, so that the next request gets a fresh one. */
  dropIdle(): void {
    for (const connection of this.#idle.splice(0)) {
      this.#deadlines.unwatch(connection);
      connection.socket.destroy();
    }
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#resolveClosed = resolve;
      this.dropIdle();
      if (this.#connections.size === 0) resolve();
    });
    return this.#closed;
  }

  destroy(): void {
    void this.close();
    for (const connection of this.#connections) connection.socket.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.destroy();
    return this.close();
  }
}
