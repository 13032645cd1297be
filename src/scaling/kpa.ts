import { type ActiveCondition, nextActive } from "./active.ts";
import { activeThreshold, applyBounds, type HeldBy } from "./bounds.ts";
import { decide, excessBurstCapacity, initialExcessBurstCapacity, type PanicState } from "./decide.ts";
import { DelayWindow } from "./delay-window.ts";
import { describeDecision } from "./explain.ts";
import type { Decision, ScaleOutcome, Seen, SeenReplicas, Stat } from "./outcome.ts";
import type { ScalingSettings } from "./settings.ts";
import { scaleToZero } from "./to-zero.ts";
import { createWindow, type MetricWindow } from "./windows.ts";

/** How a revision's scaling begins: a new revision, one that is at zero, one whose instances are already there. */
export type StartFrom = "new" | "zero" | "running";

export interface Start {
  readonly now: number;
  readonly ready: number;
  readonly from?: StartFrom;
}

interface KpaState {
  readonly panic: PanicState;
  readonly decision: Decision;
  readonly active: ActiveCondition;
  /** Whether the initial scale was once reached. */
  readonly initialized: boolean;
  /** Since when all requests have come through the activator; undefined while they do not. */
  readonly activatorSince: number | undefined;
}

/** Knative's metric collector, decider and KPA reconciler for one revision. `Autoscaler` adds the look ahead. */
export class Kpa {
  readonly settings: ScalingSettings;
  #state: KpaState;
  #stable: MetricWindow;
  #panic: MetricWindow;
  #delay: DelayWindow | undefined;

  constructor(settings: ScalingSettings, start: Start) {
    this.settings = settings;
    this.#stable = createWindow(settings.aggregation, settings.stableWindowMs);
    this.#panic = createWindow(settings.aggregation, settings.panicWindowMs);
    this.#delay = settings.scaleDownDelayMs > 0 ? new DelayWindow(settings.scaleDownDelayMs) : undefined;
    this.#state = stateAtStart(settings, start);
  }

  get decision(): Decision {
    return this.#state.decision;
  }

  record(now: number, stat: Stat): boolean {
    const value = sane(this.settings.metric === "rps" ? stat.requests : stat.concurrency);
    this.#stable.record(now, value);
    this.#panic.record(now, value);
    return this.decision.desired === 0 && sane(stat.concurrency) > 0;
  }

  tick(now: number, seen: Seen): Decision {
    const state = this.#state;
    // With the activator always in the path no instance is asked, so no data means no requests.
    if (this.#stable.isEmpty(now) && this.settings.targetBurstCapacity !== -1) {
      return state.decision.valid
        ? this.#decided(state.panic, { ...state.decision, ...NO_DATA })
        : state.decision;
    }
    const observed = {
      stable: this.#stable.average(now),
      panic: this.#panic.average(now),
      ready: sane(seen.ready),
      reachable: seen.reachable,
    };
    const { desired: undelayed, panic } = decide(this.settings, state.panic, observed, now);
    const desired =
      this.#delay !== undefined && seen.reachable ? this.#delay.record(now, undelayed) : undelayed;
    const inPanic = panic.since !== undefined;
    return this.#decided(panic, {
      desired,
      ebc: excessBurstCapacity(this.settings, observed.ready, observed.panic),
      inPanic,
      maxPanicPods: panic.pods,
      valid: true,
      stable: observed.stable,
      panic: observed.panic,
      reason: describeDecision(this.settings, { ...observed, inPanic, desired, undelayed }),
    });
  }

  /** One round of ReconcileKind: the last decision is brought to bear on what there is. */
  reconcile(now: number, seen: SeenReplicas): ScaleOutcome {
    const { active, decision, initialized } = this.#state;
    const ready = sane(seen.ready);
    const { want, apply, heldBy } = this.#scale(now, seen.reachable);
    const proxied = want === 0 || decision.ebc < 0 || (want === -1 && active.status === "False");
    const threshold = activeThreshold(this.settings, { reachable: seen.reachable, initialized });
    const next = nextActive(active, { want, ready, threshold }, now);
    // Without a ready instance requests come through the activator in either mode.
    this.#reconciled(next, initialized || ready >= threshold, proxied || ready === 0, now);
    return {
      want,
      replicas: apply ? want : seen.replicas,
      mode: proxied ? "Proxy" : "Serve",
      active: next.status,
      reason: next.reason,
      ...(heldBy !== undefined && { heldBy }),
    };
  }

  /** An independent copy, to look ahead with. */
  clone(): Kpa {
    const copy = new Kpa(this.settings, { now: 0, ready: 0 });
    copy.#state = this.#state;
    copy.#stable = this.#stable.clone();
    copy.#panic = this.#panic.clone();
    copy.#delay = this.#delay?.clone();
    return copy;
  }

  #decided(panic: PanicState, decision: Decision): Decision {
    this.#state = { ...this.#state, panic, decision };
    return decision;
  }

  /** Most rounds change nothing, so the state is written only if one does. */
  #reconciled(active: ActiveCondition, initialized: boolean, throughActivator: boolean, now: number): void {
    const before = this.#state;
    const activatorSince = throughActivator ? (before.activatorSince ?? now) : undefined;
    const same =
      before.active === active &&
      before.initialized === initialized &&
      before.activatorSince === activatorSince;
    if (!same) this.#state = { ...before, active, initialized, activatorSince };
  }

  #scale(
    now: number,
    reachable: boolean,
  ): { readonly want: number; readonly apply: boolean; readonly heldBy?: HeldBy } {
    const { active, decision, initialized, activatorSince } = this.#state;
    if (decision.desired < 0 && active.status !== "Unknown") return { want: decision.desired, apply: false };
    const { count, heldBy } = applyBounds(this.settings, { reachable, initialized }, decision.desired);
    const held = heldBy === undefined ? {} : { heldBy };
    if (count !== 0) return { want: count, apply: true, ...held };
    return { ...scaleToZero(this.settings, { active, reachable, activatorSince }, now), ...held };
  }
}

const NO_DATA = { valid: false, stable: 0, panic: 0, reason: "no data" } as const;

function stateAtStart(settings: ScalingSettings, { now, ready, from = "new" }: Start): KpaState {
  // With instances but no history the count would fall at once; so it begins in panic, which only lets it rise.
  const inPanic = ready > 1;
  return {
    panic: { since: inPanic ? now : undefined, pods: ready },
    decision: {
      ...NO_DATA,
      desired: from === "zero" ? 0 : -1,
      ebc: initialExcessBurstCapacity(settings),
      inPanic,
      maxPanicPods: ready,
    },
    active: { ...ACTIVE_AT_START[from], since: now },
    initialized: from !== "new",
    activatorSince: from === "running" ? undefined : now,
  };
}

const ACTIVE_AT_START = {
  new: { status: "Unknown", reason: "" },
  zero: { status: "False", reason: "NoTraffic" },
  running: { status: "True", reason: "" },
} as const;

/** Counts and means that arithmetic can trust. */
function sane(value: number): number {
  return Number.isFinite(value) && value > 0 ? value : 0;
}
