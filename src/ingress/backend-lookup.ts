/** How the ingress finds what serves a revision; app/ connects it to the controller of revisions. */
import type { Activator } from "../activator/activator.ts";

export type BackendLookup = (
  namespace: string,
  revision: string,
) => Parameters<Activator["serve"]>[1] | undefined;
