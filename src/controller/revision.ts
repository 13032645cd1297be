/**
 * Brings Revisions to life: image, instances, conditions (knative/serving pkg/reconciler/revision). The Revision's
 * spec never changes, so there is one preparation; after that only its reachability and its end are news.
 */
import type { Artifact } from "../engine/engine.ts";
import type { Clock } from "../kernel/clock.ts";
import { type KserveLocalError, isKserveLocalError, messageOf } from "../kernel/errors.ts";
import { type ConditionUpdate, readyFrom, withConditions } from "../resources/conditions.ts";
import type { PlatformEventBody } from "../resources/events.ts";
import { LABELS, type StoredRevision } from "../resources/objects.ts";
import type { Store } from "../resources/store.ts";
import { mainContainer } from "../revision/plan.ts";
import type { RevisionRuntime } from "../revision/revision-runtime.ts";

export interface RevisionControllerDeps {
  readonly store: Store;
  readonly clock: Clock;
  /** Real time: how long a revision took to come up. */
  readonly realClock: Clock;
  /** The image of the revision, ready to run. */
  prepare(revision: StoredRevision, signal: AbortSignal): Promise<Artifact>;
  /** A runtime that has not started. */
  create(revision: StoredRevision, artifact: Artifact): RevisionRuntime;
  readonly emit: (event: PlatformEventBody) => void;
  /** A revision could not be made ready; the error as the user should see it. */
  onFailed(revision: StoredRevision, error: KserveLocalError): void;
}

export class RevisionController {
  readonly #deps: RevisionControllerDeps;
  readonly #runtimes = new Map<string, RevisionRuntime>();
  readonly #started = new Set<string>();
  readonly #preparing = new Map<string, AbortController>();
  /** Runtimes of revisions that are gone from the store and not yet from the engine. */
  readonly #dying = new Map<RevisionRuntime, Promise<void>>();
  #closed = false;

  constructor(deps: RevisionControllerDeps) {
    this.#deps = deps;
  }

  runtime(namespace: string, name: string): RevisionRuntime | undefined {
    return this.#runtimes.get(`${namespace}/${name}`);
  }

