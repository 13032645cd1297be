/** Under load, whatever happens to the instances: only requests whose instance was killed under them fail. */
import { afterEach, describe, expect, it } from "vitest";
import { Activator } from "../../src/activator/activator.ts";
import { Ingress } from "../../src/ingress/ingress.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { ENGINE_KINDS, type EngineKind, proxyEngine } from "../../src/proxy/engine.ts";
import type { PlatformEventBody } from "../../src/resources/events.ts";
import { Store } from "../../src/resources/store.ts";
import type { RevisionPlan } from "../../src/revision/plan.ts";
import { RevisionRuntime } from "../../src/revision/revision-runtime.ts";
import type { ScalingSettings } from "../../src/scaling/settings.ts";
import { GKE, planOf, Watched } from "../revision/rig.ts";
import { settingsWith } from "../scaling/settings-with.ts";
import { FakeEngine, type FakeProgram } from "../support/fake-engine.ts";
import { Load } from "./load.ts";

type Completed = Extract<PlatformEventBody, { type: "request.completed" }>;

/** Platform time runs that much faster, so that scaling down does not take minutes. */
const SCALE = 20;

class LoadRig extends Watched {
  readonly clock = systemClock(SCALE);
  readonly real = systemClock();
  readonly store = new Store(this.clock);
  readonly runtimes = new Map<string, RevisionRuntime>();
  readonly engines: FakeEngine[] = [];
  readonly scaled: number[] = [];
  /** Those that the platform answered or cut. */
  readonly failures: Completed[] = [];
  readonly #ingress: Ingress;
  port = 0;

  constructor(kind: EngineKind) {
    super();
    const proxy = proxyEngine(kind);
    const activator = new Activator({
      proxy,
      clock: this.clock,
      realClock: this.real,
      random: Math.random,
      semantics: "total",
    });
    this.#ingress = new Ingress({
      proxy,
      store: this.store,
      realClock: this.real,
      random: Math.random,
      activator,
      backends: (_namespace, name) => this.runtimes.get(name),
      emit: (event) => {
        if (event.type === "request.completed" && event.reason !== undefined) this.failures.push(event);
        this.wake();
      },
    });
  }

  async open(): Promise<this> {
    this.port = await this.#ingress.listen({ port: 0, strict: false });
    return this;
  }

  async revision(
    name: string,
    options: { readonly plan?: Partial<RevisionPlan>; readonly settings?: Partial<ScalingSettings> } = {},
  ): Promise<{ readonly runtime: RevisionRuntime; readonly engine: FakeEngine }> {
    const engine = new FakeEngine({ clock: this.clock, program: this.#program(name) });
    this.engines.push(engine);
    const runtime = new RevisionRuntime(planOf({ name, ...options.plan }), {
      engine,
      clock: this.clock,
      realClock: this.real,
      random: Math.random,
      settings: settingsWith(options.settings),
      termination: GKE,
      startDeadlineMs: 240_000,
      emit: (event) => {
        if (event.type === "revision.scaled") this.scaled.push(event.desired);
        this.wake();
      },
      onReplicas: () => this.wake(),
    });
    this.runtimes.set(name, runtime);
    runtime.start();
    await runtime.becameReady;
    return { runtime, engine };
  }

  route(revision: string): void {
    const metadata = { name: "hello", namespace: "default" };
    this.store.apply({ apiVersion: "serving.knative.dev/v1", kind: "Route", metadata });
    const traffic = [{ revisionName: revision, percent: 100 }];
    this.store.updateStatus("Route", "default", "hello", () => ({ traffic }));
  }

  load(method: "GET" | "POST" = "GET"): Load {
    return new Load({ port: this.port, host: "hello.default", method });
  }

  async close(): Promise<void> {
    this.#ingress.destroy();
    await Promise.all([...this.runtimes.values()].map((one) => one.close("the test is over", { now: true })));
    await Promise.all(this.engines.map((engine) => engine.close()));
  }

  /** Answers with its revision's name, after 1 to 10 ms. */
  #program(name: string): FakeProgram {
    return () => (request, response) => {
      setTimeout(() => response.end(name), 1 + (Number(request.headers["x-id"]) % 10));
    };
  }
}

let rig = new LoadRig("node");
afterEach(() => rig.close());

const FAST: Partial<ScalingSettings> = {
  total: 4,
  target: 3,
  maxScale: 8,
  stableWindowMs: 6_000,
  panicWindowMs: 1_000,
};

