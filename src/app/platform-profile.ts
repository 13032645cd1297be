/**
 * Where the profiles differ at run time (BEHAVIOUR 3.6); what they differ in at admission is manifest/profiles.ts.
 * Durations in ms of platform time.
 */
import type { TimeoutSemantics } from "../activator/timers.ts";
import type { TerminationPolicy } from "../revision/instance.ts";

export type ProfileName = "gke" | "knative";

export interface PlatformProfile {
  readonly name: ProfileName;
  /** From the start of an instance until it must be ready. */
  readonly startDeadlineMs: number;
  readonly timeoutSemantics: TimeoutSemantics;
  /** `requestTimeoutMs` is the revision's timeoutSeconds. */
  termination(requestTimeoutMs: number): TerminationPolicy;
}

export const PROFILES: Readonly<Record<ProfileName, PlatformProfile>> = {
  gke: {
    name: "gke",
    startDeadlineMs: 240_000,
    timeoutSemantics: "first-byte",
    termination: (requestTimeoutMs) => ({ drainMs: requestTimeoutMs, quietMs: 0, graceMs: 10_000 }),
  },
  knative: {
    name: "knative",
    startDeadlineMs: 600_000,
    timeoutSemantics: "total",
    // terminationGracePeriodSeconds is timeoutSeconds, and queue-proxy holds SIGTERM back for 30 quiet seconds of it.
    termination: (requestTimeoutMs) => ({
      drainMs: requestTimeoutMs,
      quietMs: Math.min(30_000, requestTimeoutMs),
      graceMs: Math.max(0, requestTimeoutMs - 30_000),
    }),
  },
};
