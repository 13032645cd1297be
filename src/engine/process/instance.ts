import type { CancelTimer, Clock } from "../../kernel/clock.ts";
import type { Address, EngineInstance, ExecResult, Exit } from "../engine.ts";
import { execOnHost } from "./exec.ts";
import { commandOnHost, type HostLayout } from "./host-layout.ts";
import { LineSplitter } from "./lines.ts";
import { signalGroup } from "./process-identity.ts";
import { exitCodeOf, type HostCommand, type HostProcess } from "./spawn.ts";

/** How long output may still come after the process has ended; only what left its group can hold the pipes that long. */
const DRAIN_MS = 1000;

export interface HostInstanceParts {
  readonly process: HostProcess;
  readonly pid: number;
  readonly command: HostCommand;
  readonly layout: HostLayout;
  readonly address: Address;
  readonly clock: Clock;
  onLine(stream: "stdout" | "stderr", line: string): void;
  /** Takes note of a process group that has to go with us; returns how to forget it. */
  readonly track: (pid: number) => () => void;
}

/** A process group on this machine. */
export class HostInstance implements EngineInstance {
  readonly id: string;
  readonly address: Address;
  readonly exited: Promise<Exit>;
  readonly #parts: HostInstanceParts;
  readonly #gone = new AbortController();
  #deadline = Infinity;
  #cancelKill: CancelTimer = () => undefined;
  #cancelDrain: CancelTimer = () => undefined;
  #killed = false;

  constructor(parts: HostInstanceParts) {
    this.#parts = parts;
    this.id = String(parts.pid);
    this.address = parts.address;
    const stdout = new LineSplitter((line) => parts.onLine("stdout", line));
    const stderr = new LineSplitter((line) => parts.onLine("stderr", line));
    parts.process.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    parts.process.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    parts.process.once("exit", () => this.#onMainExit());
    this.exited = new Promise((resolve) => {
      parts.process.once("close", (code, signal) => {
        stdout.end();
        stderr.end();
        this.#onClose();
        resolve({ code: exitCodeOf(code, signal), reason: "exited", killed: this.#killed });
      });
    });
  }

  async exec(command: readonly string[], signal: AbortSignal): Promise<ExecResult> {
    const { layout, command: main, track } = this.#parts;
    const either = AbortSignal.any([signal, this.#gone.signal]);
    return execOnHost({ ...main, argv: commandOnHost(command, layout) }, either, track);
  }

  stop(graceMs: number): Promise<Exit> {
    const grace = Math.max(0, graceMs);
    const deadline = this.#parts.clock.now() + grace;
    if (this.#gone.signal.aborted || deadline >= this.#deadline) return this.exited;
    const isFirst = this.#deadline === Infinity;
    this.#deadline = deadline;
    if (isFirst) signalGroup(this.#parts.pid, "SIGTERM");
    this.#cancelKill();
    this.#cancelKill = this.#parts.clock.after(grace, () => {
      this.#killed = true;
      this.#killRest();
    });
    return this.exited;
  }

  /**
   * In a container everything ends with the first process. Here the first is often a shell or a package manager that
   * dies of the SIGTERM while the server it started still drains: then the rest has until the grace period ends.
   */
  #onMainExit(): void {
    const isStopping = this.#deadline !== Infinity;
    if (!isStopping) this.#killRest();
  }

  #killRest(): void {
    signalGroup(this.#parts.pid, "SIGKILL");
    this.#cancelDrain();
    this.#cancelDrain = this.#parts.clock.after(DRAIN_MS, () => {
      this.#parts.process.stdout.destroy();
      this.#parts.process.stderr.destroy();
    });
  }

  #onClose(): void {
    signalGroup(this.#parts.pid, "SIGKILL");
    this.#cancelKill();
    this.#cancelDrain();
    this.#gone.abort(new Error(`the instance (pid ${this.id}) has ended`));
  }
}
