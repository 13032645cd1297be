/**
 * The environment of a container (BEHAVIOUR 3.1): envFrom, then env in order, then the platform's own, which win.
 * PORT comes after the user's entries, so `$(PORT)` works in command and args but not inside env values, as on a
 * cluster.
 */
import { KserveLocalError } from "../kernel/errors.ts";
import type { Container } from "../manifest/spec.ts";
import { expand } from "./expand.ts";

/** Data of the ConfigMaps and Secrets that came with the manifest; undefined = there is no such object. */
export interface ConfigLookup {
  configMap(name: string): ReadonlyMap<string, Uint8Array> | undefined;
  secret(name: string): ReadonlyMap<string, Uint8Array> | undefined;
}

export interface PlatformEnv {
  readonly service: string;
  readonly revision: string;
  readonly configuration: string;
  /** Given to the container that serves; sidecars have no PORT. */
  readonly port?: number;
}

/** Environment names that a container can have (Kubernetes drops others that come by envFrom). */
const ENV_NAME = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/;

/**
 * The complete environment, names unique, in the order of first appearance.
 * @throws KserveLocalError `manifest-invalid` where a ConfigMap, a Secret or a key is missing and not optional.
 */
export function containerEnv(
  container: Container,
  platform: PlatformEnv,
  lookup: ConfigLookup,
  extra: ReadonlyArray<readonly [string, string]> = [],
): ReadonlyArray<readonly [string, string]> {
  const env = new Map<string, string>();
  for (const source of container.envFrom ?? []) {
    const reference = source.configMapRef ?? source.secretRef;
    if (reference === undefined) continue;
    const kind = source.configMapRef === undefined ? "Secret" : "ConfigMap";
    const data = kind === "Secret" ? lookup.secret(reference.name) : lookup.configMap(reference.name);
    if (data === undefined) {
      if (reference.optional === true) continue;
      throw missing(kind, reference.name, undefined, `envFrom of container ${container.name}`);
    }
    for (const [key, value] of data) {
      const name = `${source.prefix ?? ""}${key}`;
      if (ENV_NAME.test(name)) env.set(name, text(value));
    }
  }
  for (const entry of container.env ?? []) {
    const value = valueOf(entry, env, container, lookup);
    if (value !== undefined) env.set(entry.name, value);
  }
  for (const [name, value] of extra) env.set(name, value);
  if (platform.port !== undefined) env.set("PORT", String(platform.port));
  env.set("K_REVISION", platform.revision);
  env.set("K_CONFIGURATION", platform.configuration);
  env.set("K_SERVICE", platform.service);
  return [...env];
}

function valueOf(
  entry: NonNullable<Container["env"]>[number],
  env: ReadonlyMap<string, string>,
  container: Container,
  lookup: ConfigLookup,
): string | undefined {
  const from = entry.valueFrom;
  if (from === undefined) return expand(entry.value ?? "", (name) => env.get(name));
  const selector = from.configMapKeyRef ?? from.secretKeyRef;
  if (selector === undefined)
    throw new KserveLocalError("manifest-invalid", {
      what: `env ${entry.name} of container ${container.name} takes its value from a field of the pod`,
      why: "fieldRef and resourceFieldRef have no counterpart outside a cluster",
      fix: "give the variable a value, or take it from a ConfigMap or Secret",
    });
  const kind = from.configMapKeyRef === undefined ? "Secret" : "ConfigMap";
  const data = kind === "Secret" ? lookup.secret(selector.name) : lookup.configMap(selector.name);
  const value = data?.get(selector.key);
  if (value !== undefined) return text(value);
  if (selector.optional === true) return undefined;
  throw missing(
    kind,
    selector.name,
    data === undefined ? undefined : selector.key,
    `env ${entry.name} of container ${container.name}`,
  );
}

function missing(
  kind: "ConfigMap" | "Secret",
  name: string,
  key: string | undefined,
  where: string,
): KserveLocalError {
  const thing = key === undefined ? `${kind} ${name}` : `key ${key} in ${kind} ${name}`;
  return new KserveLocalError("manifest-invalid", {
    what: `${thing} does not exist, and ${where} needs it`,
    why: `on a cluster the instance would stay in CreateContainerConfigError`,
    fix: `add a ${kind} document named ${name} to the paths given to kserve-local, or mark the reference optional: true`,
  });
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}
