/** Which URLs a service gets, and which hosts they stand for (BEHAVIOUR 1.3; DESIGN 4, names and addresses). */

export interface UrlScheme {
  /** The port that the ingress listens on; part of every external URL. */
  readonly port: number;
  /** `localhost`: `*.localhost` is loopback in browsers and in curl. */
  readonly domain: string;
}

/** `hello.default.localhost`; a tag stands before the name, `tag-hello.default.localhost`. */
export function externalHost(scheme: UrlScheme, namespace: string, name: string, tag?: string): string {
  return `${tag === undefined || tag === "" ? "" : `${tag}-`}${name}.${namespace}.${scheme.domain}`;
}

export function externalUrl(scheme: UrlScheme, namespace: string, name: string, tag?: string): string {
  return `http://${externalHost(scheme, namespace, name, tag)}:${scheme.port}`;
}

export function internalHost(namespace: string, name: string, tag?: string): string {
  return `${tag === undefined || tag === "" ? "" : `${tag}-`}${name}.${namespace}.svc.cluster.local`;
}
