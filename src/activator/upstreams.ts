/** The connections to the instances of one revision: opened on first use, let go of with the instance. */
import type { ProxyEngine } from "../proxy/engine.ts";
import type { Upstream } from "../proxy/upstream.ts";
import { KserveLocalError } from "../kernel/errors.ts";
import type { Instance } from "../revision/instance.ts";
import type { RevisionBackend } from "../revision/backend.ts";

export class Upstreams {
  readonly #upstreams = new Map<Instance, Upstream>();

  readonly #proxy: ProxyEngine;

  constructor(backend: RevisionBackend, proxy: ProxyEngine) {
    this.#proxy = proxy;
    backend.onInstance((instance, state) => {
      const upstream = this.#upstreams.get(instance);
      if (upstream === undefined) return;
      if (state === "draining") void upstream.close();
      // What is still connected or connecting then talks to nobody: it must fail at once, not time out.
      if (state === "failed" || state === "gone") {
        upstream.destroy();
        this.#upstreams.delete(instance);
      }
    });
  }

  of(instance: Instance): Upstream {
    const known = this.#upstreams.get(instance);
    if (known !== undefined) return known;
    const { address } = instance;
    if (address === undefined)
      throw new KserveLocalError("internal", { what: `${instance.name} is ready and has no address` });
    // As queue-proxy's messages have it, whatever port the engine gave.
    const upstream = this.#proxy.createUpstream(
      { host: address.host, port: address.port },
      { shownAs: `127.0.0.1:${instance.plan.port}` },
    );
    this.#upstreams.set(instance, upstream);
    return upstream;
  }
}
