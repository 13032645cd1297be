/** Finds a port that is free on both loopback addresses, so that `localhost` means us whichever a client tries first. */
import { KserveLocalError } from "../kernel/errors.ts";
import type { FrontServer } from "../proxy/front-server.ts";

export interface ListenOptions {
  /** 0 = any. */
  readonly port: number;
  /** Fail rather than take the next free port. */
  readonly strict: boolean;
}

const TRIES = 100;

export async function listenOnLoopback(
  options: ListenOptions,
  create: () => FrontServer,
): Promise<{ readonly port: number; readonly servers: readonly FrontServer[] }> {
  for (let offset = 0; offset < TRIES; offset += 1) {
    const wanted = options.port === 0 ? 0 : options.port + offset;
    if (wanted > 65_535) break;
    const bound = await tryPort(wanted, create);
    if (bound !== undefined) return bound;
    if (options.strict && options.port !== 0) break;
  }
  throw new KserveLocalError("port-taken", {
    what: options.strict ? `port ${options.port} is taken` : `no free port from ${options.port} on`,
    why:
      options.port > 0 && options.port < 1024
        ? "ports below 1024 need rights that you may not have, or something listens on it already"
        : "something listens on it already, on 127.0.0.1 or on [::1]",
    fix: "end what listens there, or choose another port with --port (0 takes any free one)",
  });
}

async function tryPort(
  port: number,
  create: () => FrontServer,
): Promise<{ readonly port: number; readonly servers: readonly FrontServer[] } | undefined> {
  const four = create();
  let bound: number;
  try {
    bound = await four.listen(port, "127.0.0.1");
  } catch (error) {
    if (isTaken(error)) return undefined;
    throw error;
  }
  const six = create();
  try {
    await six.listen(bound, "::1");
    return { port: bound, servers: [four, six] };
  } catch (error) {
    six.destroy();
    if (!isTaken(error)) return { port: bound, servers: [four] }; // a machine without IPv6
    four.destroy();
    await four.close();
    return undefined;
  }
}

function isTaken(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "EADDRINUSE" || code === "EACCES";
}
