/** A container that runs one instance. */
import type Docker from "dockerode";
import type { Clock } from "../../kernel/clock.ts";
import type { Address, EngineInstance, ExecResult, Exit } from "../engine.ts";
import { execIn } from "./exec.ts";
import { watchExit } from "./exit.ts";
import { discard, Stopper } from "./stop.ts";

export interface InstanceParts {
  readonly container: Docker.Container;
  readonly address: Address;
  /** Resolves when all output has been delivered. */
  readonly output: Promise<void>;
  readonly clock: Clock;
  /** Whom commands in the container run as; absent: the container's own user. */
  readonly execAs?: string;
  /** Lets go of what the container stood on, when it is gone. */
  readonly afterwards?: () => Promise<void>;
}

export class DockerInstance implements EngineInstance {
  readonly id: string;
  readonly address: Address;
  readonly exited: Promise<Exit>;
  /**
   * Resolves when the container is gone; never rejects. It goes as soon as it has ended, whoever ended it: nothing is read
   * from it afterwards.
   */
  readonly removed: Promise<void>;
  readonly #container: Docker.Container;
  readonly #stopper: Stopper;
  readonly #execAs: string | undefined;
  readonly #afterwards: () => Promise<void>;
  #isOver = false;

  constructor({ container, address, output, clock, execAs, afterwards }: InstanceParts) {
    this.#execAs = execAs;
    this.#afterwards = afterwards ?? (() => Promise.resolve());
    this.id = container.id;
    this.address = address;
    this.#container = container;
    this.#stopper = new Stopper(container, clock, () => this.exited);
    this.exited = watchExit(container, output, () => this.#stopper.killed, clock);
    this.removed = this.exited.then(() => this.#remove());
  }

  exec(command: readonly string[], signal: AbortSignal): Promise<ExecResult> {
    return execIn(this.#container, command, signal, this.#execAs);
  }

  async stop(graceMs: number): Promise<Exit> {
    if (!this.#isOver) await this.#stopper.stop(graceMs);
    await this.removed;
    return this.exited;
  }

  /** What can't be removed now is left to the watchdog and the next sweep. */
  async #remove(): Promise<void> {
    this.#isOver = true;
    await discard(this.#container).catch(() => undefined);
    await this.#afterwards().catch(() => undefined);
  }
}