describe.each(ENGINE_KINDS)("the %s engine", (kind) => {
  const open = (): Promise<LoadRig> => {
    rig = new LoadRig(kind);
    return rig.open();
  };

  describe("no request is lost", () => {
    it("while the number of instances goes up, down, to zero and up again", async () => {
      const { runtime } = await (
        await open()
      ).revision("hello-00001", {
        plan: { containerConcurrency: 4 },
        settings: FAST,
      });
      rig.route("hello-00001");
      const load = rig.load();
      for (let round = 0; round < 2; round += 1) {
        load.clients(40);
        await rig.until(() => runtime.ready.length >= 4);
        load.clients(1);
        await rig.until(() => runtime.ready.length <= 1);
        load.clients(0);
        await rig.until(() => runtime.ready.length === 0);
      }
      await load.end();
      expect(load.failed).toEqual([]);
      expect(load.answers.length).toBeGreaterThan(200);
      expect(rig.scaled.filter((count) => count === 0)).toHaveLength(2);
      expect(runtime.inFlight).toBe(0);
    });

    it("while the route goes from revision to revision and the old ones end", async () => {
      await open();
      const load = rig.load();
      for (let n = 1; n <= 5; n += 1) {
        const name = `hello-0000${n}`;
        const { runtime } = await rig.revision(name, {
          settings: { initialScale: 2, minScale: 2 },
        });
        const before = n === 1 ? undefined : rig.runtimes.get(`hello-0000${n - 1}`);
        rig.route(name);
        load.clients(30);
        const closed = before?.close("no route leads to it");
        const seen = load.answers.length + 300;
        while (load.answers.length < seen) await rig.real.sleep(5);
        expect(load.answers.at(-1)?.body).toBe(name);
        await closed;
        expect(before?.instances ?? []).toEqual([]);
        expect(runtime.ready).toHaveLength(2);
      }
      await load.end();
      expect(load.failed).toEqual([]);
    });

    it.each(["GET", "POST"] as const)(
      "but %s requests that were on an instance when it was killed",
      async (method) => {
        const { runtime, engine } = await (
          await open()
        ).revision("hello-00001", {
          settings: { ...FAST, initialScale: 4, minScale: 4, maxScale: 4 },
        });
        rig.route("hello-00001");
        const load = rig.load(method);
        load.clients(40);
        const killed = new Map<string, number>();
        for (let kill = 0; kill < 8; kill += 1) {
          const seen = load.answers.length + 200;
          while (load.answers.length < seen || runtime.ready.length < 4) await rig.real.sleep(5);
          const victim = engine.running[kill % engine.running.length];
          const name = victim?.run.name ?? "";
          killed.set(name, runtime.ready.find((instance) => instance.name === name)?.inFlight ?? 0);
          victim?.exit(137);
          // A backoff may be due: dying young is what it is for.
          if (kill % 2 === 1) await rig.clock.sleep(10_000);
        }
        await load.end();
        await rig.until(() => rig.failures.length === load.failed.length);
        for (const { status, reason, instance = "", detail } of rig.failures) {
          expect(status).toBe(502);
          // A GET that Go's transport would send again has been, and found nobody.
          expect(reason).toMatch(method === "GET" ? /^app-(eof|reset|refused)$/ : /^app-(eof|reset)$/);
          expect(detail).toContain("was killed (SIGKILL, exit code 137) while the request was under way");
          killed.set(instance, (killed.get(instance) ?? 0) - 1);
        }
        expect(load.failed.length).toBeGreaterThan(0);
        // No more than were on it when it died.
        expect([...killed.values()].filter((left) => left < 0)).toEqual([]);
        expect(runtime.inFlight).toBe(0);
      },
    );
  });

  describe("a thousand requests that come at zero", () => {
    it.each([
      [0, "all at once"],
      [10, "ten at a time"],
    ])("are held and served, with a containerConcurrency of %i %s", async (containerConcurrency) => {
      const { runtime, engine } = await (
        await open()
      ).revision("hello-00001", {
        plan: { containerConcurrency },
        settings: { initialScale: 0, maxScale: 1 },
      });
      rig.route("hello-00001");
      engine.behaviour.neverListens = true;
      const load = rig.load();
      load.clients(1_000);
      while (runtime.inFlight < 1_000) await rig.real.sleep(5);
      expect(engine.instances).toHaveLength(1);
      expect(load.answers).toEqual([]);
      const ended = load.end();
      await engine.instances[0]?.listen();
      await ended;
      expect(load.answers).toHaveLength(1_000);
      expect(load.failed).toEqual([]);
      expect(runtime.inFlight).toBe(0);
    });
  });

  it("spreads over fifty instances", async () => {
    const { runtime, engine } = await (
      await open()
    ).revision("hello-00001", {
      settings: { initialScale: 50, minScale: 50 },
    });
    rig.route("hello-00001");
    expect(runtime.ready).toHaveLength(50);
    const served = new Map<string, number>();
    for (const { server, env } of engine.running)
      server?.on("request", () => served.set(env["PORT"] ?? "", (served.get(env["PORT"] ?? "") ?? 0) + 1));
    const load = rig.load();
    load.clients(100);
    while (load.answers.length < 2_000) await rig.real.sleep(5);
    await load.end();
    expect(load.failed).toEqual([]);
    expect(served.size).toBe(50);
    expect(Math.max(...served.values())).toBeLessThan((3 * load.answers.length) / 50);
  });
});
