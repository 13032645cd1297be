import { request as httpRequest, type RequestListener } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Activator } from "../../src/activator/activator.ts";
import type { TimeoutSemantics } from "../../src/activator/timers.ts";
import { Ingress } from "../../src/ingress/ingress.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { proxyEngine } from "../../src/proxy/engine.ts";
import type { PlatformEventBody } from "../../src/resources/events.ts";
import type { RouteTraffic } from "../../src/resources/objects.ts";
import { Store } from "../../src/resources/store.ts";
import { RevisionRuntime } from "../../src/revision/revision-runtime.ts";
import { GKE, planOf, Watched } from "../revision/rig.ts";
import { settingsWith } from "../scaling/settings-with.ts";
import { FakeClock, settle } from "../support/fake-clock.ts";
import { FakeEngine } from "../support/fake-engine.ts";

type Completed = Extract<PlatformEventBody, { type: "request.completed" }>;

const clock = new FakeClock();
/** By which requests are measured. */
let wall = new FakeClock();
const watched = new Watched();
let store = new Store(clock);
let events: Completed[] = [];
let runtimes = new Map<string, RevisionRuntime>();
let ingress: Ingress;
let random = 0;
let notices: string[] = [];
let port = 0;

beforeEach(async () => {
  store = new Store(clock);
  wall = new FakeClock();
  events = [];
  runtimes = new Map();
  random = 0;
  notices = [];
  await openIngress("total");
});

async function openIngress(semantics: TimeoutSemantics): Promise<void> {
  const proxy = proxyEngine("node");
  const activator = new Activator({ proxy, clock, realClock: wall, random: () => 0, semantics });
  ingress = new Ingress({
    proxy,
    store,
    realClock: wall,
    random: () => random,
    activator,
    backends: (namespace, revision) => runtimes.get(`${namespace}/${revision}`),
    emit: (event) => {
      if (event.type === "request.completed") events.push(event);
      if (event.type === "notice") notices.push(event.message);
      watched.wake();
    },
  });
  port = await ingress.listen({ port: 0, strict: false });
}

afterEach(async () => {
  ingress.destroy();
  await Promise.all(
    [...runtimes.values()].map((runtime) => runtime.close("the test is over", { now: true })),
  );
});

function routeTo(
  name: string,
  traffic: readonly RouteTraffic[],
  labels: Readonly<Record<string, string>> = {},
): void {
  const wanted = {
    apiVersion: "serving.knative.dev/v1",
    kind: "Route" as const,
    metadata: { name, namespace: "default", labels },
    spec: { traffic: [] },
  };
  store.apply(wanted);
  store.updateStatus("Route", "default", name, () => ({ traffic }));
}

/** A revision whose app answers with its name. */
async function serving(revision: string, listener?: RequestListener): Promise<void> {
  const named: RequestListener = (_request, response) => void response.writeHead(201).end(revision);
  const engine = new FakeEngine({ clock, program: () => listener ?? named });
  const runtime = new RevisionRuntime(planOf({ name: revision }), {
    engine,
    clock,
    realClock: systemClock(),
    random: Math.random,
    settings: settingsWith(),
    termination: GKE,
    startDeadlineMs: 240_000,
    emit: () => undefined,
    onReplicas: () => undefined,
  });
  runtimes.set(`default/${revision}`, runtime);
  runtime.start();
  await runtime.becameReady;
}

function get(
  host: string,
  path = "/",
  at = port,
): Promise<{ status: number; reason: unknown; body: string }> {
  return new Promise((resolve, reject) => {
    httpRequest({ port: at, host: "127.0.0.1", path, headers: { Host: host }, agent: false }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          reason: response.headers["x-kserve-local-reason"],
          body,
        }),
      );
    })
      .on("error", reject)
      .end();
  });
}

describe("what nothing serves", () => {
  it("is 404 with the hosts that there are", async () => {
    routeTo("hello", []);
    routeTo("shop", []);
    const { status, reason, body } = await get("nobody.default.localhost");
    expect({ status, reason }).toEqual({ status: 404, reason: "no-route" });
    expect(body).toBe(
      'no service has the host "nobody.default.localhost"; known hosts: hello.default.localhost, shop.default.localhost\n',
    );
    await watched.until(() => events.length === 1);
    expect(events[0]).toMatchObject({ status: 404, reason: "no-route", host: "nobody.default.localhost" });
    expect(events[0]).not.toHaveProperty("service");
  });

  it.each([
    ["no revision is routed", []],
    ["its revision does not run yet", [{ revisionName: "hello-00002", percent: 100 }]],
    ["only a tag has a revision", [{ revisionName: "hello-00001", percent: 0, tag: "x" }]],
  ])("is 503 where %s", async (_why, traffic) => {
    routeTo("hello", traffic);
    store.apply({
      apiVersion: "serving.knative.dev/v1",
      kind: "Revision",
      metadata: { name: "hello-00002", namespace: "default" },
    });
    expect(await get("hello.default.localhost")).toEqual({
      status: 503,
      reason: "no-ready-revision",
      body: "hello has no ready revision\n",
    });
    await watched.until(() => events.length === 1);
    expect(events[0]).toMatchObject({ service: "hello", status: 503, coldStart: false, queuedMs: 0 });
    expect(events[0]).not.toHaveProperty("revision");
  });
});

