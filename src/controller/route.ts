/**
 * A Route turns its targets into revisions and percentages. If any target is missing or not ready, nothing is
 * reprogrammed and the old routing stays (knative/serving pkg/reconciler/route). The ingress reads status.traffic.
 */
import type { Clock } from "../kernel/clock.ts";
import type { TrafficTarget } from "../manifest/spec.ts";
import {
  type ConditionUpdate,
  conditionOf,
  isReady,
  readyFrom,
  withConditions,
} from "../resources/conditions.ts";
import { LABELS, type RouteTraffic, type StoredRevision, type StoredRoute } from "../resources/objects.ts";
import type { Store } from "../resources/store.ts";
import { generationOf } from "./configuration.ts";
import { externalUrl, internalHost, type UrlScheme } from "./url.ts";

type Resolution = { readonly traffic: readonly RouteTraffic[] } | { readonly problem: ConditionUpdate };

export function reconcileRoute(
  store: Store,
  clock: Clock,
  urls: UrlScheme,
  namespace: string,
  name: string,
): void {
  const route = store.get("Route", namespace, name);
  if (route === undefined) return;
  const resolution = resolve(store, urls, route);
  const assigned: ConditionUpdate =
    "problem" in resolution ? resolution.problem : { type: "AllTrafficAssigned", status: "True" };
  const parts: ConditionUpdate[] = [
    assigned,
    {
      type: "CertificateProvisioned",
      status: "True",
      reason: "TLSNotEnabled",
      message: "TLS is not enabled",
    },
    { type: "IngressReady", status: "True" },
  ];
  const address = { url: `http://${internalHost(namespace, name)}` };
  store.updateStatus("Route", namespace, name, (status) => ({
    observedGeneration: route.metadata.generation,
    url: urlOf(urls, route),
    address,
    ...("traffic" in resolution ? { traffic: resolution.traffic } : {}),
    conditions: withConditions(status.conditions, [...parts, readyFrom(parts)], clock.now()),
  }));
  markRouted(store, namespace);
}

/** Of the route or of one of its tags; a cluster-local route has no other than its internal names. */
function urlOf(urls: UrlScheme, { metadata }: StoredRoute, tag?: string): string {
  const { namespace, name, labels } = metadata;
  return labels?.[LABELS.visibility] === "cluster-local"
    ? `http://${internalHost(namespace, name, tag)}`
    : externalUrl(urls, namespace, name, tag);
}

function resolve(store: Store, urls: UrlScheme, route: StoredRoute): Resolution {
  const { namespace } = route.metadata;
  const traffic: RouteTraffic[] = [];
  for (const target of route.spec.traffic) {
    const resolved = resolveTarget(store, namespace, target);
    if ("problem" in resolved) return resolved;
    traffic.push({
      ...(target.tag ? { tag: target.tag, url: urlOf(urls, route, target.tag) } : {}),
      revisionName: resolved.revision,
      latestRevision: !target.revisionName,
      percent: target.percent ?? 0,
    });
  }
  return { traffic };
}

function resolveTarget(
  store: Store,
  namespace: string,
  target: TrafficTarget,
): { readonly revision: string } | { readonly problem: ConditionUpdate } {
  if (target.revisionName) {
    const revision = store.get("Revision", namespace, target.revisionName);
    if (revision === undefined)
      return problem(
        "False",
        "RevisionMissing",
        `Revision "${target.revisionName}" referenced in traffic not found.`,
      );
    if (isReady(revision)) return { revision: target.revisionName };
    const failed = conditionOf(revision, "Ready")?.status === "False";
    return problem(
      failed ? "False" : "Unknown",
      "RevisionMissing",
      `Revision "${target.revisionName}" is not ${failed ? "" : "yet "}ready.`,
    );
  }
  const configuration = store.get("Configuration", namespace, target.configurationName ?? "");
  if (configuration === undefined)
    return problem(
      "False",
      "ConfigurationMissing",
      `Configuration "${target.configurationName ?? ""}" referenced in traffic not found.`,
    );
  const latestReady = configuration.status?.latestReadyRevisionName;
  if (latestReady !== undefined) return { revision: latestReady };
  const failed = conditionOf(configuration, "Ready")?.status === "False";
  return problem(
    failed ? "False" : "Unknown",
    "RevisionMissing",
    failed
      ? `Configuration "${configuration.metadata.name}" does not have any ready Revision.`
      : `Configuration "${configuration.metadata.name}" is waiting for a Revision to become ready.`,
  );
}

function problem(
  status: "False" | "Unknown",
  reason: string,
  message: string,
): { readonly problem: ConditionUpdate } {
  return { problem: { type: "AllTrafficAssigned", status, reason, message } };
}

/**
 * routingState: `active` for revisions that some route names, `reserve` for those that one named before, and for those
 * that a newer one has overtaken before any did: nobody will call them, so min-scale must not keep them.
 */
function markRouted(store: Store, namespace: string): void {
  const routed = new Set(
    store
      .list("Route", namespace)
      .flatMap((route) => (route.status?.traffic ?? []).map((target) => target.revisionName)),
  );
  for (const revision of store.list("Revision", namespace)) {
    const { name, labels } = revision.metadata;
    const state = labels?.[LABELS.routingState];
    if (routed.has(name)) store.label("Revision", namespace, name, { [LABELS.routingState]: "active" });
    else if (state === "active" || (state === "pending" && isOvertaken(store, revision)))
      store.label("Revision", namespace, name, { [LABELS.routingState]: "reserve" });
  }
}

function isOvertaken(store: Store, revision: StoredRevision): boolean {
  const { namespace, labels } = revision.metadata;
  const configuration = store.get("Configuration", namespace, labels?.[LABELS.configuration] ?? "");
  const ready = store.get("Revision", namespace, configuration?.status?.latestReadyRevisionName ?? "");
  return ready !== undefined && generationOf(ready) > generationOf(revision);
}
