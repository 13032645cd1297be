import type { Decision, ScaleOutcome } from "./outcome.ts";
import type { ScalingSettings } from "./settings.ts";

export interface ExplainInput {
  readonly now: number;
  readonly settings: ScalingSettings;
  readonly decision: Decision;
  readonly outcome: ScaleOutcome;
  readonly ready: number;
  /** Requests in flight or waiting at this moment. */
  readonly inFlight: number;
  /** When the last request ended or came; absent if there was none. */
  readonly lastRequestAt?: number;
}

/**
 * Why there are as many instances as there are and what comes next, in one sentence: "1 instance: none in flight, last
 * request 41 s ago, to zero in 19 s".
 */
export function explain(input: ExplainInput): string {
  const { now, outcome, ready, lastRequestAt } = input;
  const parts: string[] = [];
  if (ready < outcome.replicas) parts.push(`${outcome.replicas - ready} starting`);
  parts.push(load(input));
  if (outcome.replicas === 0) parts.push(...atZero(outcome));
  else if (outcome.heldBy !== undefined) parts.push(`held at ${outcome.want} by ${outcome.heldBy}`);
  else if (outcome.want > 0 && input.inFlight > 0) parts.push(`target ${amount(input.settings.target)} each`);
  if (input.inFlight === 0 && lastRequestAt !== undefined) {
    parts.push(`last request ${seconds(now - lastRequestAt)} ago`);
  }
  if (outcome.nextChange !== undefined) {
    const { at, to } = outcome.nextChange;
    parts.push(`to ${to === 0 ? "zero" : to} in ${seconds(at - now)}`);
  }
  const count = outcome.replicas;
  return `${count} instance${count === 1 ? "" : "s"}: ${parts.join(", ")}`;
}

function load({ settings, decision, inFlight }: ExplainInput): string {
  if (inFlight === 0) return "none in flight";
  if (!decision.valid) return `${inFlight} in flight`;
  return mean(settings, decision);
}

function atZero(outcome: ScaleOutcome): string[] {
  return outcome.reason === "TimedOut" ? ["none became ready in time"] : [];
}

/** One decision in words, for its event: "210 in flight on average over 6 s (panic) at 70 each: 3". */
export function describeDecision(
  settings: ScalingSettings,
  decided: Pick<Decision, "stable" | "panic" | "inPanic" | "desired"> & { readonly undelayed: number },
): string {
  const held = decided.desired > decided.undelayed ? `, ${decided.undelayed} after scale-down-delay` : "";
  return `${mean(settings, decided)} at ${amount(settings.target)} each: ${decided.desired}${held}`;
}

function mean(settings: ScalingSettings, of: Pick<Decision, "stable" | "panic" | "inPanic">): string {
  const unit = settings.metric === "rps" ? "requests/s" : "in flight";
  // Panic takes the greater of both; the one that decides is named.
  const byPanic = of.inPanic && of.panic >= of.stable;
  const [value, window] = byPanic ? [of.panic, settings.panicWindowMs] : [of.stable, settings.stableWindowMs];
  return `${amount(value)} ${unit} on average over ${seconds(window)}${of.inPanic ? " (panic)" : ""}`;
}

/** At most two digits after the point. */
function amount(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function seconds(ms: number): string {
  return `${Math.max(0, Math.round(ms / 1000))} s`;
}
