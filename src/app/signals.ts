/** Signals that end a session: the first asks for a graceful end, the second for an end at once. */
export interface Stop {
  /** 128 + the number of the signal. */
  readonly exitCode: number;
  readonly reason: string;
}

export interface StopSignals {
  /** Resolves at the first signal. */
  readonly first: Promise<Stop>;
  /** Resolves at the second. A third one does what it does by default: the process dies, and the watchdogs clean up. */
  readonly second: Promise<Stop>;
  /** Leaves the signals to others. */
  release(): void;
}

const SIGNALS: ReadonlyArray<readonly [name: string, stop: Stop]> = [
  ["SIGINT", { exitCode: 130, reason: "Ctrl-C" }],
  ["SIGTERM", { exitCode: 143, reason: "SIGTERM" }],
  ["SIGHUP", { exitCode: 129, reason: "SIGHUP" }],
];
/**
 * Whoever reads our output has gone. That is no request for haste: in `up | tee log` one Ctrl-C ends the reader, too,
 * and must not count twice.
 */
const BROKEN_PIPE: Stop = { exitCode: 141, reason: "the reader of the output has gone" };

export function catchStopSignals(emitter: NodeJS.EventEmitter = process): StopSignals {
  const settlers: Array<(stop: Stop) => void> = [];
  const first = new Promise<Stop>((resolve) => settlers.push(resolve));
  const second = new Promise<Stop>((resolve) => settlers.push(resolve));
  const handlers = SIGNALS.map(([name, stop]) => {
    const handler = (): void => {
      settlers.shift()?.(stop);
      if (settlers.length === 0) release();
    };
    return [name, handler] as const;
  });
  const onBrokenPipe = (): void => {
    if (settlers.length === 2) settlers.shift()?.(BROKEN_PIPE);
  };
  const release = (): void => {
    for (const [name, handler] of handlers) emitter.off(name, handler);
    emitter.off("SIGPIPE", onBrokenPipe);
  };
  for (const [name, handler] of handlers) emitter.on(name, handler);
  emitter.on("SIGPIPE", onBrokenPipe);
  return { first, second, release };
}
