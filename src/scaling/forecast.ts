import { TICK_MS } from "./delay-window.ts";
import type { Kpa } from "./kpa.ts";
import type { NextChange, SeenReplicas } from "./outcome.ts";

const STEP_MS = 1000;
const SLACK_MS = 60_000;
const NO_REQUESTS = { concurrency: 0, requests: 0 };

/**
 * When the count next changes if no request comes: the same rules, run ahead on a copy. Undefined if it never does. While
 * instances are starting nothing is said, since that depends on them.
 */
export function forecast(
  kpa: Kpa,
  now: number,
  lastTick: number,
  seen: SeenReplicas,
): NextChange | undefined {
  const { replicas, reachable } = seen;
  if (replicas === 0 || seen.ready < replicas) return undefined;
  const ahead = kpa.clone();
  const { stableWindowMs, scaleDownDelayMs, scaleToZeroGraceMs, podRetentionMs } = kpa.settings;
  const end = now + 2 * stableWindowMs + scaleDownDelayMs + scaleToZeroGraceMs + podRetentionMs + SLACK_MS;
  let ticked = lastTick;
  for (let at = now + STEP_MS; at <= end; at += STEP_MS) {
    ahead.record(at, NO_REQUESTS);
    if (at - ticked >= TICK_MS) {
      ahead.tick(at, { ready: replicas, reachable });
      ticked = at;
    }
    const to = ahead.reconcile(at, { ready: replicas, replicas, reachable }).replicas;
    if (to !== replicas) return { at, to };
  }
  return undefined;
}
