/**
 * An engine without containers or processes, for tests of what is built on engines. It keeps the same contract as the
 * real ones (test/suites/engine-suite.ts runs on it). Its instances are HTTP servers on loopback that the test
 * programs, or with `sockets: false` nothing but state, for tests on a clock that stands still:
 *
 *   const engine = new FakeEngine({ clock, program: () => (request, response) => response.end("hi") });
 *   engine.behaviour.startDelayMs = 800; // of the clock
 *   engine.behaviour.crashOnStart = 1; // from the next start on
 *   engine.running[0]?.exit(3);
 */
import { createHash } from "node:crypto";
import type {
  Artifact,
  Engine,
  EngineDescription,
  ExecResult,
  ImageSource,
  InstanceRun,
  PrepareOptions,
} from "../../src/engine/engine.ts";
import { FreePorts } from "../../src/engine/process/free-port.ts";
import type { Clock } from "../../src/kernel/clock.ts";
import { KserveLocalError } from "../../src/kernel/errors.ts";
import { FakeInstance, type FakeProgram } from "./fake-instance.ts";

export { FakeInstance, type FakeProgram } from "./fake-instance.ts";

export interface FakeEngineOptions {
  readonly clock: Clock;
  /** Default: answers every request with 200 and `ok`. */
  readonly program?: FakeProgram;
  /** Default true. */
  readonly sockets?: boolean;
  /** What the images by these references say; any other reference gives a plain one. */
  readonly images?: Readonly<Record<string, Partial<Artifact>>>;
}

/** Read anew at each call, so a test may change it at any time. */
export interface FakeBehaviour {
  prepareDelayMs: number;
  /** Thrown by `prepare`. */
  prepareFailure: Error | undefined;
  /** From the call of `start` to its resolution. */
  startDelayMs: number;
  /** Thrown by `start`, after its delay. */
  startFailure: Error | undefined;
  /** Instances end with this exit code as soon as they have started. */
  crashOnStart: number | undefined;
  /** From start to listening. */
  listenDelayMs: number;
  /** Instances don't listen until `listen()` is called on them. */
  neverListens: boolean;
  program: FakeProgram;
  exec: (
    command: readonly string[],
    instance: FakeInstance,
    signal: AbortSignal,
  ) => ExecResult | Promise<ExecResult>;
  /** References of which there is no image. */
  readonly missing: Set<string>;
  /** What `sweep` finds. */
  swept: number;
}

export type FakeCall =
  | { readonly kind: "prepare"; readonly source: ImageSource }
  | { readonly kind: "start"; readonly run: InstanceRun }
  | { readonly kind: "stop"; readonly instance: string; readonly graceMs: number }
  | { readonly kind: "exec"; readonly instance: string; readonly command: readonly string[] }
  | { readonly kind: "sweep" }
  | { readonly kind: "close" };

export class FakeEngine implements Engine {
  readonly description: EngineDescription = { kind: "fake", title: "fake engine" };
  readonly behaviour: FakeBehaviour;
  readonly calls: FakeCall[] = [];
  /** Every instance that ever started, in order. */
  readonly instances: FakeInstance[] = [];
  readonly #options: FakeEngineOptions;
  readonly #ports = new FreePorts();
  readonly #closed = new AbortController();
  readonly #waiting = new Set<() => void>();

  constructor(options: FakeEngineOptions) {
    this.#options = options;
    this.behaviour = {
      prepareDelayMs: 0,
      prepareFailure: undefined,
      startDelayMs: 0,
      startFailure: undefined,
      crashOnStart: undefined,
      listenDelayMs: 0,
      neverListens: false,
      program: options.program ?? (() => (_request, response) => void response.end("ok")),
      exec: () => ({ exitCode: 0, output: "" }),
      missing: new Set(),
      swept: 0,
    };
  }

  get running(): readonly FakeInstance[] {
    return this.instances.filter((instance) => !instance.ended);
  }

