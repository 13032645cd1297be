import { afterEach } from "vitest";
import { type ConsoleOptions, createConsoleReporter } from "../../src/report/console.ts";
import type { Reporter } from "../../src/report/json.ts";
import type { PlatformEventBody } from "../../src/resources/events.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { type Screen, Sink } from "./screen.ts";

export const INSTANCE = { instance: "hello-00001-deployment-6b9f4d7c5f-x8k2p", revision: "hello-00001" };
export const URL = "http://hello.default.localhost:8080";

const reporters: Reporter[] = [];
afterEach(() => {
  for (const reporter of reporters.splice(0)) reporter.close();
});

interface Rig {
  readonly clock: FakeClock;
  /** Where there is no screen. */
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly reporter: Reporter;
  readonly say: (...events: PlatformEventBody[]) => void;
  /** What is on the screen after the next frame. */
  readonly look: () => Promise<string[]>;
}

/** A console in a pipe, or on `screen`. */
export function open(options: Partial<ConsoleOptions> = {}, screen?: Screen): Rig {
  const clock = new FakeClock();
  const stdout = new Sink();
  const stderr = new Sink();
  const reporter = createConsoleReporter({
    stdout: screen?.output() ?? stdout,
    stderr: screen?.output() ?? stderr,
    env: screen === undefined ? {} : { TERM: "xterm-256color" },
    clock,
    cwd: "/app",
    ...options,
  });
  reporters.push(reporter);
  return {
    clock,
    stdout,
    stderr,
    reporter,
    say: (...events) => {
      for (const event of events) reporter.listener({ ...event, time: 0 });
    },
    look: async () => {
      await clock.advance(100);
      return screen?.lines ?? [];
    },
  };
}

export const log = (
  line: string,
  more: { stream?: "stderr"; container?: string; instance?: string } = {},
): PlatformEventBody => ({
  type: "log",
  container: "user-container",
  stream: "stdout",
  line,
  ...INSTANCE,
  ...more,
});
export const request = (
  more: Partial<Extract<PlatformEventBody, { type: "request.completed" }>>,
): PlatformEventBody => ({
  type: "request.completed",
  service: "hello",
  ...INSTANCE,
  method: "GET",
  host: "hello.default.localhost",
  path: "/",
  status: 200,
  durationMs: 12,
  queuedMs: 0,
  coldStart: false,
  ...more,
});
export const build = (
  status: Extract<PlatformEventBody, { type: "build.progress" }>["status"],
  message = "",
  more: { id?: string; current?: number; total?: number; phase?: "pull" } = {},
): PlatformEventBody => ({
  type: "build.progress",
  service: "hello",
  phase: "build",
  status,
  message,
  ...more,
});
export const state = (
  from: "pending" | "starting" | "ready" | "unready" | "draining",
  to: "starting" | "ready" | "unready" | "draining" | "terminating" | "gone" | "failed",
  reason = "",
): PlatformEventBody => ({
  type: "instance.state",
  ...INSTANCE,
  from,
  to,
  reason,
});
export const started = {
  type: "session.started",
  session: "s",
  url: "http://localhost:8080",
  port: 8080,
  profile: "gke",
  timeScale: 1,
} as const satisfies PlatformEventBody;
export const created = {
  type: "revision.created",
  revision: "hello-00001",
  service: "hello",
  namespace: "default",
  image: "hello",
  reason: "first deployment",
} as const satisfies PlatformEventBody;
export const revisionReady = {
  type: "revision.ready",
  revision: "hello-00001",
  service: "hello",
  namespace: "default",
  durationMs: 9999,
} as const satisfies PlatformEventBody;
export const ready = (revision = "hello-00001"): PlatformEventBody => ({
  type: "service.ready",
  service: "hello",
  namespace: "default",
  url: URL,
  revision,
});
