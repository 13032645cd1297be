/**
 * The frame around `up` and `test`: judge the manifest, open the session, bring the services up, do the command's own
 * work, and end everything in whatever way that work ends.
 */
import { type Clock, systemClock } from "../kernel/clock.ts";
import { KserveLocalError } from "../kernel/errors.ts";
import type { PlatformEvent } from "../resources/events.ts";
import { servicesIn } from "./documents.ts";
import { isForEveryStart, type LoadedSources, loadManifest, problemEvent, refused } from "./load-manifest.ts";
import { Session, type SessionOptions } from "./session.ts";
import { catchStopSignals, type Stop } from "./signals.ts";

export interface RunOptions extends Omit<SessionOptions, "onEvent"> {
  readonly paths: readonly string[];
  readonly stdin: NodeJS.ReadableStream;
  /** ms of real time for the services to become ready; undefined = as long as the platform gives them. */
  readonly waitTimeoutMs?: number;
  onEvent(event: PlatformEvent): void;
}

export interface RunningSession {
  readonly session: Session;
  readonly sources: LoadedSources;
  /** Aborts when the user asks to stop. */
  readonly signal: AbortSignal;
  /** Aborts when the user asks again: nothing is waited for any more. */
  readonly hurry: AbortSignal;
}

/** The user's signal as an error: what waits is told so. */
class Stopped extends Error {
  readonly stop: Stop;
  constructor(stop: Stop) {
    super(stop.reason);
    this.stop = stop;
  }
}

/**
 * Resolves to the exit code: `work`'s, or that of the signal. Whatever happens, nothing is left behind. `beforeApply`
 * runs beside the first build, and has ended when the services are said to be ready.
 * @throws KserveLocalError where the manifest, an image or a service is bad; the session is closed by then
 */
export async function runSession(
  options: RunOptions,
  work: (running: RunningSession) => Promise<number>,
  beforeApply: (running: RunningSession) => Promise<void> = () => Promise.resolve(),
): Promise<number> {
  const sources = await loadManifest(options);
  const clock = systemClock();
  for (const problem of sources.manifest.problems)
    if (isForEveryStart(problem))
      options.onEvent({ time: clock.now(), ...problemEvent(problem, sources.texts) });
  if (!sources.manifest.valid) throw refused(sources.manifest);
  requireService(sources);
  const signals = catchStopSignals();
  const stopping = new AbortController();
  const hurrying = new AbortController();
  void signals.first.then((stop) => stopping.abort(new Stopped(stop)));
  try {
    const session = await Session.open(options, clock);
    void signals.second.then((stop) => {
      hurrying.abort(new Stopped(stop));
      // What goes wrong is told by the ending that this one hurries.
      session.close(stop.reason, { now: true }).catch(() => undefined);
    });
    let reason = "done";
    try {
      stopping.signal.throwIfAborted();
      const running = { session, sources, signal: stopping.signal, hurry: hurrying.signal };
      await Promise.all([beforeApply(running), session.apply(sources.manifest, "all", stopping.signal)]);
      await becomeReady(session, clock, options.waitTimeoutMs, stopping.signal);
      return await work(running);
    } catch (error) {
      if (!stopping.signal.aborted) {
        reason = "it could not come up";
        throw error;
      }
      const { stop } = stopping.signal.reason as Stopped;
      reason = stop.reason;
      return stop.exitCode;
    } finally {
      await session.close(reason);
    }
  } finally {
    signals.release();
  }
}

async function becomeReady(
  session: Session,
  clock: Clock,
  timeoutMs: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (timeoutMs === undefined) return session.ready(signal);
  const timeout = new AbortController();
  const cancel = clock.after(timeoutMs, () => {
    const pending = session.instances.map((instance) => `${instance.name} is ${instance.state}`);
    timeout.abort(
      new KserveLocalError("not-ready", {
        what: `the services were not ready within ${timeoutMs / 1000} s`,
        why: pending.length === 0 ? "no instance had been started" : pending.join("\n"),
        fix: "give them longer with --wait-timeout, or look at the log above for what holds them up",
      }),
    );
  });
  try {
    await session.ready(AbortSignal.any([signal, timeout.signal]));
  } finally {
    cancel();
  }
}

function requireService({ manifest, files }: LoadedSources): void {
  if (servicesIn(manifest.documents).length > 0) return;
  const kinds = [...new Set(manifest.documents.map(({ kind }) => kind))].join(", ");
  throw new KserveLocalError("manifest-invalid", {
    what: `there is no Knative Service in ${files.join(", ")}`,
    why: kinds === "" ? "the files hold no documents" : `what is there: ${kinds}`,
    fix: "kserve-local runs documents of apiVersion serving.knative.dev/v1, kind Service",
  });
}
