/** What the reporters need of a stream; process.stdout and process.stderr fit. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** Width and height of the terminal in cells. */
  readonly columns?: number;
  readonly rows?: number;
  on?(event: "resize" | "error", listener: (error: NodeJS.ErrnoException) => void): unknown;
  off?(event: "resize" | "error", listener: (error: NodeJS.ErrnoException) => void): unknown;
}

export interface GuardedOutput {
  /** Writes, or does nothing once the reader has gone. */
  write(text: string): void;
  close(): void;
}

/**
 * Writes until the reader goes away (`kserve-local up | head -1`), which Node reports as an `error` event that would
 * end the process. `onClosed` is called once; what to do about it is for the caller to say. Errors of another kind (a
 * full disk behind a redirect) count as closed too: there is nowhere left to report them.
 */
export function guardOutput(
  output: Output,
  onClosed: (error: NodeJS.ErrnoException) => void = () => undefined,
): GuardedOutput {
  let open = true;
  const fail = (error: NodeJS.ErrnoException): void => {
    if (!open) return;
    open = false;
    onClosed(error);
  };
  output.on?.("error", fail);
  return {
    write: (text) => {
      if (!open) return;
      try {
        output.write(text);
      } catch (error) {
        fail(error as NodeJS.ErrnoException);
      }
    },
    // The listener stays: a write that is under way may fail after this, and nobody else would catch it.
    close: () => {
      open = false;
    },
  };
}
