/**
 * When a container has ended, and how. Three sources: its output stream ends (about 20 ms before the others), `wait` returns,
 * inspect tells. No event stream: it would add nothing but OOM of a child, which Podman doesn't report, and its history is
 * lost when the daemon restarts.
 */
import type Docker from "dockerode";
import type { Clock } from "../../kernel/clock.ts";
import type { Exit } from "../engine.ts";
import { statusOf } from "./client.ts";

const SIGKILLED = 137;

/** How often, and how long apart, an engine that doesn't answer is asked again before it counts as lost. */
const RECONNECT_TRIES = 12;
const RECONNECT_EVERY_MS = 250;

/** Output that is still on its way when the container has ended is waited for, this long at most. */
const DRAIN_MS = 2000;

/** Never rejects. `killed` is whether we sent SIGKILL, asked when the container has ended. */
export async function watchExit(
  container: Docker.Container,
  output: Promise<void>,
  killed: () => boolean,
  clock: Clock,
): Promise<Exit> {
  const exit = await ended(container, output, killed, clock);
  const stop = new AbortController();
  await Promise.race([output, clock.sleep(DRAIN_MS, stop.signal).catch(() => undefined)]);
  stop.abort();
  return exit;
}

async function ended(
  container: Docker.Container,
  output: Promise<void>,
  killed: () => boolean,
  clock: Clock,
): Promise<Exit> {
  const first = await Promise.race([output.then(() => "output" as const), waitFor(container)]);
  if (first === "output") {
    const exit = await look(container, killed());
    if (typeof exit === "object") return exit;
    // The app closed its output, or the connection broke; it runs on.
    await waitFor(container);
  }
  for (let tries = 0; tries < RECONNECT_TRIES; tries += 1) {
    const exit = await look(container, killed());
    if (typeof exit === "object") return exit;
    if (exit === "running") {
      tries = 0;
      await waitFor(container);
    }
    await clock.sleep(RECONNECT_EVERY_MS);
  }
  return { reason: "engine-lost", killed: false };
}

/** Resolves when the container isn't running, or the engine can't say. */
async function waitFor(container: Docker.Container): Promise<"wait"> {
  await container.wait().catch(() => undefined);
  return "wait";
}

async function look(container: Docker.Container, killed: boolean): Promise<Exit | "running" | "unreachable"> {
  try {
    const { State: state } = await container.inspect();
    return state.Running || state.Status === "created" ? "running" : exitOf(state, killed);
  } catch (error) {
    return statusOf(error) === 404 ? { reason: "removed", killed } : "unreachable";
  }
}

/**
 * `OOMKilled` alone is not enough: it is set as well when a child was killed and the app lived on. Without our doing and with
 * code 137 it was the app.
 */
export function exitOf(
  state: Pick<Docker.ContainerInspectInfo["State"], "Status" | "ExitCode" | "OOMKilled">,
  killed: boolean,
): Exit {
  const code = state.ExitCode;
  const byUs = killed && code === SIGKILLED;
  if (!killed && (state.Status === "removing" || state.Status === "dead"))
    return { code, reason: "removed", killed: false };
  if (state.OOMKilled && code === SIGKILLED && !byUs) return { code, reason: "oom", killed: false };
  return { code, reason: "exited", killed: byUs };
}
