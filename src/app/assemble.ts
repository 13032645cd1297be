/** The composition root: news up every part and connects them. Nothing else does. */
import { Activator } from "../activator/activator.ts";
import type { TimeoutSemantics } from "../activator/timers.ts";
import { type Controllers, startControllers } from "../controller/controllers.ts";
import { RevisionController } from "../controller/revision.ts";
import type { Artifact, Engine } from "../engine/engine.ts";
import { unsupportedByProcess } from "../engine/process/unsupported.ts";
import { Ingress } from "../ingress/ingress.ts";
import type { Clock } from "../kernel/clock.ts";
import { messageOf } from "../kernel/errors.ts";
import { systemRandom } from "../kernel/random.ts";
import { type EngineKind, proxyEngine } from "../proxy/engine.ts";
import type { PlatformEventBody } from "../resources/events.ts";
import type { StoredRevision } from "../resources/objects.ts";
import { Store } from "../resources/store.ts";
import { storeLookup } from "../revision/config-lookup.ts";
import { planRevision, type RevisionPlan } from "../revision/plan.ts";
import { RevisionRuntime } from "../revision/revision-runtime.ts";
import { resolveSettings } from "../scaling/settings.ts";
import { ClusterUrls } from "./cluster-urls.ts";
import { Deployment } from "./deployment.ts";
import type { SourceFlags } from "./image-source.ts";
import { PROFILES, type ProfileName } from "./platform-profile.ts";
import { ServiceReports } from "./service-reports.ts";

export interface AssemblyOptions {
  readonly port: number;
  readonly strictPort: boolean;
  readonly profile: ProfileName;
  /** In place of the profile's. */
  readonly timeoutSemantics?: TimeoutSemantics;
  readonly proxyEngine: EngineKind;
  readonly source: SourceFlags;
  readonly extraEnv: ReadonlyArray<readonly [string, string]>;
  /** The command after `--`, which runs in place of the manifest's. */
  readonly command?: readonly string[];
  readonly cwd: string;
}

export interface AssemblyBase {
  readonly engine: Engine;
  /** The platform's time, `--time-scale` times as fast as this. */
  readonly clock: Clock;
  readonly realClock: Clock;
  readonly emit: (event: PlatformEventBody) => void;
}

/** The data of the platform's own ConfigMaps, as the manifest last gave them. */
export interface PlatformSettings {
  autoscaler: Readonly<Record<string, string>>;
}

export interface Assembly extends AssemblyBase {
  readonly store: Store;
  readonly settings: PlatformSettings;
  readonly ingress: Ingress;
  readonly activator: Activator;
  readonly revisions: RevisionController;
  readonly controllers: Controllers;
  readonly deployment: Deployment;
  readonly clusterUrls: ClusterUrls;
  readonly reports: ServiceReports;
  readonly port: number;
}

/** Connects everything and listens. @throws KserveLocalError `port-taken` */
export async function assemble(base: AssemblyBase, options: AssemblyOptions): Promise<Assembly> {
  const { engine, clock, realClock, emit } = base;
  const random = systemRandom;
  const store = new Store(clock);
  const settings: PlatformSettings = { autoscaler: {} };
  const deployment = new Deployment({ engine, store, flags: options.source, cwd: options.cwd, emit });
  const reports = new ServiceReports(store, emit);
  const proxy = proxyEngine(options.proxyEngine, realClock);
  const activator = new Activator({
    proxy,
    clock,
    realClock,
    random,
    semantics: options.timeoutSemantics ?? PROFILES[options.profile].timeoutSemantics,
  });
  const ingress = new Ingress({
    proxy,
    store,
    realClock,
    random,
    activator,
    emit,
    backends: (namespace, name) => revisions.runtime(namespace, name),
  });
  const clusterUrls = new ClusterUrls(ingress, engine, emit);
  const create = runtimeFactory({ ...base, store, random, settings, clusterUrls }, options);
  const revisions: RevisionController = new RevisionController({
    store,
    clock,
    realClock,
    emit,
    create,
    prepare: (revision, signal) => deployment.prepare(revision, signal),
    onFailed: (revision, error) => reports.revisionFailed(revision, error),
  });
  const port = await ingress.listen({ port: options.port, strict: options.strictPort });
  const controllers = startControllers({
    store,
    clock,
    revisions,
    urls: { port, domain: "localhost" },
    onError: (key, error) =>
      emit({
        type: "problem",
        severity: "error",
        code: "internal",
        message: `reconciling ${key}: ${messageOf(error)}`,
      }),
  });
  return {
    ...base,
    store,
    settings,
    ingress,
    activator,
    revisions,
    controllers,
    deployment,
    clusterUrls,
    reports,
    port,
  };
}

interface FactoryDeps extends AssemblyBase {
  readonly store: Store;
  readonly random: () => number;
  readonly settings: PlatformSettings;
  readonly clusterUrls: ClusterUrls;
}

function runtimeFactory(
  deps: FactoryDeps,
  options: AssemblyOptions,
): (revision: StoredRevision, artifact: Artifact) => RevisionRuntime {
  const { store, settings, clusterUrls, engine, clock, realClock, random, emit } = deps;
  const profile = PROFILES[options.profile];
  return (revision, artifact) => {
    // Anew for each instance: on a cluster, too, new pods get what the ConfigMaps and Secrets say by then.
    const planNow = (): RevisionPlan =>
      planRevision(revision, {
        artifact,
        lookup: storeLookup(store, revision.metadata.namespace),
        extraEnv: options.extraEnv,
        ...(options.command === undefined ? {} : { command: options.command }),
        mapEnvValue: (value) => clusterUrls.map(value),
      });
    const plan = planNow();
    if (engine.description.kind === "process") sayUnsupported(plan, emit);
    const scaling = resolveSettings({
      annotations: plan.annotations,
      containerConcurrency: plan.containerConcurrency,
      config: settings.autoscaler,
    });
    return new RevisionRuntime(plan, {
      engine,
      clock,
      realClock,
      random,
      emit,
      settings: scaling,
      currentRun: () => planNow().run,
      termination: profile.termination(plan.timeoutMs),
      startDeadlineMs: Math.min(profile.startDeadlineMs, scaling.progressDeadlineMs),
      onReplicas: ({ desired, actual }) =>
        store.updateStatus("Revision", plan.namespace, plan.name, () => ({
          desiredReplicas: desired,
          actualReplicas: actual,
        })),
    });
  };
}

/** What the manifest asks for and a host process can't have is said, once for each revision. */
function sayUnsupported({ name, run }: RevisionPlan, emit: AssemblyBase["emit"]): void {
  const missing = unsupportedByProcess(run.main);
  if (missing.length > 0)
    emit({
      type: "notice",
      message: `${name} runs as a process of this machine, without its ${missing.join(", ")}`,
    });
}
