/** A front server, the activator and a revision on the fake engine; platform time stands still. */
import { request as httpRequest } from "node:http";
import { Activator } from "../../src/activator/activator.ts";
import type { ServeResult } from "../../src/activator/serve-result.ts";
import type { TimeoutSemantics } from "../../src/activator/timers.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import type { Exchange } from "../../src/proxy/exchange.ts";
import { proxyEngine } from "../../src/proxy/engine.ts";
import type { RevisionPlan } from "../../src/revision/plan.ts";
import { RevisionRuntime } from "../../src/revision/revision-runtime.ts";
import type { ScalingSettings } from "../../src/scaling/settings.ts";
import { GKE, planOf, Watched } from "../revision/rig.ts";
import { settingsWith } from "../scaling/settings-with.ts";
import { FakeClock, settle } from "../support/fake-clock.ts";
import { FakeEngine, type FakeProgram } from "../support/fake-engine.ts";

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  /** The connection broke before the end. */
  readonly broken: boolean;
}

export class ActivatorRig extends Watched {
  readonly clock = new FakeClock();
  /** The activator's wall clock: it measures by it, and waits by it to learn of a death. */
  readonly wall = new FakeClock();
  readonly engine: FakeEngine;
  readonly runtime: RevisionRuntime;
  readonly activator: Activator;
  readonly results: ServeResult[] = [];
  readonly #front;
  port = 0;
  arrived = 0;

  constructor(options: {
    readonly program?: FakeProgram;
    readonly plan?: Partial<RevisionPlan>;
    readonly settings?: Partial<ScalingSettings>;
    readonly semantics?: TimeoutSemantics;
  }) {
    super();
    this.engine = new FakeEngine({
      clock: this.clock,
      ...(options.program === undefined ? {} : { program: options.program }),
    });
    this.runtime = new RevisionRuntime(planOf(options.plan), {
      engine: this.engine,
      clock: this.clock,
      realClock: systemClock(),
      random: Math.random,
      settings: settingsWith(options.settings),
      termination: GKE,
      startDeadlineMs: 240_000,
      emit: () => this.wake(),
      onReplicas: () => this.wake(),
    });
    const proxy = proxyEngine("node");
    this.activator = new Activator({
      proxy,
      clock: this.clock,
      realClock: this.wall,
      random: () => 0,
      semantics: options.semantics ?? "total",
    });
    this.#front = proxy.createFrontServer((exchange) => {
      void this.activator.serve(exchange, this.runtime).then((result) => {
        this.results.push(result);
        this.wake();
      });
      this.arrived += 1;
      this.wake();
    });
  }

  async open(): Promise<this> {
    this.port = await this.#front.listen(0, "127.0.0.1");
    this.runtime.start();
    return this;
  }

  async close(): Promise<void> {
    this.#front.destroy();
    await this.runtime.close("the test is over", { now: true });
    await this.engine.close();
  }

  send(
    options: {
      readonly method?: string;
      readonly path?: string;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    } = {},
  ): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        {
          port: this.port,
          host: "127.0.0.1",
          path: options.path ?? "/",
          method: options.method ?? "GET",
          headers: options.headers,
          agent: false,
        },
        (response) => {
          let body = "";
          response.setEncoding("utf8");
          response.on("data", (chunk: string) => (body += chunk));
          response.on("error", () => undefined);
          response.on("close", () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body,
              broken: !response.complete,
            }),
          );
        },
      );
      request.on("error", reject);
      request.end(options.body);
    });
  }

  requests(count: number): Promise<void> {
    return this.until(() => this.arrived >= count);
  }

  result(): Promise<void> {
    return this.until(() => this.results.length > 0);
  }
}

/** The rig's parts, its methods bound, for tests to name what they use. */
export function bind(of: ActivatorRig) {
  const { clock, wall, engine, runtime, activator, results } = of;
  return {
    clock,
    wall,
    engine,
    runtime,
    activator,
    results,
    send: of.send.bind(of),
    requests: of.requests.bind(of),
    result: of.result.bind(of),
  };
}

/** The activator has been refused and waits to hear whether the instance has died. */
export async function deathAwaited(clock: FakeClock): Promise<void> {
  while (clock.pending === 0) await settle();
}

/** A request that waits and never gets as far as being forwarded: so many sockets at once no test can have. */
export function patientExchange(): Exchange {
  const parts: Partial<Exchange> = {
    rawHeaders: [],
    finished: new Promise(() => undefined),
    responseStarted: false,
    status: undefined,
    respond: () => undefined,
    cut: () => undefined,
  };
  return parts as Exchange;
}
