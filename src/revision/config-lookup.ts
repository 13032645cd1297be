/** ConfigMaps and Secrets of one namespace, read from the store and decoded. */
import type { Store } from "../resources/store.ts";
import type { ConfigLookup } from "./env.ts";

export function storeLookup(store: Store, namespace: string): ConfigLookup {
  return {
    configMap(name) {
      const object = store.get("ConfigMap", namespace, name);
      if (object === undefined) return undefined;
      return new Map([...plain(object.data), ...base64(object.binaryData)]);
    },
    secret(name) {
      const object = store.get("Secret", namespace, name);
      // stringData wins over data, as the API server merges it on write.
      return object === undefined
        ? undefined
        : new Map([...base64(object.data), ...plain(object.stringData)]);
    },
  };
}

function plain(data: Readonly<Record<string, string>> | undefined): Array<[string, Uint8Array]> {
  return Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, "utf8")]);
}

function base64(data: Readonly<Record<string, string>> | undefined): Array<[string, Uint8Array]> {
  return Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, "base64")]);
}
