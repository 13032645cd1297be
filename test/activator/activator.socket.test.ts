import { afterEach, describe, expect, it } from "vitest";
import type { ScalingSettings } from "../../src/scaling/settings.ts";
import { Watched } from "../revision/rig.ts";
import { settle } from "../support/fake-clock.ts";
import type { FakeProgram } from "../support/fake-engine.ts";
import { RawClient } from "../support/raw-http.ts";
import { ActivatorRig, bind, deathAwaited, patientExchange } from "./rig.ts";

let rig: ActivatorRig | undefined;
const open = (options: ConstructorParameters<typeof ActivatorRig>[0] = {}): Promise<ActivatorRig> => {
  rig = new ActivatorRig(options);
  return rig.open();
};
afterEach(() => rig?.close());

const ZERO: Partial<ScalingSettings> = { initialScale: 0 };
const REASON = "x-kserve-local-reason";

describe("a cold start", () => {
  it("holds the request until an instance is ready, and says so", async () => {
    const { engine, wall, runtime, send, results } = bind(await open({ settings: ZERO }));
    engine.behaviour.neverListens = true;
    const reply = send();
    const [instance] = await engine.startedInstances(1);
    expect(runtime.inFlight).toBe(1);
    await wall.advance(700);
    await instance?.listen();
    expect(await reply).toMatchObject({ status: 200, body: "ok" });
    expect(results).toEqual([{ instance: runtime.ready[0]?.name, queuedMs: 700, coldStart: true }]);
    expect(runtime.inFlight).toBe(0);
    expect(await send()).toMatchObject({ status: 200 });
    expect(results[1]).toMatchObject({ queuedMs: 0, coldStart: false });
    expect(runtime.ready[0]?.inFlight).toBe(0);
    // The autoscaler's next second and the next look at the instance's readiness, and nothing of the requests.
    expect(rig?.clock.pending).toBe(2);
  });

  it("starts one instance for many that come together", async () => {
    const { engine, send } = bind(await open({ settings: ZERO }));
    const replies = await Promise.all(Array.from({ length: 20 }, () => send()));
    expect(new Set(replies.map((reply) => reply.status))).toEqual(new Set([200]));
    expect(engine.instances).toHaveLength(1);
  });

  it("is part of timeoutSeconds: 504 in Knative's words when nothing gets ready", async () => {
    const { engine, clock, runtime, send, results } = bind(
      await open({ settings: ZERO, plan: { timeoutMs: 10_000 } }),
    );
    engine.behaviour.neverListens = true;
    const reply = send();
    await engine.startedInstances(1);
    await clock.advance(10_000);
    const { status, body, headers } = await reply;
    expect({ status, body, reason: headers[REASON] }).toEqual({
      status: 504,
      body: "activator request timeout",
      reason: "timeout",
    });
    expect(results[0]).toMatchObject({ reason: "timeout", coldStart: true });
    expect(results[0]?.detail).toContain("spec.template.spec.timeoutSeconds (10 s)");
    expect(results[0]?.detail).toContain("no instance was ready");
    expect(runtime.inFlight).toBe(0);
  });
});

describe("a warm request that takes too long", () => {
  it("gets 504 when nothing was sent, and the app's side is let go", async () => {
    let aborted = false;
    const app = new Watched();
    const program: FakeProgram = () => (request) => {
      request.on("close", () => {
        aborted = true;
        app.wake();
      });
    };
    const { clock, runtime, send, results, requests } = bind(
      await open({ program, plan: { timeoutMs: 10_000 } }),
    );
    await runtime.becameReady;
    const reply = send();
    await requests(1);
    await clock.advance(10_000);
    expect(await reply).toMatchObject({ status: 504, body: "activator request timeout" });
    await app.until(() => aborted);
    expect(results[0]).toMatchObject({ instance: runtime.ready[0]?.name, reason: "timeout", queuedMs: 0 });
    expect(runtime.ready[0]?.inFlight).toBe(0);
  });

  it.each([
    ["total", "partactivator request timeout"],
    ["first-byte", "partrest"],
  ] as const)("with %s semantics, once it has begun, ends as %s", async (semantics, body) => {
    let finish = (): void => undefined;
    const program: FakeProgram = () => (_request, response) => {
      response.write("part");
      finish = () => void response.end("rest");
    };
    const { clock, runtime } = bind(await open({ program, semantics, plan: { timeoutMs: 10_000 } }));
    await runtime.becameReady;
    const client = await RawClient.open(rig?.port ?? 0);
    client.send("GET / HTTP/1.1\r\nHost: hello\r\nConnection: close\r\n\r\n");
    await client.until((text) => text.includes("part"));
    await clock.advance(10_000);
    finish();
    const chunks = (await client.ended()).split("\r\n\r\n")[1]?.split("\r\n") ?? [];
    expect(chunks.filter((_chunk, n) => n % 2 === 1).join("")).toBe(body);
    await rig?.result();
    const [{ reason, detail } = {}] = rig?.results ?? [];
    expect(reason).toBe(semantics === "total" ? "timeout" : undefined);
    expect(detail).toContain("spec.template.spec.timeoutSeconds (10 s)");
    expect(detail).toContain(
      semantics === "total" ? "the response was cut off" : "Knative from 1.19 on cuts it off there",
    );
  });
});

