/** `kserve-local up`: from the manifest to URLs, until Ctrl-C. */
import { type DevLoop, startDevLoop } from "./dev-loop.ts";
import { type RunOptions, runSession } from "./run-session.ts";

export interface UpOptions extends RunOptions {
  readonly watch: boolean;
}

/** Resolves to the exit code. @throws KserveLocalError where it can't come up */
export async function up(options: UpOptions): Promise<number> {
  let loop: DevLoop | undefined;
  try {
    return await runSession(
      options,
      async ({ signal }) => {
        loop?.begin();
        try {
          return await aborted(signal);
        } finally {
          // Before the session ends: an edit made now deploys nothing any more.
          await loop?.close();
        }
      },
      async ({ session, sources }) => {
        // Before the first build: an edit made while it runs must not be lost.
        if (!options.watch) return;
        loop = startDevLoop(session, sources, options);
        await loop.ready;
      },
    );
  } finally {
    await loop?.close();
  }
}

/** Rejects with the reason when the signal aborts. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    else signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}