  /** Resolves once this many instances have started, ever. */
  startedInstances(count: number): Promise<readonly FakeInstance[]> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (this.instances.length < count) return;
        this.#waiting.delete(check);
        resolve(this.instances);
      };
      this.#waiting.add(check);
      check();
    });
  }

  async prepare(source: ImageSource, options: PrepareOptions): Promise<Artifact> {
    options.signal.throwIfAborted();
    this.calls.push({ kind: "prepare", source });
    const reference = source.kind === "build" ? source.tag : source.reference;
    await this.#pass(this.behaviour.prepareDelayMs, options.signal);
    if (this.behaviour.prepareFailure !== undefined) throw this.behaviour.prepareFailure;
    if (this.behaviour.missing.has(reference)) {
      throw new KserveLocalError("image-missing", { what: `no image ${reference}`, why: "the test says so" });
    }
    options.onProgress({ kind: "step", name: `find ${reference}`, status: "done" });
    return fakeArtifact({ reference, ...this.#options.images?.[reference] });
  }

  async start(run: InstanceRun, signal: AbortSignal): Promise<FakeInstance> {
    signal.throwIfAborted();
    this.#closed.signal.throwIfAborted();
    this.calls.push({ kind: "start", run });
    const either = AbortSignal.any([signal, this.#closed.signal]);
    await this.#pass(this.behaviour.startDelayMs, either);
    if (this.behaviour.startFailure !== undefined) throw this.behaviour.startFailure;
    const reserved = await this.#reserve();
    if (either.aborted) reserved.release();
    either.throwIfAborted();
    const instance = this.#launch(run, reserved.port);
    void instance.exited.then(() => reserved.release());
    if (this.behaviour.crashOnStart !== undefined) instance.exit(this.behaviour.crashOnStart);
    for (const check of this.#waiting) check();
    return instance;
  }

  async sweep(): Promise<number> {
    this.calls.push({ kind: "sweep" });
    return this.behaviour.swept;
  }

  async close(): Promise<void> {
    this.calls.push({ kind: "close" });
    this.#closed.abort(new KserveLocalError("engine-lost", { what: "the fake engine is closed" }));
    for (const instance of this.running) {
      void instance.stop(0);
      // Not by the clock: nobody may be there to move it on.
      if (!instance.ended) instance.exit(137);
    }
    await Promise.all(this.instances.map((instance) => instance.exited));
  }

  async #pass(ms: number, signal: AbortSignal): Promise<void> {
    if (ms > 0) await this.#options.clock.sleep(ms, signal);
  }

  async #reserve(): Promise<{ readonly port: number; release(): void }> {
    if (this.#options.sockets ?? true) return this.#ports.reserve();
    return { port: 49_152 + this.instances.length, release: () => undefined };
  }

  #launch(run: InstanceRun, port: number): FakeInstance {
    const { artifact, command = [], args = [] } = run.main;
    const start = command.length > 0 ? command : artifact.entrypoint;
    const rest = args.length > 0 ? args : command.length > 0 ? [] : artifact.cmd;
    const id = `fake-${this.instances.length + 1}`;
    const instance: FakeInstance = new FakeInstance({
      id,
      run,
      argv: [...start, ...rest],
      env: { ...Object.fromEntries([...artifact.env, ...run.main.env]), PORT: String(port) },
      address: { host: "127.0.0.1", port, connectProves: true },
      clock: this.#options.clock,
      program: this.behaviour.program,
      sockets: this.#options.sockets ?? true,
      listenDelayMs: this.behaviour.neverListens ? undefined : this.behaviour.listenDelayMs,
      onStop: (graceMs) => void this.calls.push({ kind: "stop", instance: run.name, graceMs }),
      onExec: async (words, signal) => {
        this.calls.push({ kind: "exec", instance: run.name, command: words });
        return this.behaviour.exec(words, instance, signal);
      },
    });
    this.instances.push(instance);
    return instance;
  }
}

/** An image as `prepare` would give it; the id follows from the reference. */
export function fakeArtifact(parts: Partial<Artifact> = {}): Artifact {
  const reference = parts.reference ?? "dev.local/hello:latest";
  return {
    id: `sha256:${createHash("sha256").update(reference).digest("hex")}`,
    reference,
    entrypoint: ["/app"],
    cmd: [],
    env: [],
    workingDir: "/",
    user: "",
    exposedPorts: [],
    sizeBytes: 1,
    ...parts,
  };
}