describe("an app that fails", () => {
  it("by dying with the request on it gets the client a 502 with the reason, and the next request a new instance", async () => {
    const program: FakeProgram = (host) => (request, response) => {
      if (request.method === "POST") host.exit(1);
      else response.end("ok");
    };
    const { clock, runtime, send, results } = bind(await open({ program }));
    await runtime.becameReady;
    const died = runtime.ready[0]?.name;
    const { status, headers, body } = await send({ method: "POST", body: "x" });
    expect(status).toBe(502);
    expect(headers[REASON]).toMatch(/^app-(eof|reset)$/);
    expect(body).toMatch(/EOF\n$|reset by peer\n$/);
    await rig?.result();
    expect(results[0]).toMatchObject({ instance: died, reason: headers[REASON] });
    expect(results[0]?.detail).toContain("exited with code 1 while the request was under way");
    const next = send();
    await rig?.until(() => runtime.ready.length === 0);
    await clock.advance(0);
    expect(await next).toMatchObject({ status: 200, body: "ok" });
    expect(results[1]?.instance).not.toBe(died);
  });

  it("in the middle of its response gets the client a broken one, never a whole one", async () => {
    const program: FakeProgram = (host) => (_request, response) => {
      response.writeHead(200, { "Content-Length": "100" });
      response.write("half", () => host.exit(1));
    };
    const { runtime, send, results, result } = bind(await open({ program }));
    await runtime.becameReady;
    const reply = await send().catch(() => "broken" as const);
    expect(reply === "broken" || reply.broken || reply.status === 502).toBe(true);
    await result();
    expect(results[0]?.reason).toMatch(/^app-/);
  });

  it.each(["GET", "POST"])("before a %s has reached it hands that to the next instance", async (method) => {
    const seen: string[] = [];
    const program: FakeProgram = () => (request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        seen.push(body);
        response.end("ok");
      });
    };
    const { clock, wall, engine, runtime, send, results } = bind(await open({ program }));
    await runtime.becameReady;
    const first = engine.running[0];
    await first?.unlisten();
    const reply = send({ method, ...(method === "POST" ? { body: "precious" } : {}) });
    await deathAwaited(wall);
    first?.exit(1);
    await rig?.until(() => runtime.ready.length === 0);
    await clock.advance(0);
    expect(await reply).toMatchObject({ status: 200 });
    expect(seen).toEqual([method === "POST" ? "precious" : ""]);
    expect(results[0]?.instance).toBe(runtime.ready[0]?.name);
  });

  it("by refusing while it lives gets the client a 502 that says so", async () => {
    const { wall, engine, runtime, send, result, results } = bind(await open());
    await runtime.becameReady;
    await engine.running[0]?.unlisten();
    const reply = send();
    await deathAwaited(wall);
    await wall.advance(400);
    const { status, headers, body } = await reply;
    await wall.advance(400);
    await result();
    expect({ status, reason: headers[REASON] }).toEqual({ status: 502, reason: "app-refused" });
    expect(body).toMatch(/^dial tcp 127\.0\.0\.1:\d+: connect: connection refused\n$/);
    expect(results[0]?.detail).toContain("has stopped listening");
    expect(runtime.inFlight).toBe(0);
  });
});

describe("overload", () => {
  it("is 503 with queue-proxy's words once the queue is full", async () => {
    const { activator, engine, runtime, send, results } = bind(await open({ settings: ZERO }));
    engine.behaviour.neverListens = true;
    for (let n = 0; n < 10_000; n += 1) void activator.serve(patientExchange(), runtime);
    const { status, headers, body } = await send();
    expect({
      status,
      body,
      type: headers["content-type"],
      sniff: headers["x-content-type-options"],
      reason: headers[REASON],
    }).toEqual({
      status: 503,
      body: "pending request queue full\n",
      type: "text/plain; charset=utf-8",
      sniff: "nosniff",
      reason: "overload",
    });
    expect(results[0]?.detail).toContain("max-scale");
    expect(runtime.inFlight).toBe(10_000);
    activator.close();
    await settle();
    expect(runtime.inFlight).toBe(0);
  });

  it("does not touch what containerConcurrency holds back: it waits its turn", async () => {
    const waiting: Array<() => void> = [];
    const app = new Watched();
    const program: FakeProgram = () => (_request, response) => {
      waiting.push(() => void response.end("ok"));
      app.wake();
    };
    const { runtime, send, requests } = bind(
      await open({ program, plan: { containerConcurrency: 1 }, settings: { maxScale: 1 } }),
    );
    await runtime.becameReady;
    const replies = [send(), send(), send()];
    await requests(3);
    for (let n = 1; n <= 3; n += 1) {
      await app.until(() => waiting.length >= n);
      await settle();
      expect(waiting).toHaveLength(n);
      waiting[n - 1]?.();
    }
    expect((await Promise.all(replies)).map((reply) => reply.status)).toEqual([200, 200, 200]);
  });
});

