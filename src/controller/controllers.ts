/**
 * Runs the reconcilers: each change in the store wakes those whose objects it concerns. This is the whole control
 * plane; what each reconciler does is in its own file.
 */
import type { Clock } from "../kernel/clock.ts";
import { LABELS, type StoredObject } from "../resources/objects.ts";
import type { Store } from "../resources/store.ts";
import { reconcileConfiguration } from "./configuration.ts";
import type { RevisionController } from "./revision.ts";
import { reconcileRoute } from "./route.ts";
import { reconcileService } from "./service.ts";
import { type UrlScheme } from "./url.ts";
import { WorkQueue } from "./work-queue.ts";

export interface ControllersDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly revisions: RevisionController;
  readonly urls: UrlScheme;
  readonly onError: (key: string, error: unknown) => void;
}

export interface Controllers {
  close(): Promise<void>;
}

export function startControllers(deps: ControllersDeps): Controllers {
  const { store, clock, revisions, urls, onError } = deps;
  const services = new WorkQueue((key) => reconcileService(store, clock, ...split(key)), onError);
  const configurations = new WorkQueue((key) => reconcileConfiguration(store, clock, ...split(key)), onError);
  const routes = new WorkQueue((key) => reconcileRoute(store, clock, urls, ...split(key)), onError);
  const revisionQueue = new WorkQueue((key) => revisions.reconcile(...split(key)), onError);

  /** Those that may lead to the configuration or one of its revisions; all of them would make many services slow to load. */
  const wakeRoutes = (namespace: string, configuration: string | undefined, revision?: string): void => {
    for (const { metadata, spec } of store.list("Route", namespace)) {
      const concerned =
        metadata.name === configuration ||
        spec.traffic.some(
          (target) =>
            (configuration !== undefined && target.configurationName === configuration) ||
            (revision !== undefined && target.revisionName === revision),
        );
      if (concerned) routes.add(`${namespace}/${metadata.name}`);
    }
  };

  const wake = (object: StoredObject): void => {
    const { namespace, name, labels } = object.metadata;
    switch (object.kind) {
      case "Service":
        services.add(`${namespace}/${name}`);
        break;
      case "Configuration":
        configurations.add(`${namespace}/${name}`);
        services.add(`${namespace}/${labels?.[LABELS.service] ?? name}`);
        wakeRoutes(namespace, name);
        break;
      case "Revision": {
        revisionQueue.add(`${namespace}/${name}`);
        const configuration = labels?.[LABELS.configuration];
        if (configuration !== undefined) configurations.add(`${namespace}/${configuration}`);
        wakeRoutes(namespace, configuration, name);
        break;
      }
      case "Route":
        routes.add(`${namespace}/${name}`);
        services.add(`${namespace}/${labels?.[LABELS.service] ?? name}`);
        break;
      case "ConfigMap":
      case "Secret":
        break;
    }
  };
  const unwatch = store.watch(({ object }) => wake(object));
  return {
    async close() {
      unwatch();
      await Promise.all([services.close(), configurations.close(), routes.close(), revisionQueue.close()]);
    },
  };
}

function split(key: string): [namespace: string, name: string] {
  const slash = key.indexOf("/");
  return [key.slice(0, slash), key.slice(slash + 1)];
}
