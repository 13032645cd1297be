/**
 * `http://<service>.<namespace>.svc.cluster.local` in the environment of a container: where the engine's containers
 * can't resolve such names, each service that is named gets a listener that they can reach, and the value its address.
 */
import type { Engine } from "../engine/engine.ts";
import type { Ingress } from "../ingress/ingress.ts";
import type { KnativeService } from "../manifest/spec.ts";
import type { PlatformEventBody } from "../resources/events.ts";

const CLUSTER_URL = /http:\/\/([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?:\.cluster\.local)?(?::80)?(?![\w.:-])/g;

export class ClusterUrls {
  readonly #ingress: Ingress;
  readonly #access: NonNullable<Engine["description"]["hostAccess"]> | undefined;
  readonly #emit: (event: PlatformEventBody) => void;
  readonly #ports = new Map<string, number>();

  constructor(ingress: Ingress, engine: Engine, emit: (event: PlatformEventBody) => void) {
    this.#ingress = ingress;
    this.#access = engine.description.hostAccess;
    this.#emit = emit;
  }

  /** Opens the listeners for the services that these name in their environment. */
  async prepare(services: readonly KnativeService[]): Promise<void> {
    if (this.#access === undefined) return;
    const known = new Set(
      services.map((service) => `${service.metadata.name}.${service.metadata.namespace}`),
    );
    const values = services.flatMap((service) =>
      service.spec.template.spec.containers.flatMap((container) =>
        (container.env ?? []).map((entry) => entry.value ?? ""),
      ),
    );
    for (const [, name = "", namespace = ""] of values.flatMap((value) => [...value.matchAll(CLUSTER_URL)])) {
      const key = `${name}.${namespace}`;
      if (this.#ports.has(key) || !known.has(key)) continue;
      const port = await this.#ingress.listenFor({ name, namespace }, this.#access.listen);
      this.#ports.set(key, port);
      this.#emit({
        type: "notice",
        message: `http://${key}.svc.cluster.local is http://${this.#access.reach}:${port} in environment values: the containers of this engine can't resolve the name`,
      });
    }
  }

  /** The value with every such URL of a known service replaced. */
  map(value: string): string {
    return value.replace(CLUSTER_URL, (whole: string, name: string, namespace: string) => {
      const port = this.#ports.get(`${name}.${namespace}`);
      return port === undefined ? whole : `http://${this.#access?.reach ?? ""}:${port}`;
    });
  }
}