describe("the end of the session", () => {
  it("answers those who wait, and those who come, with 503, and lets those finish that are served", async () => {
    let finish = (): void => undefined;
    const app = new Watched();
    let serving = false;
    const program: FakeProgram = () => (_request, response) => {
      serving = true;
      finish = () => void response.end("done");
      app.wake();
    };
    const { activator, runtime, send, requests, results } = bind(
      await open({ program, plan: { containerConcurrency: 1 } }),
    );
    await runtime.becameReady;
    const served = send();
    await app.until(() => serving);
    const waiting = send();
    await requests(2);
    activator.close();
    expect(await waiting).toMatchObject({
      status: 503,
      body: "shutting down\n",
      headers: { [REASON]: "shutting-down" },
    });
    expect(await send()).toMatchObject({ status: 503 });
    finish();
    expect(await served).toMatchObject({ status: 200, body: "done" });
    expect(results.map((result) => result.reason)).toEqual(["shutting-down", "shutting-down", undefined]);
    // As queue-proxy does while it drains: what need not wait is served for as long as the instance is there.
    const late = send();
    await requests(4);
    await settle();
    finish();
    expect(await late).toMatchObject({ status: 200 });
    expect(runtime.inFlight).toBe(0);
  });
});

describe("a client that goes away", () => {
  it.each([
    ["without a body", "GET / HTTP/1.1\r\nHost: hello\r\n\r\n"],
    ["with a body that nobody has read", "POST / HTTP/1.1\r\nHost: hello\r\nContent-Length: 6\r\n\r\n123"],
  ])("leaves the queue, %s", async (_what, request) => {
    const { engine, runtime, requests, results, result } = bind(await open({ settings: ZERO }));
    engine.behaviour.neverListens = true;
    const client = await RawClient.open(rig?.port ?? 0);
    client.send(request);
    await requests(1);
    expect(runtime.inFlight).toBe(1);
    client.socket.destroy();
    await result();
    expect(results[0]).toMatchObject({ reason: "client-gone", status: 499 });
    expect(runtime.inFlight).toBe(0);
  });

  it("takes its request off the app", async () => {
    const app = new Watched();
    let state = "";
    const program: FakeProgram = () => (request) => {
      state = "open";
      request.on("close", () => {
        state = "closed";
        app.wake();
      });
      app.wake();
    };
    const { runtime, results, result } = bind(await open({ program }));
    await runtime.becameReady;
    const client = await RawClient.open(rig?.port ?? 0);
    client.send("GET / HTTP/1.1\r\nHost: hello\r\n\r\n");
    await app.until(() => state === "open");
    client.socket.destroy();
    await app.until(() => state === "closed");
    await result();
    expect(results[0]).toMatchObject({ reason: "client-gone" });
    expect(runtime.ready[0]?.inFlight).toBe(0);
    expect(runtime.inFlight).toBe(0);
  });
});

it("counts an upgraded connection as in flight until it closes", async () => {
  const { engine, runtime, results, result } = bind(await open());
  await runtime.becameReady;
  engine.running[0]?.server?.on("upgrade", (_request, socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n");
    socket.on("data", (chunk: Buffer) => socket.write(chunk));
    socket.on("error", () => undefined);
    socket.on("end", () => socket.end());
  });
  const client = await RawClient.open(rig?.port ?? 0);
  client.send("GET / HTTP/1.1\r\nHost: hello\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n");
  await client.until((text) => text.includes("101"));
  client.send("ping");
  await client.until((text) => text.endsWith("ping"));
  expect(runtime.ready[0]?.inFlight).toBe(1);
  expect(runtime.inFlight).toBe(1);
  client.socket.end();
  await result();
  expect(results[0]).toMatchObject({ queuedMs: 0, coldStart: false });
  expect(runtime.inFlight).toBe(0);
  expect(runtime.ready[0]?.inFlight).toBe(0);
});
