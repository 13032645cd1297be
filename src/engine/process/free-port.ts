import { createServer } from "node:net";

/**
 * Ports of 127.0.0.1 that the kernel chose, one for each instance. Between choice and use the port is free to take,
 * so a port that was given out isn't given out again until it is released.
 */
export class FreePorts {
  readonly #taken = new Set<number>();

  async reserve(): Promise<{ readonly port: number; release(): void }> {
    for (;;) {
      const port = await kernelChoice();
      if (this.#taken.has(port)) continue;
      this.#taken.add(port);
      return { port, release: () => void this.#taken.delete(port) };
    }
  }
}

function kernelChoice(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port: 0, exclusive: true }, () => {
      const address = server.address();
      const port = address !== null && typeof address === "object" ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
