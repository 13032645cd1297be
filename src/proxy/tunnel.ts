/** Bytes both ways between two sockets after a 101, with back-pressure and half-close, until both directions have ended. */
import type { Socket } from "node:net";

export interface TunnelOptions {
  readonly client: Socket;
  readonly app: Socket;
  /** Bytes that came behind the heads. */
  readonly fromClient: readonly Buffer[];
  readonly fromApp: readonly Buffer[];
  /** For each piece written to the client. */
  readonly onWrite: () => void;
  /** Both directions have ended in order. */
  readonly onEnd: () => void;
  /** The app's side broke. What the client does shows on its own socket. */
  readonly onAppError: (error: Error) => void;
}

export function joinSockets(options: TunnelOptions): void {
  const { client, app } = options;
  let open = 2;
  const endOne = (): void => {
    open -= 1;
    if (open === 0) options.onEnd();
  };
  app.setNoDelay(true);
  app.setTimeout(0);
  app.on("error", options.onAppError);
  app.once("close", () => client.destroySoon());
  client.once("close", () => app.destroy());
  passOn(app, client, options.fromApp, options.onWrite, endOne);
  passOn(client, app, options.fromClient, undefined, endOne);
}

function passOn(
  from: Socket,
  to: Socket,
  early: readonly Buffer[],
  onWrite: (() => void) | undefined,
  onEnd: () => void,
): void {
  const pass = (chunk: Buffer): void => {
    onWrite?.();
    if (to.writable && !to.write(chunk)) from.pause();
  };
  to.on("drain", () => from.resume());
  for (const chunk of early) pass(chunk);
  from.on("data", pass);
  from.once("end", () => {
    onEnd();
    to.end();
  });
  from.resume();
}
