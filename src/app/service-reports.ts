/** Watches the Services in the store: says when each is ready or failed, and lets callers wait for all of them. */
import { KserveLocalError } from "../kernel/errors.ts";
import { conditionOf, isReady } from "../resources/conditions.ts";
import type { PlatformEventBody } from "../resources/events.ts";
import type { StoredRevision, StoredService } from "../resources/objects.ts";
import { LABELS } from "../resources/objects.ts";
import type { Store } from "../resources/store.ts";

export class ServiceReports {
  readonly #store: Store;
  readonly #emit: (event: PlatformEventBody) => void;
  readonly #unwatch: () => void;
  readonly #said = new Map<string, string>();
  /** Why the newest revision of a service failed. */
  readonly #failures = new Map<string, KserveLocalError>();
  readonly #waiting = new Set<() => void>();

  constructor(store: Store, emit: (event: PlatformEventBody) => void) {
    this.#store = store;
    this.#emit = emit;
    this.#unwatch = store.watch(({ type, object }) => {
      if (object.kind !== "Service") return;
      const key = `${object.metadata.namespace}/${object.metadata.name}`;
      if (type === "deleted") this.#said.delete(key);
      else this.#look(key, object);
      for (const look of this.#waiting) look();
    });
  }

  revisionFailed(revision: StoredRevision, error: KserveLocalError): void {
    const { namespace, labels, name } = revision.metadata;
    this.#failures.set(`${namespace}/${labels?.[LABELS.service] ?? name}`, error);
  }

  /**
   * Resolves when every Service in the store is ready at its newest generation.
   * @throws the error of the first one that failed, or the signal's reason
   */
  allReady(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        this.#waiting.delete(look);
        signal.removeEventListener("abort", onAbort);
        settle();
      };
      const onAbort = (): void => finish(() => reject(signal.reason as Error));
      const look = (): void => {
        const services = this.#store.list("Service");
        const failed = services.find(
          (service) => isCurrent(service) && conditionOf(service, "Ready")?.status === "False",
        );
        if (failed !== undefined) finish(() => reject(this.#errorOf(failed)));
        else if (services.every((service) => isCurrent(service) && isReady(service))) finish(resolve);
      };
      this.#waiting.add(look);
      signal.addEventListener("abort", onAbort, { once: true });
      if (signal.aborted) onAbort();
      else look();
    });
  }

  close(): void {
    this.#unwatch();
  }

  #look(key: string, service: StoredService): void {
    const ready = conditionOf(service, "Ready");
    const { latestReadyRevisionName: revision, url } = service.status ?? {};
    const { name, namespace } = service.metadata;
    if (!isCurrent(service) || ready === undefined) return;
    if (ready.status === "True" && revision !== undefined && url !== undefined) {
      this.#say(key, `ready ${revision}`, { type: "service.ready", service: name, namespace, url, revision });
    } else if (ready.status === "False") {
      const [reason, message] = [ready.reason ?? "Unknown", ready.message ?? ""];
      this.#say(key, `failed ${message}`, {
        type: "service.failed",
        service: name,
        namespace,
        reason,
        message,
      });
    }
  }

  #say(key: string, what: string, event: PlatformEventBody): void {
    if (this.#said.get(key) === what) return;
    this.#said.set(key, what);
    this.#emit(event);
  }

  #errorOf(service: StoredService): KserveLocalError {
    const { namespace, name } = service.metadata;
    const known = this.#failures.get(`${namespace}/${name}`);
    if (known !== undefined) return known;
    const condition = conditionOf(service, "Ready");
    return new KserveLocalError("not-ready", {
      what: `service ${name} can't become ready: ${condition?.message ?? condition?.reason ?? "unknown"}`,
      ...(condition?.reason === "RevisionMissing"
        ? {
            fix: "the traffic block names a revision that does not exist here; revisions of a cluster are not known locally",
          }
        : {}),
    });
  }
}

/** Its status speaks of its newest spec. */
function isCurrent(service: StoredService): boolean {
  return service.status?.observedGeneration === service.metadata.generation;
}
