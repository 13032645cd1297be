/**
 * Feature flags of the ConfigMap config-features, with the values that Knative ships.
 * Source: knative/serving pkg/apis/config/features.go, config/core/configmaps/features.yaml.
 */
export type FlagValue = "enabled" | "allowed" | "disabled";

const SHIPPED = {
  "multi-container": "enabled",
  "multi-container-probing": "disabled",
  "autodetect-http2": "disabled",
  "tag-header-based-routing": "disabled",
  "secure-pod-defaults": "disabled",
  "queueproxy.mount-podinfo": "disabled",
  "queueproxy.resource-defaults": "disabled",
  "kubernetes.containerspec-addcapabilities": "disabled",
  "kubernetes.podspec-affinity": "disabled",
  "kubernetes.podspec-dnsconfig": "disabled",
  "kubernetes.podspec-dnspolicy": "disabled",
  "kubernetes.podspec-dryrun": "allowed",
  "kubernetes.podspec-fieldref": "disabled",
  "kubernetes.podspec-hostaliases": "disabled",
  "kubernetes.podspec-hostipc": "disabled",
  "kubernetes.podspec-hostnetwork": "disabled",
  "kubernetes.podspec-hostpid": "disabled",
  "kubernetes.podspec-init-containers": "disabled",
  "kubernetes.podspec-nodeselector": "disabled",
  "kubernetes.podspec-persistent-volume-claim": "disabled",
  "kubernetes.podspec-persistent-volume-write": "disabled",
  "kubernetes.podspec-priorityclassname": "disabled",
  "kubernetes.podspec-runtimeclassname": "disabled",
  "kubernetes.podspec-schedulername": "disabled",
  "kubernetes.podspec-securitycontext": "disabled",
  "kubernetes.podspec-shareprocessnamespace": "disabled",
  "kubernetes.podspec-tolerations": "disabled",
  "kubernetes.podspec-topologyspreadconstraints": "disabled",
  "kubernetes.podspec-volumes-csi": "disabled",
  "kubernetes.podspec-volumes-emptydir": "enabled",
  "kubernetes.podspec-volumes-ephemeral": "disabled",
  "kubernetes.podspec-volumes-hostpath": "disabled",
  "kubernetes.podspec-volumes-image": "disabled",
  "kubernetes.podspec-volumes-mount-propagation": "disabled",
} as const satisfies Record<string, FlagValue>;

export type FeatureName = keyof typeof SHIPPED;
export type Features = Readonly<Record<FeatureName, FlagValue>>;

/** Names and values that are no flags are ignored, as by Knative. */
export function featuresFrom(data: Readonly<Record<string, string>>): Features {
  const features: Record<string, FlagValue> = { ...SHIPPED };
  for (const [name, value] of Object.entries(data)) {
    const flag = value.toLowerCase();
    if (Object.hasOwn(SHIPPED, name) && (flag === "enabled" || flag === "allowed" || flag === "disabled"))
      features[name] = flag;
  }
  return features as Features;
}

export function isFeature(name: string): name is FeatureName {
  return Object.hasOwn(SHIPPED, name);
}
