/** Signals that end a session: the first asks for a graceful end, the second for an end at once. */
export interface Stop {
  /** 128 + the number of the signal. */
  readonly exitCode: number;
  readonly reason: string;
}

export interface StopSignals {
  /** Resolves at the first signal. */
  readonly first: Promise<Stop>;
  /** Resolves at the second. */
  readonly second: Promise<Stop>;
  /** Leaves the signals to others. */
  release(): void;
}

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

export function catchStopSignals(emitter: NodeJS.EventEmitter = process): StopSignals {
  const settlers: Array<(stop: Stop) => void> = [];
  const first = new Promise<Stop>((resolve) => settlers.push(resolve));
  const second = new Promise<Stop>((resolve) => settlers.push(resolve));
  const handlers = Object.entries(SIGNALS).map(([name, exitCode]) => {
    const handler = (): void => settlers.shift()?.({ exitCode, reason: name === "SIGINT" ? "Ctrl-C" : name });
    emitter.on(name, handler);
    return [name, handler] as const;
  });
  return {
    first,
    second,
    release: () => {
      for (const [name, handler] of handlers) emitter.off(name, handler);
    },
  };
}
