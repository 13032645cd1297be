/** An app's container at the gate, with its network: used once, or discarded. */
import type { Clock } from "../../kernel/clock.ts";
import type { Address, LogLine } from "../engine.ts";
import type { Gate } from "./gate/gate.ts";
import type { Holder } from "./holder/holder.ts";
import { DockerInstance } from "./instance.ts";
import { discard } from "./stop.ts";

export interface WaitingAppParts {
  readonly gate: Gate;
  readonly holder: Holder;
  readonly address: Address;
  readonly clock: Clock;
  readonly execAs?: string;
  /** Who gets the app's lines from now on. */
  readonly listen: (onLog: (line: LogLine) => void) => void;
}

export class WaitingApp {
  readonly id: string;
  /** Resolves when it can't be used any more; never rejects. */
  readonly lost: Promise<void>;
  readonly #parts: WaitingAppParts;
  #discarded: Promise<void> | undefined;

  constructor(parts: WaitingAppParts) {
    this.#parts = parts;
    this.id = parts.gate.container.id;
    this.lost = Promise.race([parts.gate.output, parts.holder.closed]);
  }

  /** Lets the app go. Should its program turn out not to be executable, the instance ends with the engine's own exit code. */
  use(onLog: (line: LogLine) => void): DockerInstance {
    const { gate, holder, address, clock, execAs, listen } = this.#parts;
    const { container, output } = gate;
    listen(onLog);
    const instance = new DockerInstance({
      container,
      address,
      output,
      clock,
      ...(execAs === undefined ? {} : { execAs }),
      afterwards: () => holder.close(),
    });
    gate.release();
    // Without its network nobody reaches the app any more.
    void holder.closed.then(() => discard(container)).catch(() => undefined);
    return instance;
  }

  /** The app before its network. Idempotent. */
  discard(): Promise<void> {
    const { gate, holder } = this.#parts;
    this.#discarded ??= (async () => {
      try {
        await gate.discard();
      } finally {
        await holder.close();
      }
    })();
    return this.#discarded;
  }
}
