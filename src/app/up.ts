/** `kserve-local up`: from the manifest to URLs, until Ctrl-C. */
import { startDevLoop } from "./dev-loop.ts";
import { type RunOptions, runSession } from "./run-session.ts";

export interface UpOptions extends RunOptions {
  readonly watch: boolean;
}

/** Resolves to the exit code. @throws KserveLocalError where it can't come up */
export function up(options: UpOptions): Promise<number> {
  return runSession(options, async ({ session, sources, signal }) => {
    const loop = options.watch ? startDevLoop(session, sources, options) : undefined;
    try {
      await loop?.ready;
      await aborted(signal);
      return 0;
    } finally {
      await loop?.close();
    }
  });
}

/** Rejects with the reason when the signal aborts. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    else signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}
