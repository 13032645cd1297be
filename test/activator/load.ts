/** Bounded load from a number of clients, each with one request at a time, and what became of every request. */
import { Agent, request as httpRequest } from "node:http";

export interface Answered {
  readonly id: number;
  /** 0: the connection broke before an answer was complete. */
  readonly status: number;
  readonly body: string;
  /** `X-Kserve-Local-Reason`: the platform answered. */
  readonly reason: string | undefined;
}

interface Target {
  readonly port: number;
  readonly host?: string;
  readonly method?: "GET" | "POST";
}

let lastId = 0;

export class Load {
  readonly answers: Answered[] = [];
  readonly #agent = new Agent({ keepAlive: true });
  readonly #target: Target;
  #wanted = 0;
  readonly #running = new Map<number, Promise<void>>();

  /** With a method such as POST each request has a body, so that nobody may send it twice. */
  constructor(target: Target) {
    this.#target = target;
  }

  /** Brings the number of clients to `count`; those too many end with their present request. */
  clients(count: number): void {
    this.#wanted = count;
    for (let n = 0; n < count; n += 1) {
      if (this.#running.has(n)) continue;
      this.#running.set(
        n,
        this.#loop(n).finally(() => this.#running.delete(n)),
      );
    }
  }

  /** Lets the requests under way end. */
  async end(): Promise<void> {
    this.#wanted = 0;
    await Promise.all(this.#running.values());
    this.#agent.destroy();
  }

  get failed(): readonly Answered[] {
    return this.answers.filter(({ status }) => status !== 200);
  }

  async #loop(index: number): Promise<void> {
    while (index < this.#wanted) this.answers.push(await this.one());
  }

  one(): Promise<Answered> {
    lastId += 1;
    const id = lastId;
    const { port, host = "hello", method = "GET" } = this.#target;
    const headers = { Host: host, "X-Id": String(id) };
    return new Promise((resolve) => {
      const settle = (status: number, body = "", reason?: string): void =>
        resolve({ id, status, body, reason });
      httpRequest({ port, host: "127.0.0.1", method, agent: this.#agent, headers }, (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (body += chunk));
        response.on("error", () => undefined);
        response.on("close", () => {
          const reason = response.headers["x-kserve-local-reason"];
          const status = response.complete ? (response.statusCode ?? 0) : 0;
          settle(status, body, typeof reason === "string" ? reason : undefined);
        });
      })
        .on("error", () => settle(0))
        .end(method === "GET" ? undefined : `request ${id}`);
    });
  }
}