it("says in the activator's words that a route leads to a revision that does not exist", async () => {
  routeTo("hello", [{ revisionName: "nope", percent: 100 }]);
  expect(await get("hello.default.localhost")).toEqual({
    status: 404,
    reason: "unknown-revision",
    body: 'Error getting active endpoint: revision.serving.knative.dev "nope" not found\n',
  });
});

describe("what a revision serves", () => {
  it("is passed on, and told as one event with its parts", async () => {
    await serving("hello-00001");
    routeTo("hello", [{ revisionName: "hello-00001", percent: 100 }]);
    expect(await get("Hello.Default.Localhost:1234", "/a?b=c")).toEqual({
      status: 201,
      reason: undefined,
      body: "hello-00001",
    });
    await watched.until(() => events.length === 1);
    expect(events[0]).toEqual({
      type: "request.completed",
      service: "hello",
      revision: "hello-00001",
      instance: runtimes.get("default/hello-00001")?.ready[0]?.name,
      method: "GET",
      host: "hello.default.localhost",
      path: "/a?b=c",
      status: 201,
      coldStart: false,
      queuedMs: 0,
      durationMs: 0,
    });
  });

  it("is measured until the client has its answer, not until we know why it was a bad one", async () => {
    await serving("hello-00001", (request) => {
      wall.advance(250).then(
        () => request.socket.destroy(),
        () => undefined,
      );
    });
    routeTo("hello", [{ revisionName: "hello-00001", percent: 100 }]);
    expect(await get("hello.default.localhost")).toMatchObject({ status: 502, reason: "app-eof" });
    while (wall.pending === 0) await settle();
    await wall.advance(1_000);
    await watched.until(() => events.length === 1);
    expect(events[0]).toMatchObject({ status: 502, reason: "app-eof", durationMs: 250, queuedMs: 0 });
  });

  it("follows the routes as they change, by weight and by tag", async () => {
    await serving("hello-00001");
    await serving("hello-00002");
    routeTo("hello", [{ revisionName: "hello-00001", percent: 100 }]);
    expect((await get("hello.default.localhost")).body).toBe("hello-00001");
    routeTo("hello", [
      { revisionName: "hello-00002", percent: 90 },
      { revisionName: "hello-00001", percent: 10, tag: "old" },
    ]);
    expect((await get("hello.default.localhost")).body).toBe("hello-00002");
    random = 0.95;
    expect((await get("hello.default.localhost")).body).toBe("hello-00001");
    random = 0;
    notices = [];
    expect((await get("old-hello.default.localhost")).body).toBe("hello-00001");
    store.delete("Route", "default", "hello");
    expect((await get("hello.default.localhost")).status).toBe(404);
  });
});

it("gives a service a listener of its own, whatever the host", async () => {
  await serving("hello-00001");
  routeTo("hello", [{ revisionName: "hello-00001", percent: 100 }]);
  routeTo("shop", []);
  const own = await ingress.listenFor({ namespace: "default", name: "hello" }, "127.0.0.1");
  expect((await get("10.0.0.7", "/", own)).body).toBe("hello-00001");
  await watched.until(() => events.length === 1);
  expect(events[0]).toMatchObject({ service: "hello", host: "10.0.0.7" });
});

it("closes when the requests under way are done, and takes no new ones", async () => {
  let finish = (): void => undefined;
  await serving("hello-00001", (_request, response) => {
    finish = () => void response.end("done");
    watched.wake();
  });
  routeTo("hello", [{ revisionName: "hello-00001", percent: 100 }]);
  const initial = finish;
  const reply = get("hello.default.localhost");
  await watched.until(() => finish !== initial);
  let closed = false;
  const closing = ingress.close().then(() => (closed = true));
  await expect(get("hello.default.localhost")).rejects.toThrow("ECONNREFUSED");
  expect(closed).toBe(false);
  finish();
  expect((await reply).body).toBe("done");
  await closing;
});

it("warns once of a revision whose responses go on after timeoutSeconds", async () => {
  ingress.destroy();
  await openIngress("first-byte");
  await serving("hello-00001", (_request, response) => {
    response.write("a");
    void clock.advance(300_000).then(() => response.end("b"));
  });
  routeTo("hello", [{ revisionName: "hello-00001", percent: 100 }]);
  for (let n = 0; n < 2; n += 1) expect((await get("hello.default.localhost")).body).toBe("ab");
  await watched.until(() => events.length === 2);
  expect(events[1]).toMatchObject({ status: 200, detail: expect.stringContaining("timeoutSeconds (300 s)") });
  expect(events[1]).not.toHaveProperty("reason");
  expect(notices).toEqual([expect.stringContaining("hello-00001: the response went on after")]);
});
