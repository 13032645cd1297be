/** Listeners, host routing and the record of each request. What is behind a route is the activator's business. */
import type { Activator, ServeResult } from "../activator/activator.ts";
import { platformAnswer } from "../activator/platform-answer.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Exchange } from "../proxy/exchange.ts";
import { createFrontServer, type FrontServer } from "../proxy/front-server.ts";
import type { PlatformEventBody } from "../resources/events.ts";
import { LABELS } from "../resources/objects.ts";
import type { Store } from "../resources/store.ts";
import type { BackendLookup } from "./backend-lookup.ts";
import { listenOnLoopback, type ListenOptions } from "./listen.ts";
import {
  buildRouteTable,
  chooseRevision,
  type Destination,
  findDestination,
  type RouteTable,
} from "./route-table.ts";

export interface IngressDeps {
  readonly store: Store;
  /** Real time: requests are measured by it. */
  readonly realClock: Clock;
  readonly random: () => number;
  readonly activator: Activator;
  readonly backends: BackendLookup;
  readonly emit: (event: PlatformEventBody) => void;
}

/** Where a request goes, or why it goes nowhere. */
interface Refusal {
  readonly status: number;
  readonly body: string;
  readonly reason: string;
  readonly detail: string;
}

export class Ingress {
  readonly #deps: IngressDeps;
  readonly #servers: FrontServer[] = [];
  readonly #unwatch: () => void;
  #table: RouteTable;
  #stale = false;

  constructor(deps: IngressDeps) {
    this.#deps = deps;
    this.#table = this.#build();
    this.#unwatch = deps.store.watch(({ object }) => {
      if (object.kind === "Route") this.#stale = true;
    });
  }

  /**
   * Listens on 127.0.0.1 and, where there is one, ::1. Resolves to the port.
   * @throws KserveLocalError `port-taken`
   */
  async listen(options: ListenOptions): Promise<number> {
    const { port, servers } = await listenOnLoopback(options, () => this.#newServer());
    this.#servers.push(...servers);
    return port;
  }

  /** A listener on `address` and a port of its own that leads to one service, whatever host it is called by. */
  async listenFor(
    service: { readonly namespace: string; readonly name: string },
    address: string,
  ): Promise<number> {
    const server = this.#newServer(`${service.name}.${service.namespace}`);
    const bound = await server.listen(0, address);
    this.#servers.push(server);
    return bound;
  }

  /** Takes no new connections and resolves when requests in flight are done. */
  async close(): Promise<void> {
    this.#unwatch();
    await Promise.all(this.#servers.map((server) => server.close()));
  }

  /** Ends everything at once. */
  destroy(): void {
    for (const server of this.#servers) server.destroy();
  }

  #newServer(host?: string): FrontServer {
    return createFrontServer((exchange) => void this.#handle(exchange, host ?? exchange.host), {});
  }

  async #handle(exchange: Exchange, host: string): Promise<void> {
    const { realClock } = this.#deps;
    const arrivedAt = realClock.now();
    // The activator may take a moment longer, to learn what an answer of its own was due to.
    const ended = exchange.finished.then(() => realClock.now());
    const destination = findDestination(this.#routes(), host);
    const revision = destination === undefined ? undefined : chooseRevision(destination, this.#deps.random());
    const backend =
      destination === undefined || revision === undefined
        ? undefined
        : this.#deps.backends(destination.namespace, revision);
    let result: ServeResult;
    if (backend === undefined) {
      const refusal = this.#refuse(exchange, destination);
      exchange.respond(platformAnswer(refusal.status, refusal.body, refusal.reason));
      result = { queuedMs: 0, coldStart: false, reason: refusal.reason, detail: refusal.detail };
    } else {
      result = await this.#deps.activator.serve(exchange, backend);
    }
    const endedAt = await ended;
    const { status, ...rest } = result;
    this.#deps.emit({
      type: "request.completed",
      ...(destination === undefined ? {} : { service: destination.service }),
      ...(backend === undefined ? {} : { revision: backend.plan.name }),
      ...rest,
      method: exchange.method,
      host: exchange.host,
      path: exchange.target,
      status: exchange.status ?? status ?? 499,
      durationMs: endedAt - arrivedAt,
    });
  }

  #refuse(exchange: Exchange, destination: Destination | undefined): Refusal {
    if (destination !== undefined) {
      return {
        status: 503,
        body: `${destination.service} has no ready revision\n`,
        reason: "no-ready-revision",
        detail: `service ${destination.service} has no ready revision yet`,
      };
    }
    const { hosts } = this.#routes();
    const known = hosts.length === 0 ? "no service is ready yet" : `known hosts: ${hosts.join(", ")}`;
    return {
      status: 404,
      body: `no service has the host "${exchange.host}"; ${known}\n`,
      reason: "no-route",
      detail: `no service has the host "${exchange.host}"; ${known}`,
    };
  }

  #routes(): RouteTable {
    if (this.#stale) this.#table = this.#build();
    this.#stale = false;
    return this.#table;
  }

  #build(): RouteTable {
    return buildRouteTable(
      this.#deps.store.list("Route").map((route) => ({
        name: route.metadata.name,
        namespace: route.metadata.namespace,
        traffic: route.status?.traffic ?? [],
        clusterLocal: route.metadata.labels?.[LABELS.visibility] === "cluster-local",
      })),
    );
  }
}
