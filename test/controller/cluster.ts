/** The whole control plane over a store, with images that a test finishes by hand and revisions that run nothing. */
import type { Artifact } from "../../src/engine/engine.ts";
import { startControllers } from "../../src/controller/controllers.ts";
import { RevisionController } from "../../src/controller/revision.ts";
import type { RevisionSpec, RevisionTemplate, TrafficTarget } from "../../src/manifest/spec.ts";
import { conditionOf } from "../../src/resources/conditions.ts";
import type { PlatformEventBody } from "../../src/resources/events.ts";
import { LABELS, type StoredRevision, type StoredService } from "../../src/resources/objects.ts";
import { Store } from "../../src/resources/store.ts";
import { RevisionRuntime } from "../../src/revision/revision-runtime.ts";
import { GKE, planOf } from "../revision/rig.ts";
import { settingsWith } from "../scaling/settings-with.ts";
import { FakeClock, settle } from "../support/fake-clock.ts";
import { fakeArtifact, FakeEngine } from "../support/fake-engine.ts";

export interface Preparation {
  readonly revision: StoredRevision;
  readonly signal: AbortSignal;
  resolve(artifact: Artifact): void;
  reject(error: Error): void;
}

export const LATEST: readonly TrafficTarget[] = [{ latestRevision: true, percent: 100 }];

export class Cluster {
  readonly clock = new FakeClock();
  readonly store = new Store(this.clock);
  readonly engine = new FakeEngine({ clock: this.clock, sockets: false });
  readonly preparations: Preparation[] = [];
  readonly runtimes: RevisionRuntime[] = [];
  readonly events: PlatformEventBody[] = [];
  readonly failed: string[] = [];
  readonly errors: unknown[] = [];
  readonly revisions = new RevisionController({
    store: this.store,
    clock: this.clock,
    realClock: this.clock,
    prepare: (revision, signal) =>
      new Promise((resolve, reject) => this.preparations.push({ revision, signal, resolve, reject })),
    create: (revision) => {
      const runtime = new RevisionRuntime(
        planOf({ name: revision.metadata.name, uid: revision.metadata.uid }),
        {
          engine: this.engine,
          clock: this.clock,
          realClock: this.clock,
          random: Math.random,
          // Ready without a single instance: what is tested here is what follows from ready.
          settings: settingsWith({ initialScale: 0 }),
          termination: GKE,
          startDeadlineMs: 240_000,
          emit: () => undefined,
          onReplicas: () => undefined,
        },
      );
      this.runtimes.push(runtime);
      return runtime;
    },
    emit: (event) => void this.events.push(event),
    onFailed: (revision) => void this.failed.push(revision.metadata.name),
  });
  readonly #controllers = startControllers({
    store: this.store,
    clock: this.clock,
    revisions: this.revisions,
    urls: { port: 8080, domain: "localhost" },
    onError: (_key, error) => void this.errors.push(error),
  });

  /** Applies the service and lets everybody react. */
  async apply(
    options: {
      readonly name?: string;
      readonly image?: string;
      readonly template?: RevisionTemplate["metadata"];
      readonly spec?: Partial<RevisionSpec>;
      readonly traffic?: readonly TrafficTarget[];
      readonly labels?: Readonly<Record<string, string>>;
      readonly annotations?: Readonly<Record<string, string>>;
    } = {},
  ): Promise<void> {
    const {
      name = "hello",
      image = "hello:1",
      template,
      spec,
      traffic = LATEST,
      labels,
      annotations,
    } = options;
    const wanted = {
      apiVersion: "serving.knative.dev/v1",
      kind: "Service" as const,
      metadata: {
        name,
        namespace: "default",
        ...(labels === undefined ? {} : { labels }),
        ...(annotations === undefined ? {} : { annotations }),
      },
      spec: {
        template: {
          ...(template === undefined ? {} : { metadata: template }),
          spec: { containers: [{ name: "user-container", image }], ...spec },
        },
        traffic,
      },
    };
    this.store.apply(wanted);
    await settle();
  }

  /** The revision's image is there: it becomes ready. */
  async ready(revision: string): Promise<void> {
    this.preparation(revision).resolve(fakeArtifact({ digest: `registry/hello@sha256:${revision}` }));
    await settle();
  }

  async fail(revision: string, error: Error): Promise<void> {
    this.preparation(revision).reject(error);
    await settle();
  }

  async remove(service = "hello"): Promise<void> {
    this.store.delete("Service", "default", service);
    await settle();
  }

  /** The last preparation under that name. */
  preparation(revision: string): Preparation {
    const found = this.preparations.findLast((one) => one.revision.metadata.name === revision);
    if (found === undefined) throw new Error(`nothing is being prepared for ${revision}`);
    return found;
  }

  get names(): readonly string[] {
    return this.store.list("Revision").map((revision) => revision.metadata.name);
  }

  service(name = "hello"): StoredService {
    const found = this.store.get("Service", "default", name);
    if (found === undefined) throw new Error(`there is no service ${name}`);
    return found;
  }

  /** `revision percent` of each entry that the route's status has, tags before a colon. */
  traffic(name = "hello"): readonly string[] {
    const { traffic = [] } = this.store.get("Route", "default", name)?.status ?? {};
    return traffic.map(
      ({ tag, revisionName, percent }) => `${tag === undefined ? "" : `${tag}: `}${revisionName} ${percent}`,
    );
  }

  routingState(revision: string): string | undefined {
    return this.store.get("Revision", "default", revision)?.metadata.labels?.[LABELS.routingState];
  }

  /** `status reason` of a condition of an object. */
  condition(kind: "Service" | "Configuration" | "Route" | "Revision", type: string, name = "hello"): string {
    const condition = conditionOf(this.store.get(kind, "default", name), type);
    return `${condition?.status ?? "absent"}${condition?.reason === undefined ? "" : ` ${condition.reason}`}`;
  }

  async close(): Promise<void> {
    await this.#controllers.close();
    await this.revisions.close("the test is over", { now: true });
  }
}
