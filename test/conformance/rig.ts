/** The whole path, ingress to app, in real time, as the transcripts' was: one service, one revision, a fake engine. */
import { Activator } from "../../src/activator/activator.ts";
import { Ingress } from "../../src/ingress/ingress.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { type EngineKind, proxyEngine } from "../../src/proxy/engine.ts";
import type { PlatformEventBody } from "../../src/resources/events.ts";
import { Store } from "../../src/resources/store.ts";
import type { Instance } from "../../src/revision/instance.ts";
import type { RevisionPlan } from "../../src/revision/plan.ts";
import { RevisionRuntime } from "../../src/revision/revision-runtime.ts";
import type { ScalingSettings } from "../../src/scaling/settings.ts";
import { GKE, planOf, Watched } from "../revision/rig.ts";
import { settingsWith } from "../scaling/settings-with.ts";
import { FakeEngine, type FakeProgram } from "../support/fake-engine.ts";
import { RawClient } from "../support/raw-http.ts";
import { readResponse, type RecordedResponse } from "./transcript.ts";

export interface RigOptions {
  readonly program: FakeProgram;
  readonly plan?: Partial<RevisionPlan>;
  readonly settings?: Partial<ScalingSettings>;
  readonly engine?: EngineKind;
  /** The revision that the route leads to. */
  readonly routed?: string;
}

type Completed = Extract<PlatformEventBody, { type: "request.completed" }>;

export class ConformanceRig extends Watched implements AsyncDisposable {
  readonly #clock = systemClock();
  readonly engine: FakeEngine;
  readonly runtime: RevisionRuntime;
  readonly activator: Activator;
  readonly completed: Completed[] = [];
  readonly #ingress: Ingress;
  port = 0;

  private constructor(options: RigOptions) {
    super();
    const clock = this.#clock;
    this.engine = new FakeEngine({ clock, program: options.program });
    this.runtime = new RevisionRuntime(planOf(options.plan), {
      engine: this.engine,
      clock,
      realClock: clock,
      random: Math.random,
      settings: settingsWith(options.settings),
      termination: GKE,
      startDeadlineMs: 240_000,
      emit: () => this.wake(),
      onReplicas: () => this.wake(),
    });
    const store = new Store(clock);
    const proxy = proxyEngine(options.engine ?? "node");
    this.activator = new Activator({
      proxy,
      clock,
      realClock: clock,
      random: Math.random,
      semantics: "total",
    });
    this.#ingress = new Ingress({
      proxy,
      store,
      realClock: clock,
      random: Math.random,
      activator: this.activator,
      backends: (_namespace, name) => (name === this.runtime.plan.name ? this.runtime : undefined),
      emit: (event) => {
        if (event.type === "request.completed") this.completed.push(event);
        this.wake();
      },
    });
    store.apply({
      apiVersion: "serving.knative.dev/v1",
      kind: "Route",
      metadata: { name: "hello", namespace: "default" },
    });
    const traffic = [{ revisionName: options.routed ?? "hello-00001", percent: 100 }];
    store.updateStatus("Route", "default", "hello", () => ({ traffic }));
  }

  static async open(options: RigOptions): Promise<ConformanceRig> {
    const rig = new ConformanceRig(options);
    // By a listener of the service's own, so that any Host leads there.
    rig.port = await rig.#ingress.listenFor({ namespace: "default", name: "hello" }, "127.0.0.1");
    rig.runtime.start();
    if (options.settings?.initialScale !== 0) await rig.runtime.becameReady;
    return rig;
  }

  /** Sends bytes on a connection of their own and reads to its end. `giveUpMs`: the client leaves then. */
  async send(bytes: string, options: { readonly giveUpMs?: number } = {}): Promise<RecordedResponse> {
    const began = this.#clock.now();
    await using client = await RawClient.open(this.port);
    client.send(bytes);
    const { giveUpMs } = options;
    let ending = "closed by server";
    const cancel =
      giveUpMs === undefined
        ? () => undefined
        : this.#clock.after(giveUpMs, () => {
            ending = "client gave up";
            client.socket.destroy();
          });
    const text = await client.ended();
    cancel();
    return { after: (this.#clock.now() - began) / 1000, ending, ...readResponse(text) };
  }

  /** The instance that a request is on, as soon as there is one. */
  async busyInstance(): Promise<Instance> {
    for (;;) {
      const busy = this.runtime.ready.find(({ inFlight }) => inFlight > 0);
      if (busy !== undefined) return busy;
      await this.pause(5);
    }
  }

  /** Waits, in the test's own time: the transcripts are about time. */
  pause(ms: number): Promise<void> {
    return this.#clock.sleep(ms);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ingress.destroy();
    await this.runtime.close("the test is over", { now: true });
    await this.engine.close();
  }
}

/** A request as the recorder sent it. */
export function request(path: string, ...fields: readonly string[]): string {
  const host = fields.some((field) => /^host:/i.test(field)) ? [] : ["Host: hello.default.example.com"];
  return [`GET ${path} HTTP/1.1`, ...host, "Connection: close", ...fields, "", ""].join("\r\n");
}
