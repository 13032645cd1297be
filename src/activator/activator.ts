/**
 * The path of a request from the route to an instance and back: hold until there is a slot, forward, and where the
 * platform has to answer itself, answer as Knative's activator and queue-proxy do (BEHAVIOUR 5 and 6). One deadline
 * counts from arrival, cold start included.
 */
import type { Clock } from "../kernel/clock.ts";
import type { ProxyEngine } from "../proxy/engine.ts";
import type { Exchange } from "../proxy/exchange.ts";
import type { RevisionBackend } from "../revision/backend.ts";
import {
  activatorProbeAnswer,
  type ProbeRequest,
  probeRequest,
  queueProxyProbeAnswer,
} from "./probe-answer.ts";
import type { ServeResult } from "./serve-result.ts";
import { type Lane, Serving, type ServingDeps } from "./serving.ts";
import { Throttler } from "./throttler.ts";
import type { TimeoutSemantics } from "./timers.ts";
import { Upstreams } from "./upstreams.ts";

export interface ActivatorDeps {
  /** The same one as the ingress has. */
  readonly proxy: ProxyEngine;
  readonly clock: Clock;
  readonly realClock: Clock;
  readonly random: () => number;
  readonly semantics: TimeoutSemantics;
}

export class Activator {
  readonly #random: () => number;
  readonly #lanes = new WeakMap<RevisionBackend, Lane>();
  readonly #serving: ServingDeps & { closing: boolean };

  constructor(deps: ActivatorDeps) {
    const { proxy, clock, realClock, semantics, random } = deps;
    this.#random = random;
    this.#serving = { proxy, clock, realClock, semantics, held: new Set(), closing: false };
  }

  /** Answers every request that still waits for an instance, now and from now on, with 503: none will come. */
  close(): void {
    this.#serving.closing = true;
    for (const serving of this.#serving.held) serving.abandon();
  }

  /** Serves the request from the revision. Resolves when the exchange is over; never rejects. */
  serve(exchange: Exchange, backend: RevisionBackend): Promise<ServeResult> {
    const probe = probeRequest(exchange.rawHeaders);
    if (probe !== undefined) return this.#serveProbe(probe, exchange, backend);
    return new Serving(this.#serving, exchange, this.#lane(backend)).run();
  }

  /** Probes wake nobody and are no load. */
  async #serveProbe(probe: ProbeRequest, exchange: Exchange, backend: RevisionBackend): Promise<ServeResult> {
    const draining = this.#serving.closing;
    const answer =
      backend.mode === "Proxy" && !draining
        ? activatorProbeAnswer(probe)
        : await queueProxyProbeAnswer(probe, { draining, health: () => backend.health() });
    if (answer === undefined) return new Serving(this.#serving, exchange, this.#lane(backend)).run();
    exchange.respond(answer);
    return {
      queuedMs: 0,
      coldStart: false,
      reason: "probe",
      detail: "a probe, which the platform answers itself",
    };
  }

  #lane(backend: RevisionBackend): Lane {
    let lane = this.#lanes.get(backend);
    if (lane === undefined) {
      lane = {
        backend,
        throttler: new Throttler(backend, this.#random),
        upstreams: new Upstreams(backend, this.#serving.proxy),
      };
      this.#lanes.set(backend, lane);
    }
    return lane;
  }
}
