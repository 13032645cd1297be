/** Requests by hand over one fresh connection each: no agent, no keep-alive, and the time of the first byte. */
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** How often something that is coming up is asked again, ms. */
const POLL_MS = 2;

/** Resolves to `{ status, body, firstByteMs }`; `firstByteMs` counts from before the connection is opened. */
export function call(port, { path = "/", timeoutMs = 30_000, host = "127.0.0.1" } = {}) {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    let firstByteMs;
    let text = "";
    const socket = connect({ host, port, noDelay: true });
    const timer = setTimeout(() => socket.destroy(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
    socket.setEncoding("latin1");
    socket.on("connect", () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`);
    });
    socket.on("data", (chunk) => {
      firstByteMs ??= performance.now() - startedAt;
      text += chunk;
    });
    socket.on("error", reject);
    socket.on("close", () => {
      clearTimeout(timer);
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
      if (status === 0) reject(new Error("the connection was closed without an answer"));
      else resolve({ status, body: text.slice(text.indexOf("\r\n\r\n") + 4), firstByteMs });
    });
  });
}

/** Asks until the answer is a 200 that `accept` takes; resolves to the answer. Rejects after `timeoutMs`. */
export async function poll(port, { accept = () => true, timeoutMs = 60_000, ...options } = {}) {
  const deadline = performance.now() + timeoutMs;
  let last = "nothing yet";
  while (performance.now() < deadline) {
    try {
      const answer = await call(port, { ...options, timeoutMs: 5_000 });
      if (answer.status === 200 && accept(answer)) return answer;
      last = `status ${answer.status}`;
    } catch (error) {
      last = error.message;
    }
    await sleep(POLL_MS);
  }
  throw new Error(`port ${port} did not answer as wanted within ${timeoutMs} ms: ${last}`);
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
