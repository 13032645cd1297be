/**
 * Everything observable, as events with a time (ms since the epoch; times and durations are real, also with --time-scale). The console, `--output json`, the tests
 * and later the dashboard are listeners of one EventBus<PlatformEvent>. docs/events.md documents each; the JSON on
 * stdout is these objects with `time` as RFC 3339.
 */
import type { InstanceState } from "./instance-state.ts";

interface At {
  readonly time: number;
}

export type PlatformEvent = At &
  (
    | SessionStarted
    | EngineChosen
    | ServiceReady
    | ServiceFailed
    | ServiceRemoved
    | RevisionCreated
    | RevisionReady
    | RevisionFailed
    | RevisionScaled
    | InstanceChanged
    | RequestCompleted
    | AppLog
    | BuildProgress
    | WatchEvent
    | ProblemFound
    | Notice
    | SessionStopping
  );

export type PlatformEventBody = PlatformEvent extends infer E
  ? E extends At
    ? Omit<E, "time">
    : never
  : never;

/** The ingress listens; services come later. */
export interface SessionStarted {
  readonly type: "session.started";
  readonly session: string;
  readonly url: string;
  readonly port: number;
  readonly profile: string;
  readonly timeScale: number;
}

export interface EngineChosen {
  readonly type: "engine.chosen";
  readonly engine: "docker" | "process" | "fake";
  readonly title: string;
  readonly reason: string;
}

export interface ServiceReady {
  readonly type: "service.ready";
  readonly service: string;
  readonly namespace: string;
  readonly url: string;
  readonly revision: string;
}

export interface ServiceFailed {
  readonly type: "service.failed";
  readonly service: string;
  readonly namespace: string;
  readonly reason: string;
  readonly message: string;
}

export interface ServiceRemoved {
  readonly type: "service.removed";
  readonly service: string;
  readonly namespace: string;
}

export interface RevisionCreated {
  readonly type: "revision.created";
  readonly revision: string;
  readonly service: string;
  readonly namespace: string;
  readonly image: string;
  readonly reason: string;
}

export interface RevisionReady {
  readonly type: "revision.ready";
  readonly revision: string;
  readonly service: string;
  readonly namespace: string;
  /** From creation to the first ready instance. */
  readonly durationMs: number;
}

export interface RevisionFailed {
  readonly type: "revision.failed";
  readonly revision: string;
  readonly service: string;
  readonly namespace: string;
  readonly reason: string;
  readonly message: string;
}

export interface RevisionScaled {
  readonly type: "revision.scaled";
  readonly revision: string;
  /** Instances wanted from now on. */
  readonly desired: number;
  /** Instances that exist and are not going, at this moment. */
  readonly actual: number;
  readonly reason: string;
  /** Why there are that many, and what comes next and when, in a sentence; absent before the first decision. */
  readonly explanation?: string;
}

export interface InstanceChanged {
  readonly type: "instance.state";
  readonly instance: string;
  readonly revision: string;
  readonly from: InstanceState;
  readonly to: InstanceState;
  readonly reason: string;
}

export interface RequestCompleted {
  readonly type: "request.completed";
  readonly service?: string;
  readonly revision?: string;
  readonly instance?: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  /** What the client got; 499 where the client went away before the answer. */
  readonly status: number;
  readonly durationMs: number;
  /** Waiting for an instance, cold start included. */
  readonly queuedMs: number;
  readonly coldStart: boolean;
  /** Why the platform answered or cut, when it was not the app: `timeout`, `overload`, `no-route`, … */
  readonly reason?: string;
  /** One sentence for people, naming the YAML field where one is behind it. */
  readonly detail?: string;
}

export interface AppLog {
  readonly type: "log";
  readonly instance: string;
  readonly revision: string;
  readonly container: string;
  readonly stream: "stdout" | "stderr";
  readonly line: string;
}

export interface BuildProgress {
  readonly type: "build.progress";
  readonly service: string;
  readonly phase: "build" | "pull" | "find";
  readonly status: "start" | "step" | "output" | "transfer" | "done" | "failed";
  readonly message: string;
  /** `transfer`: which layer or context `current` and `total` count; several may be under way at once. */
  readonly id?: string;
  /** Bytes. */
  readonly current?: number;
  /** Bytes; 0 or absent where unknown. */
  readonly total?: number;
}

/** The watcher saw a change, and what it decided. */
export interface WatchEvent {
  readonly type: "watch.change";
  readonly files: readonly string[];
  readonly decision: string;
}

export interface ProblemFound {
  readonly type: "problem";
  readonly severity: "error" | "warning" | "notice";
  readonly code: string;
  readonly message: string;
  readonly why?: string;
  readonly hint?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly path?: string;
  /** The lines of the file around the place, ready to print, one entry a line. */
  readonly frame?: readonly string[];
}

export interface Notice {
  readonly type: "notice";
  readonly message: string;
}

export interface SessionStopping {
  readonly type: "session.stopping";
  readonly reason: string;
}
