/** Listeners, host routing and the record of each request. What is behind a route is the activator's business. */
import type { Activator } from "../activator/activator.ts";
import { platformAnswer } from "../activator/platform-answer.ts";
import type { ServeResult } from "../activator/serve-result.ts";
import type { Clock } from "../kernel/clock.ts";
import type { ProxyEngine } from "../proxy/engine.ts";
import type { Exchange } from "../proxy/exchange.ts";
import type { FrontServer } from "../proxy/front-server.ts";
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
  readonly proxy: ProxyEngine;
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
  readonly #warned = new WeakSet<object>();

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
    return this.#deps.proxy.createFrontServer(
      (exchange) => void this.#handle(exchange, host ?? exchange.host),
    );
  }

  async #handle(exchange: Exchange, host: string): Promise<void> {
    const { realClock, backends } = this.#deps;
    const arrivedAt = realClock.now();
    const destination = findDestination(this.#routes(), host);
    const revision = destination === undefined ? undefined : chooseRevision(destination, this.#deps.random());
    const backend =
      destination === undefined || revision === undefined
        ? undefined
        : backends(destination.namespace, revision);
    const result =
      backend === undefined
        ? this.#refuse(exchange, destination, revision)
        : await this.#deps.activator.serve(exchange, backend);
    await exchange.finished;
    const durationMs = (result.endedAt ?? realClock.now()) - arrivedAt;
    this.#deps.emit(completed(exchange, result, durationMs, destination?.service, backend?.plan.name));
    if (backend !== undefined && result.reason === undefined && result.detail !== undefined)
      this.#warn(backend, result.detail);
  }

  /** What works here and would not elsewhere is said once for each revision. */
  #warn(backend: object & { readonly plan: { readonly name: string } }, message: string): void {
    if (this.#warned.has(backend)) return;
    this.#warned.add(backend);
    this.#deps.emit({ type: "notice", message: `${backend.plan.name}: ${message}` });
  }

  #refuse(
    exchange: Exchange,
    destination: Destination | undefined,
    revision: string | undefined,
  ): ServeResult {
    const { status, body, reason, detail } = this.#refusal(exchange, destination, revision);
    exchange.respond(platformAnswer(status, body, reason));
    return { queuedMs: 0, coldStart: false, reason, detail };
  }

  #refusal(exchange: Exchange, destination: Destination | undefined, revision: string | undefined): Refusal {
    if (destination !== undefined) {
      const { service, namespace } = destination;
      if (revision !== undefined && this.#deps.store.get("Revision", namespace, revision) === undefined)
        return unknownRevision(service, revision);
      const body = `${service} has no ready revision\n`;
      const detail = `service ${service} has no ready revision yet`;
      return { status: 503, body, reason: "no-ready-revision", detail };
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

type Completed = Extract<PlatformEventBody, { type: "request.completed" }>;

/** Field by field: this runs for each request, and spreading shows in a profile. */
function completed(
  exchange: Exchange,
  result: ServeResult,
  durationMs: number,
  service: string | undefined,
  revision: string | undefined,
): Completed {
  const event: { -readonly [K in keyof Completed]: Completed[K] } = {
    type: "request.completed",
    method: exchange.method,
    host: exchange.host,
    path: exchange.target,
    status: exchange.status ?? result.status ?? 499,
    durationMs,
    queuedMs: result.queuedMs,
    coldStart: result.coldStart,
  };
  if (service !== undefined) event.service = service;
  if (revision !== undefined) event.revision = revision;
  if (result.instance !== undefined) event.instance = result.instance;
  if (result.reason !== undefined) event.reason = result.reason;
  if (result.detail !== undefined) event.detail = result.detail;
  return event;
}

/** The activator's words (knative/serving pkg/activator/handler/context_handler.go). */
function unknownRevision(service: string, revision: string): Refusal {
  return {
    status: 404,
    body: `Error getting active endpoint: revision.serving.knative.dev "${revision}" not found\n`,
    reason: "unknown-revision",
    detail: `a route of service ${service} leads to revision ${revision}, which does not exist (spec.traffic)`,
  };
}
