import { createServer, type RequestListener, type Server } from "node:http";
import type { CancelTimer, Clock } from "../../src/kernel/clock.ts";
import type {
  Address,
  EngineInstance,
  ExecResult,
  Exit,
  InstanceRun,
  LogLine,
} from "../../src/engine/engine.ts";

/** What a fake program sees of the process it pretends to be. */
export interface FakeProcess {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Raw text; lines come out of it as of a real process. */
  write(stream: LogLine["stream"], text: string): void;
  /** Ends the instance with this exit code; 128+n stands for signal n. */
  exit(code: number): void;
  /** Replaces the default answer to SIGTERM, which is to end with 143 at once. */
  onTerminate(listener: () => void): void;
  /** Runs once the server accepts connections. */
  onListening(listener: () => void): void;
}

/** Runs when the instance starts; what it returns answers requests. Undefined: it never listens. */
export type FakeProgram = (process: FakeProcess) => RequestListener | undefined;

export interface FakeInstanceOptions {
  readonly id: string;
  readonly run: InstanceRun;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly address: Address;
  readonly clock: Clock;
  readonly program: FakeProgram;
  /** False: no socket is opened, requests go nowhere. */
  readonly sockets: boolean;
  /** From start to listening; undefined = only when `listen` is called. */
  readonly listenDelayMs: number | undefined;
  onStop(graceMs: number): void;
  onExec(command: readonly string[], signal: AbortSignal): Promise<ExecResult>;
}

/** An instance that lives in this process: a loopback HTTP server, or nothing but its state. */
export class FakeInstance implements EngineInstance, FakeProcess {
  readonly id: string;
  readonly run: InstanceRun;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly address: Address;
  readonly exited: Promise<Exit>;
  /** Undefined without sockets. For upgrades and the like, add listeners here. */
  readonly server: Server | undefined;
  readonly #options: FakeInstanceOptions;
  readonly #gone = new AbortController();
  readonly #partial = { stdout: "", stderr: "" };
  #onTerminate: (() => void) | undefined;
  #onListening: () => void = () => undefined;
  #resolveExited: (exit: Exit) => void = () => undefined;
  #deadline = Infinity;
  #cancelKill: CancelTimer = () => undefined;
  #cancelListen: CancelTimer = () => undefined;

  constructor(options: FakeInstanceOptions) {
    this.#options = options;
    this.id = options.id;
    this.run = options.run;
    this.argv = options.argv;
    this.env = options.env;
    this.cwd = options.run.main.workingDir ?? options.run.main.artifact.workingDir;
    this.address = options.address;
    this.exited = new Promise((resolve) => {
      this.#resolveExited = resolve;
    });
    const handler = options.program(this);
    this.server = options.sockets && handler !== undefined ? createServer(handler) : undefined;
    if (this.ended || options.listenDelayMs === undefined) return;
    if (options.listenDelayMs === 0) void this.listen();
    else this.#cancelListen = options.clock.after(options.listenDelayMs, () => void this.listen());
  }

  get ended(): boolean {
    return this.#gone.signal.aborted;
  }

  /** SIGTERM has come. */
  get terminating(): boolean {
    return this.#deadline !== Infinity;
  }

  /** Begins to accept connections; resolves when it does. */
  async listen(): Promise<void> {
    const { server } = this;
    if (server === undefined || server.listening || this.ended) return;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.address.port, this.address.host, resolve);
    });
    this.#onListening();
  }

  /** Refuses connections from now on and drops those there are. */
  async unlisten(): Promise<void> {
    const { server } = this;
    if (server === undefined || !server.listening) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  write(stream: LogLine["stream"], text: string): void {
    const lines = (this.#partial[stream] + text).split("\n");
    this.#partial[stream] = lines.pop() ?? "";
    for (const line of lines) this.#log(stream, line);
  }

  exit(code: number): void {
    this.#end({ code, reason: "exited", killed: false });
  }

  /** Ends in a way of which no exit code is known. */
  lose(reason: "removed" | "engine-lost"): void {
    this.#end({ reason, killed: false });
  }

  /** The kernel ends it for want of memory. */
  runOutOfMemory(): void {
    this.#end({ code: 137, reason: "oom", killed: false });
  }

  onTerminate(listener: () => void): void {
    this.#onTerminate = listener;
  }

  onListening(listener: () => void): void {
    this.#onListening = listener;
  }

  async exec(command: readonly string[], signal: AbortSignal): Promise<ExecResult> {
    const either = AbortSignal.any([signal, this.#gone.signal]);
    either.throwIfAborted();
    const result = await Promise.race([this.#options.onExec(command, either), rejection(either)]);
    either.throwIfAborted();
    return result;
  }

  stop(graceMs: number): Promise<Exit> {
    this.#options.onStop(graceMs);
    const grace = Math.max(0, graceMs);
    const deadline = this.#options.clock.now() + grace;
    if (this.ended || deadline >= this.#deadline) return this.exited;
    const isFirst = this.#deadline === Infinity;
    this.#deadline = deadline;
    this.#cancelKill();
    const kill = (): void => this.#end({ code: 137, reason: "exited", killed: true });
    this.#cancelKill = this.#options.clock.after(grace, kill);
    if (isFirst) {
      if (this.#onTerminate === undefined) this.exit(143);
      else this.#onTerminate();
    }
    return this.exited;
  }

  #end(exit: Exit): void {
    if (this.ended) return;
    this.#gone.abort(new Error(`the instance ${this.run.name} has ended`));
    this.#cancelKill();
    this.#cancelListen();
    for (const stream of ["stdout", "stderr"] as const) {
      if (this.#partial[stream] !== "") this.#log(stream, this.#partial[stream]);
    }
    void this.unlisten().then(() => this.#resolveExited(exit));
  }

  #log(stream: LogLine["stream"], line: string): void {
    this.run.onLog({ container: this.run.main.name, stream, line });
  }
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}
