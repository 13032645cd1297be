import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener, type IncomingMessage } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import grpc from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import type { ExecResult } from "../../src/engine/engine.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import type { Probe } from "../../src/manifest/spec.ts";
import { attemptProbe, type ProbeTarget } from "../../src/revision/probe/attempt.ts";
import { waitReady } from "../../src/revision/probe/wait-ready.ts";
import { FakeClock, settle } from "../support/fake-clock.ts";
import { Watched } from "./rig.ts";

const cleanups: Array<() => void> = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function listening<S extends Server>(server: S): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
  });
  cleanups.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

const http = (handler: RequestListener): Promise<number> => listening(createHttpServer(handler));
const tcp = (handler: (socket: Socket) => void): Promise<number> => listening(createServer(handler));

/** A port that nobody listens on: one that was free a moment ago. */
async function closedPort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function targetAt(port: number, options: { connectProves?: boolean; exec?: ProbeTarget["exec"] } = {}): ProbeTarget {
  return {
    address: { host: "127.0.0.1", port, connectProves: options.connectProves ?? true },
    port: 8080,
    exec: options.exec ?? (() => Promise.reject(new Error("no exec here"))),
  };
}

function attempt(probe: Probe, target: ProbeTarget, clock = new FakeClock()): Promise<void> {
  return attemptProbe(probe, target, { timeoutMs: 100, clock, signal: new AbortController().signal });
}

describe("tcpSocket", () => {
  it("passes on a connection where a connection proves something", async () => {
    const port = await tcp((socket) => void socket.end());
    await attempt({ tcpSocket: {} }, targetAt(port));
  });

  it("fails where nobody listens", async () => {
    await expect(attempt({}, targetAt(await closedPort()))).rejects.toThrow("ECONNREFUSED");
  });

  it.each([
    ["ends", (socket: Socket) => void socket.end()],
    ["resets", (socket: Socket) => void socket.resetAndDestroy()],
  ])("fails behind a published port whose proxy accepts and then %s", async (_how, hangUp) => {
    const port = await tcp(hangUp);
    const clock = new FakeClock();
    await expect(attempt({ tcpSocket: {} }, targetAt(port, { connectProves: false }), clock)).rejects.toThrow();
    expect(clock.pending).toBe(0);
  });

  it("passes behind a published port once the connection has stayed open for 100 ms", async () => {
    const clock = new FakeClock();
    const watched = new Watched();
    let connected = false;
    const port = await tcp(() => {
      connected = true;
      watched.wake();
    });
    let passed = false;
    const trying = attemptProbe({ tcpSocket: {} }, targetAt(port, { connectProves: false }), {
      timeoutMs: 1_000,
      clock,
      signal: new AbortController().signal,
    }).then(() => (passed = true));
    await watched.until(() => connected);
    while (clock.pending < 2) await settle();
    await clock.advance(99);
    expect(passed).toBe(false);
    await clock.advance(1);
    await trying;
    expect(clock.pending).toBe(0);
  });

  it("passes behind a published port at once where the app speaks first", async () => {
    const port = await tcp((socket) => void socket.write("220 mail\r\n"));
    await attempt({ tcpSocket: {} }, targetAt(port, { connectProves: false }));
  });

  it("asks for another port where that can be reached", async () => {
    const [main, admin] = [await closedPort(), await tcp(() => undefined)];
    await attempt({ tcpSocket: { port: admin } }, targetAt(main));
    await expect(attempt({ tcpSocket: { port: 8080 } }, targetAt(main))).rejects.toThrow("ECONNREFUSED");
  });
});