  /** Those that still have something in the engine, the dying included. */
  get runtimes(): readonly RevisionRuntime[] {
    return [...this.#runtimes.values(), ...this.#dying.keys()];
  }

  reconcile(namespace: string, name: string): void {
    const key = `${namespace}/${name}`;
    const revision = this.#deps.store.get("Revision", namespace, name);
    if (revision === undefined) {
      this.#remove(key);
      return;
    }
    if (!this.#started.has(key) && !this.#closed) {
      this.#started.add(key);
      void this.#bringUp(key, revision);
    }
    this.#runtimes.get(key)?.setReachable(revision.metadata.labels?.[LABELS.routingState] !== "reserve");
  }

  /** Ends every revision. A second call with `now` hurries the first. */
  async close(reason: string, options: { readonly now?: boolean } = {}): Promise<void> {
    this.#closed = true;
    for (const controller of this.#preparing.values()) controller.abort(new Error(reason));
    const all = [...this.#runtimes.values(), ...this.#dying.keys()];
    await Promise.all(all.map((runtime) => runtime.close(reason, options)));
  }

  async #bringUp(key: string, revision: StoredRevision): Promise<void> {
    const { store, realClock, emit } = this.#deps;
    const { namespace, name, labels } = revision.metadata;
    const service = labels?.[LABELS.service] ?? name;
    const began = realClock.now();
    const controller = new AbortController();
    this.#preparing.set(key, controller);
    const main = mainContainer(revision);
    emit({
      type: "revision.created",
      revision: name,
      service,
      namespace,
      image: main.image,
      reason: `generation ${labels?.[LABELS.configurationGeneration] ?? "?"} of its template`,
    });
    this.#report(revision, waiting("ResolvingDigests"));
    try {
      const artifact = await this.#deps.prepare(revision, controller.signal);
      controller.signal.throwIfAborted();
      store.updateStatus("Revision", namespace, name, () => ({
        containerStatuses: [{ name: main.name, imageDigest: artifact.digest ?? artifact.id }],
      }));
      this.#report(revision, waiting("Deploying"));
      const runtime = this.#deps.create(revision, artifact);
      this.#runtimes.set(key, runtime);
      runtime.start();
      await runtime.becameReady;
      emit({
        type: "revision.ready",
        revision: name,
        service,
        namespace,
        durationMs: realClock.now() - began,
      });
      this.#report(revision, HEALTHY);
    } catch (error) {
      this.#failed(key, revision, controller.signal, error);
    } finally {
      // A namesake may be under way by now, where this one was deleted meanwhile.
      if (this.#preparing.get(key) === controller) this.#preparing.delete(key);
    }
  }

  #failed(key: string, revision: StoredRevision, signal: AbortSignal, error: unknown): void {
    if (this.#closed) return;
    const { namespace, name, labels } = revision.metadata;
    if (signal.aborted) {
      const service = labels?.[LABELS.service] ?? name;
      this.#deps.emit({
        type: "revision.failed",
        revision: name,
        service,
        namespace,
        reason: "Deleted",
        message: "it was deleted before it was ready",
      });
      return;
    }
    if (!this.#started.has(key)) return;
    const known = isKserveLocalError(error) ? error : undefined;
    const reason = reasonOf(known);
    const message = messageOf(error);
    const type =
      reason === "ContainerMissing" || reason === "ProgressDeadlineExceeded"
        ? "ResourcesAvailable"
        : "ContainerHealthy";
    this.#report(revision, failed(type, reason, message));
    this.#deps.emit({
      type: "revision.failed",
      revision: name,
      service: labels?.[LABELS.service] ?? name,
      namespace,
      reason,
      message,
    });
    if (known !== undefined) this.#deps.onFailed(revision, known);
    // A revision that never became ready serves nobody: its instances would only crash again.
    this.#end(key, "the revision failed");
  }

  #remove(key: string): void {
    this.#started.delete(key);
    this.#preparing.get(key)?.abort(new Error("the revision was deleted"));
    this.#end(key, "the revision was deleted");
  }

  #end(key: string, reason: string): void {
    const runtime = this.#runtimes.get(key);
    if (runtime === undefined) return;
    this.#runtimes.delete(key);
    this.#dying.set(
      runtime,
      runtime.close(reason).finally(() => this.#dying.delete(runtime)),
    );
  }

  #report(revision: StoredRevision, parts: readonly ConditionUpdate[]): void {
    const { namespace, name, generation } = revision.metadata;
    this.#deps.store.updateStatus("Revision", namespace, name, (status) => ({
      observedGeneration: generation,
      conditions: withConditions(status.conditions, [...parts, readyFrom(parts)], this.#deps.clock.now()),
    }));
  }
}

const HEALTHY: readonly ConditionUpdate[] = [
  { type: "ContainerHealthy", status: "True" },
  { type: "ResourcesAvailable", status: "True" },
];

function waiting(reason: string): readonly ConditionUpdate[] {
  return [
    { type: "ContainerHealthy", status: "Unknown", reason },
    { type: "ResourcesAvailable", status: "Unknown", reason },
  ];
}

function failed(type: string, reason: string, message: string): readonly ConditionUpdate[] {
  return [{ type, status: "False", reason, message }];
}

/** Knative's reason for the condition (BEHAVIOUR 1.2). */
function reasonOf(error: KserveLocalError | undefined): string {
  switch (error?.code) {
    case "build-failed":
    case "pull-failed":
    case "image-missing":
    case "image-platform":
    case "registry-denied":
      return "ContainerMissing";
    case "not-ready":
      return "ProgressDeadlineExceeded";
    default:
      return "ContainerUnhealthy";
  }
}
