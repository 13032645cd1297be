/** The two engines of the data path, behind one interface. docs/proxy-engines.md says how they differ. */
import { type Clock, systemClock } from "../kernel/clock.ts";
import type { Exchange } from "./exchange.ts";
import { forward, type ForwardOptions, type ForwardOutcome } from "./forward.ts";
import { createFrontServer, type FrontServer, type FrontServerOptions } from "./front-server.ts";
import { rawEngine } from "./raw/raw-engine.ts";
import { createUpstream, type Upstream, type UpstreamOptions } from "./upstream.ts";

/** `raw`: own parser on bare sockets. `node`: node's HTTP server and client. */
export type EngineKind = "raw" | "node";

export const ENGINE_KINDS: readonly EngineKind[] = ["raw", "node"];

/** An exchange and an upstream of one engine can't be mixed with those of another: `forward` throws a TypeError. */
export interface ProxyEngine {
  readonly kind: EngineKind;
  readonly createFrontServer: (
    handler: (exchange: Exchange) => void,
    options?: FrontServerOptions,
  ) => FrontServer;
  readonly createUpstream: (
    address: { readonly host: string; readonly port: number },
    options?: UpstreamOptions,
  ) => Upstream;
  readonly forward: (
    exchange: Exchange,
    upstream: Upstream,
    options?: ForwardOptions,
  ) => Promise<ForwardOutcome>;
}

/** @param clock real time, for the raw engine's timeouts; node's has timers of its own */
export function proxyEngine(kind: EngineKind, clock: Clock = systemClock()): ProxyEngine {
  return kind === "raw" ? rawEngine(clock) : { kind, createFrontServer, createUpstream, forward };
}