describe("httpGet", () => {
  it.each([
    [200, true],
    [204, true],
    [302, true],
    [399, true],
    [400, false],
    [404, false],
    [503, false],
  ])("takes %i as passed: %s", async (status, passes) => {
    const port = await http((_request, response) => void response.writeHead(status).end("x".repeat(100_000)));
    const tried = attempt({ httpGet: { path: "/healthz" } }, targetAt(port));
    if (passes) await tried;
    else await expect(tried).rejects.toThrow(`HTTP ${status} at /healthz`);
  });

  it("asks as the kubelet does, with the probe's own fields", async () => {
    const seen: IncomingMessage[] = [];
    const port = await http((request, response) => {
      seen.push(request);
      response.end();
    });
    await attempt({ httpGet: {} }, targetAt(port));
    const httpHeaders = [
      { name: "Authorization", value: "Bearer x" },
      { name: "host", value: "shop.example" },
      { name: "user-agent", value: "mine" },
    ];
    await attempt({ httpGet: { path: "ready?deep=1", port: 8080, httpHeaders } }, targetAt(port));
    expect(seen[0]).toMatchObject({ method: "GET", url: "/" });
    expect(seen[0]?.headers).toMatchObject({ "user-agent": "kube-probe//", host: "127.0.0.1:8080" });
    expect(seen[1]?.url).toBe("/ready?deep=1");
    expect(seen[1]?.headers).toMatchObject({ authorization: "Bearer x", host: "shop.example", "user-agent": "mine" });
    expect(seen[1]?.rawHeaders.filter((name) => name.toLowerCase() === "user-agent")).toHaveLength(1);
  });

  it("fails when no answer comes in time, and leaves nothing", async () => {
    const clock = new FakeClock();
    const watched = new Watched();
    let socket: Socket | undefined;
    const port = await http((request) => {
      socket = request.socket;
      watched.wake();
    });
    const tried = attempt({ httpGet: {} }, targetAt(port), clock);
    const failed = expect(tried).rejects.toThrow("no answer within 100 ms");
    await watched.until(() => socket !== undefined);
    const closed = once(socket as Socket, "close");
    await clock.advance(100);
    await failed;
    await closed;
    expect(clock.pending).toBe(0);
  });
});

interface Asked {
  readonly service: string;
}

/** grpc.health.v1.Health of the real gRPC library, its two messages written by hand. */
async function health(answer: (service: string, callback: grpc.sendUnaryData<number>) => void): Promise<number> {
  const server = new grpc.Server();
  const path = "/grpc.health.v1.Health/Check";
  const definition: grpc.ServiceDefinition = {
    Check: {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: ({ service }: Asked) => Buffer.from(service),
      requestDeserialize: (bytes: Buffer): Asked => ({ service: bytes.subarray(2).toString("utf8") }),
      responseSerialize: (status: number) => Buffer.from(status === 0 ? [] : [0x08, status]),
      responseDeserialize: (bytes: Buffer) => bytes,
    },
  };
  server.addService(definition, {
    Check: (call: grpc.ServerUnaryCall<Asked, number>, callback: grpc.sendUnaryData<number>) =>
      answer(call.request.service, callback),
  });
  cleanups.push(() => server.forceShutdown());
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}

describe("grpc", () => {
  it("passes where the real thing says SERVING, for the service asked for", async () => {
    const asked: string[] = [];
    const port = await health((service, callback) => {
      asked.push(service);
      callback(null, 1);
    });
    await attempt({ grpc: {} }, targetAt(port));
    await attempt({ grpc: { service: "shop.Cart" } }, targetAt(port));
    const long = "x".repeat(100);
    await attempt({ grpc: { service: long } }, targetAt(port));
    expect(asked).toEqual(["", "shop.Cart", long]);
  });

  it.each([
    [2, "NOT_SERVING"],
    [0, "status 0"],
  ])("fails where it says %i", async (status, words) => {
    const port = await health((_service, callback) => callback(null, status));
    await expect(attempt({ grpc: {} }, targetAt(port))).rejects.toThrow(words);
  });

  it("fails where the service is unknown to it", async () => {
    const port = await health((_service, callback) => callback({ code: grpc.status.NOT_FOUND, details: "no" }));
    await expect(attempt({ grpc: { service: "no" } }, targetAt(port))).rejects.toThrow("gRPC status 5");
  });

  it.each([
    ["HTTP/1.1", () => http((_request, response) => void response.end("hi"))],
    ["nothing, and hangs up", () => tcp((socket) => void socket.end())],
    ["nothing, and resets", () => tcp((socket) => void socket.resetAndDestroy())],
  ])("fails without waiting where the port speaks %s", async (_what, open) => {
    await expect(attempt({ grpc: {} }, targetAt(await open()))).rejects.toThrow();
  });

  it("fails where nobody listens, and where no answer comes in time", async () => {
    await expect(attempt({ grpc: {} }, targetAt(await closedPort()))).rejects.toThrow("ECONNREFUSED");
    const clock = new FakeClock();
    const watched = new Watched();
    let asked = false;
    const port = await health(() => {
      asked = true;
      watched.wake();
    });
    const failed = expect(attempt({ grpc: {} }, targetAt(port), clock)).rejects.toThrow("no answer within 100 ms");
    await watched.until(() => asked);
    await clock.advance(100);
    await failed;
  });
});

