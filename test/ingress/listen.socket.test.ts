import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { afterEach, expect, it } from "vitest";
import { listenOnLoopback } from "../../src/ingress/listen.ts";
import { createFrontServer, type FrontServer } from "../../src/proxy/front-server.ts";
import { RawClient } from "../support/raw-http.ts";

const servers: FrontServer[] = [];
const takers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) server.destroy();
  for (const taker of takers.splice(0)) taker.close();
});

const create = (): FrontServer => {
  const server = createFrontServer((exchange) => exchange.respond({ status: 200, body: exchange.host }));
  servers.push(server);
  return server;
};

async function taken(host: string, port = 0): Promise<number> {
  const taker = createServer();
  takers.push(taker);
  taker.listen(port, host);
  await once(taker, "listening");
  return (taker.address() as AddressInfo).port;
}

/** `::1` may be missing, in a container for example. */
const hasSix = await taken("::1").then(
  () => true,
  () => false,
);

async function answers(port: number, host: string): Promise<string> {
  const response = await fetch(`http://${host}:${port}/`);
  return response.text();
}

it("takes any port for 0, the same on both loopback addresses", async () => {
  const { port, servers: own } = await listenOnLoopback({ port: 0, strict: true }, create);
  expect(port).toBeGreaterThan(0);
  expect(own).toHaveLength(hasSix ? 2 : 1);
  expect(await answers(port, "127.0.0.1")).toBe("127.0.0.1");
  if (hasSix) expect(await answers(port, "[::1]")).toBe("[::1]");
});

it.each(["127.0.0.1", "::1"])("takes the next port that is free on both where %s is taken", async (host) => {
  if (host === "::1" && !hasSix) return;
  const wanted = await taken(host);
  const { port } = await listenOnLoopback({ port: wanted, strict: false }, create);
  expect(port).toBeGreaterThan(wanted);
  expect(port).toBeLessThan(wanted + 100);
  // What it tried in vain it has let go again.
  if (host === "::1") await taken("127.0.0.1", wanted);
  const client = await RawClient.open(port);
  client.send("GET / HTTP/1.1\r\nHost: Hello.Default.Localhost:80\r\n\r\n");
  await client.until((text) => text.endsWith("hello.default.localhost"));
  client.socket.destroy();
});

it("fails on a taken port when told to be strict, and says what to do", async () => {
  const wanted = await taken("127.0.0.1");
  await expect(listenOnLoopback({ port: wanted, strict: true }, create)).rejects.toMatchObject({
    code: "port-taken",
    exitCode: 2,
    message: `port ${wanted} is taken`,
    fix: expect.stringContaining("--port"),
  });
});

it("does not look beyond the last port", async () => {
  await taken("127.0.0.1", 65_535);
  await expect(listenOnLoopback({ port: 65_535, strict: false }, create)).rejects.toMatchObject({
    code: "port-taken",
    message: "no free port from 65535 on",
  });
});
