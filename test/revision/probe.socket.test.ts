import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import grpc from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import type { ExecResult } from "../../src/engine/engine.ts";
import type { Probe } from "../../src/manifest/spec.ts";
import { attemptProbe, type ProbeTarget } from "../../src/revision/probe/attempt.ts";
import { FakeClock, settle } from "../support/fake-clock.ts";
import { atEnd, closedPort, closePorts, http, targetAt, tcp } from "./ports.ts";
import { Watched } from "./rig.ts";

afterEach(closePorts);

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
    await expect(
      attempt({ tcpSocket: {} }, targetAt(port, { connectProves: false }), clock),
    ).rejects.toThrow();
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
    expect(seen[1]?.headers).toMatchObject({
      authorization: "Bearer x",
      host: "shop.example",
      "user-agent": "mine",
    });
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
async function health(
  answer: (service: string, callback: grpc.sendUnaryData<number>) => void,
): Promise<number> {
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
  atEnd(() => server.forceShutdown());
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
    const port = await health((_service, callback) =>
      callback({ code: grpc.status.NOT_FOUND, details: "no" }),
    );
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
    const failed = expect(attempt({ grpc: {} }, targetAt(port), clock)).rejects.toThrow(
      "no answer within 100 ms",
    );
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
    await attempt(
      { exec: { command: ["cat", "/ok"] } },
      targetAt(port, exec({ exitCode: 0, output: "" }, commands)),
    );
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