describe("exec", () => {
  const exec = (result: ExecResult, words: Array<readonly string[]> = []) => ({
    exec: (command: readonly string[]) => {
      words.push(command);
      return Promise.resolve(result);
    },
  });

  it("passes with exit code 0, once the port is open too, as queue-proxy checks that", async () => {
    const commands: Array<readonly string[]> = [];
    const port = await tcp(() => undefined);
    await attempt({ exec: { command: ["cat", "/ok"] } }, targetAt(port, exec({ exitCode: 0, output: "" }, commands)));
    expect(commands).toEqual([["cat", "/ok"]]);
    const closed = targetAt(await closedPort(), exec({ exitCode: 0, output: "" }, commands));
    await expect(attempt({ exec: { command: ["cat", "/ok"] } }, closed)).rejects.toThrow("ECONNREFUSED");
    expect(commands).toHaveLength(1);
  });

  it("fails with the command, its exit code and its words", async () => {
    const port = await tcp(() => undefined);
    const target = targetAt(port, exec({ exitCode: 1, output: "cat: /ok: No such file\n" }));
    await expect(attempt({ exec: { command: ["cat", "/ok"] } }, target)).rejects.toThrow(
      "cat /ok ended with exit code 1: cat: /ok: No such file",
    );
  });
});

describe("waitReady", () => {
  /** Passes or fails as the script says, then as its last entry says; tells of each try. */
  async function scripted(script: readonly boolean[]) {
    const watched = new Watched();
    let tries = 0;
    const port = await http((_request, response) => {
      const passes = script[Math.min(tries, script.length - 1)];
      tries += 1;
      response.writeHead(passes === true ? 200 : 500).end();
    });
    const controller = new AbortController();
    const clock = new FakeClock();
    const failures: string[] = [];
    return {
      clock,
      controller,
      failures,
      tries: () => tries,
      failed: (count: number) => watched.until(() => failures.length >= count),
      wait: (probe: Probe, realClock = systemClock()) =>
        waitReady({
          probe: { httpGet: {}, ...probe },
          target: targetAt(port),
          clock,
          realClock,
          signal: controller.signal,
          onFailure: (reason) => {
            failures.push(reason);
            watched.wake();
          },
        }),
    };
  }

  it("with period 0 tries again within 50 ms of real time, without the platform's clock", async () => {
    const run = await scripted([false, false, false, true]);
    await run.wait({ periodSeconds: 0 });
    expect(run.failures).toEqual(Array.from({ length: 3 }, () => "HTTP 500 at /"));
    expect(run.clock.pending).toBe(0);
  });

  it("with period 0 polls at growing steps of at most 50 ms", async () => {
    const run = await scripted([false]);
    const real = new FakeClock();
    const waiting = run.wait({ periodSeconds: 0 }, real);
    const steps: number[] = [];
    for (let failures = 1; failures <= 20; failures += 1) {
      await run.failed(failures);
      await settle();
      const before = real.now();
      while (run.failures.length === failures && real.pending > 0 && run.tries() === failures) await real.advance(1);
      steps.push(real.now() - before);
    }
    run.controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    expect(steps[0]).toBeLessThanOrEqual(4);
    expect(Math.max(...steps)).toBeLessThanOrEqual(50);
    expect(steps.at(-1)).toBe(50);
  });

  it("with a period waits that long on the platform's clock, and first for the initial delay", async () => {
    const run = await scripted([false, true]);
    const done = run.wait({ periodSeconds: 10, initialDelaySeconds: 5 });
    await run.clock.advance(4_999);
    expect(run.tries()).toBe(0);
    await run.clock.advance(1);
    await run.failed(1);
    await settle();
    await run.clock.advance(9_999);
    expect(run.tries()).toBe(1);
    await run.clock.advance(1);
    await done;
    expect(run.tries()).toBe(2);
    expect(run.clock.pending).toBe(0);
  });

  it("wants successThreshold passes in a row", async () => {
    const run = await scripted([true, false, true, true, true]);
    await run.wait({ periodSeconds: 0, successThreshold: 3 });
    expect(run.tries()).toBe(5);
  });

  it("ends with the signal's reason and leaves no timer", async () => {
    const run = await scripted([false]);
    const real = new FakeClock();
    const waiting = run.wait({ periodSeconds: 0 }, real);
    await run.failed(1);
    run.controller.abort(new Error("scaled down"));
    await expect(waiting).rejects.toThrow("scaled down");
    expect(real.pending).toBe(0);
  });
});
