/**
 * A process of its own that outlives this one, `kill -9` included, and removes what the session left. It holds the other
 * end of a pipe: when that closes without a goodbye, we are gone.
 *
 * Its program is the text of one function, given to `node -e`: that works alike from compiled files, from sources under
 * a test runner, and on a Node that can't run TypeScript. So the function may use nothing from outside itself.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Endpoint } from "./endpoint.ts";
import { LABEL } from "./labels.ts";

export interface Watchdog {
  readonly pid: number | undefined;
  /** Ends it without removing anything. */
  dismiss(): void;
}

/** The first line on its stdin; a second one, `goodbye`, dismisses it. */
export interface Orders {
  readonly endpoint: Endpoint;
  /** `dev.kserve-local.session=<id>`. */
  readonly label: string;
}

export function startWatchdog(endpoint: Endpoint, session: string): Watchdog {
  const orders: Orders = { endpoint, label: `${LABEL.session}=${session}` };
  const child = spawn(process.execPath, watchdogArguments(), {
    // A session of its own: Ctrl-C at the terminal must not reach it.
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    env: { PATH: process.env["PATH"] },
    cwd: "/",
    windowsHide: true,
  });
  release(child);
  // Orders may hold a TLS key: not in the arguments, which everybody can read.
  child.stdin?.write(`${JSON.stringify(orders)}\n`);
  return { pid: child.pid, dismiss: () => void child.stdin?.end("goodbye\n") };
}

/** The last one only names it in a list of processes. */
export function watchdogArguments(): string[] {
  return ["--input-type=commonjs", "-e", `(${guard.toString()})()`, "kserve-local-watchdog"];
}

/** Neither the child nor its pipe keeps this process alive; that it can't be started is no reason to fail. */
function release(child: ChildProcess): void {
  child.on("error", () => undefined);
  child.stdin?.on("error", () => undefined);
  child.unref();
  (child.stdin as unknown as { unref?: () => void } | null)?.unref?.();
}

/** Runs in the other process. Self-contained: see above. */
function guard(): void {
  const http = process.getBuiltinModule("node:http");
  const https = process.getBuiltinModule("node:https");
  let received = "";
  process.stdin.setEncoding("utf8");
  process.stdin.on("data", (text: string) => (received += text));
  process.stdin.on("error", () => undefined);
  process.stdin.on("close", () => {
    const [first = "", last = ""] = received.split("\n");
    if (last !== "goodbye" && first !== "") void clean(JSON.parse(first) as Orders);
  });

  async function clean({ endpoint, label }: Orders): Promise<void> {
    const filters = encodeURIComponent(JSON.stringify({ label: [label] }));
    let quiet = 0;
    // What was being created when we were killed appears a moment later: until nothing was found twice, or half a minute.
    for (let round = 0; round < 60 && quiet < 2; round += 1) {
      const found = await removeAll(endpoint, filters).catch(() => 1);
      quiet = found === 0 ? quiet + 1 : 0;
      await new Promise((resolve) => globalThis["setTimeout"](resolve, 500));
    }
  }

  async function removeAll(endpoint: Endpoint, filters: string): Promise<number> {
    const containers = (await call(endpoint, "GET", `/containers/json?all=1&filters=${filters}`)) as Array<{
      Id: string;
      Labels?: Record<string, string>;
    }>;
    const isHolder = ({ Labels: labels }: { Labels?: Record<string, string> }): boolean =>
      labels?.["dev.kserve-local.role"] === "holder";
    // What uses a holder's network first.
    for (const some of [containers.filter((entry) => !isHolder(entry)), containers.filter(isHolder)])
      await removeContainers(endpoint, some);
    const { Volumes: volumes } = (await call(endpoint, "GET", `/volumes?filters=${filters}`)) as {
      Volumes: Array<{ Name: string }> | null;
    };
    for (const { Name: name } of volumes ?? [])
      await call(endpoint, "DELETE", `/volumes/${name}?force=1`).catch(() => undefined);
    const networks = (await call(endpoint, "GET", `/networks?filters=${filters}`)) as Array<{ Id: string }>;
    for (const { Id: id } of networks)
      await call(endpoint, "DELETE", `/networks/${id}`).catch(() => undefined);
    return containers.length + (volumes ?? []).length + networks.length;
  }

  async function removeContainers(endpoint: Endpoint, some: ReadonlyArray<{ Id: string }>): Promise<void> {
    await Promise.all(
      some.map(async ({ Id: id }) => {
        await call(endpoint, "POST", `/containers/${id}/kill`).catch(() => undefined);
        await call(endpoint, "DELETE", `/containers/${id}?force=1&v=1`).catch(() => undefined);
      }),
    );
  }

  function call(endpoint: Endpoint, method: string, path: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const tls = endpoint.transport === "tcp" ? endpoint.tls : undefined;
      const target =
        endpoint.transport === "socket"
          ? { socketPath: endpoint.path, headers: { host: "docker" } }
          : {
              host: endpoint.host,
              port: endpoint.port,
              ca: tls?.ca,
              cert: tls?.cert,
              key: tls?.key,
              rejectUnauthorized: tls?.verify ?? true,
            };
      const request = (tls === undefined ? http : https).request(
        { ...target, method, path, timeout: 20_000 },
        (response) => {
          let body = "";
          response.setEncoding("utf8");
          response.on("data", (text: string) => (body += text));
          response.on("end", () => resolve(body === "" ? undefined : JSON.parse(body)));
          response.on("error", reject);
        },
      );
      request.on("timeout", () => request.destroy(new Error("no answer")));
      request.on("error", reject);
      request.end();
    });
  }
}
