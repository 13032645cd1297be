/**
 * Ends a container: SIGTERM, a grace period on our clock, SIGKILL. Not the engine's own `stop`: its call returns only at
 * the end, its grace can't be shortened, and it runs by the wall clock.
 */
import type Docker from "dockerode";
import type { CancelTimer, Clock } from "../../kernel/clock.ts";
import type { Exit } from "../engine.ts";
import { settled, statusOf } from "./client.ts";

export class Stopper {
  readonly #container: Docker.Container;
  readonly #clock: Clock;
  readonly #exited: () => Promise<Exit>;
  #killAt: number | undefined;
  #cancelKill: CancelTimer | undefined;
  #run: Promise<Exit> | undefined;
  #over = false;
  #killed = false;

  constructor(container: Docker.Container, clock: Clock, exited: () => Promise<Exit>) {
    this.#container = container;
    this.#clock = clock;
    this.#exited = exited;
  }

  /** Whether SIGKILL was sent. */
  get killed(): boolean {
    return this.#killed;
  }

  /** Repeated calls share the first run; an earlier end of the grace period counts. */
  stop(graceMs: number): Promise<Exit> {
    this.#killAfter(graceMs);
    this.#run ??= this.#stop();
    return this.#run;
  }

  #killAfter(graceMs: number): void {
    const at = this.#clock.now() + graceMs;
    if (this.#over || (this.#killAt !== undefined && this.#killAt <= at)) return;
    this.#killAt = at;
    this.#cancelKill?.();
    this.#cancelKill = this.#clock.after(graceMs, () => {
      this.#killed = true;
      // Where the engine is gone, `exited` finds that out.
      void settled(this.#container.kill({ signal: "SIGKILL" })).catch(() => undefined);
    });
  }

  async #stop(): Promise<Exit> {
    await settled(this.#container.kill({ signal: "SIGTERM" })).catch(() => undefined);
    const exit = await this.#exited();
    this.#over = true;
    this.#cancelKill?.();
    return exit;
  }
}

/** Kills first: Podman's forced removal waits its own ten seconds for SIGTERM. */
export async function removeContainer(container: Docker.Container): Promise<void> {
  await settled(container.kill({ signal: "SIGKILL" })).catch(() => undefined);
  await discard(container);
}

/** Removes what has ended, with its anonymous volumes. Resolves when it is gone, also where somebody else removes it. */
export async function discard(container: Docker.Container): Promise<void> {
  try {
    await container.remove({ force: true, v: true });
  } catch (error) {
    if (statusOf(error) === 409) await settled(container.wait({ condition: "removed" }));
    else if (statusOf(error) !== 404) throw error;
  }
}
