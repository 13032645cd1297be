/**
 * An app's container that is started and waits: all that is left to do is to execute the app's program, which takes a byte.
 * helper/gate.c is what runs in it.
 */
import type { Duplex } from "node:stream";
import type Docker from "dockerode";
import { KserveLocalError } from "../../../kernel/errors.ts";
import type { LogLine } from "../../engine.ts";
import type { ContainerSpec } from "../container-spec.ts";
import { followLogs } from "../logs.ts";
import { explainStartFailure } from "../start-failure.ts";
import { removeContainer } from "../stop.ts";
import { parseGateLine, type GateWord } from "./gate-line.ts";
import { type GateOptions, gatedSpec } from "./gate-spec.ts";

export interface GateParts {
  readonly docker: Docker;
  /** As for a plain start (containerSpec). */
  readonly spec: ContainerSpec;
  readonly options: GateOptions;
  /** The container's name in log lines. */
  readonly name: string;
  /** The app's lines, and none of the gate's. */
  onLog(line: LogLine): void;
}

/** The engine, or the kernel under it, doesn't let the gate build an in-memory root. Start with one on disk instead. */
export class NoMemoryRoot extends Error {}

/** Creates the container and listens to it; it isn't started. Files may be put into it now. Throws what the engine throws. */
export async function createGate(parts: GateParts): Promise<Gate> {
  const container = await parts.docker.createContainer(gatedSpec(parts.spec, parts.options));
  try {
    return await openGate(container, parts);
  } catch (error) {
    await removeContainer(container).catch(() => undefined);
    throw error;
  }
}

async function openGate(container: Docker.Container, parts: GateParts): Promise<Gate> {
  const stream = await container.attach({
    stream: true,
    stdin: true,
    stdout: true,
    stderr: true,
    hijack: true,
  });
  return new Gate(container, stream as Duplex, parts);
}

export class Gate {
  readonly container: Docker.Container;
  /** Resolves when all output has been delivered: the container has ended, or the engine is gone. */
  readonly output: Promise<void>;
  /** Resolves with `start-failed` if the program turns out not to be executable; stays pending otherwise. */
  readonly refused: Promise<KserveLocalError>;
  readonly #stream: Duplex;
  readonly #parts: GateParts;
  readonly #first: Promise<GateWord>;
  #hear: (word: GateWord) => void = () => undefined;
  #refuse: (error: KserveLocalError) => void = () => undefined;
  #lastLines: string[] = [];

  constructor(container: Docker.Container, stream: Duplex, parts: GateParts) {
    this.container = container;
    this.#stream = stream;
    this.#parts = parts;
    this.#first = new Promise((resolve) => (this.#hear = resolve));
    this.refused = new Promise((resolve) => (this.#refuse = resolve));
    // The connection's other half would keep it open.
    stream.once("end", () => stream.destroy());
    this.output = followLogs(stream, parts.name, (line) => this.#take(line));
  }

  /**
   * Resolves when the gate waits. Throws NoMemoryRoot, KserveLocalError, the signal's reason, or what the engine throws; the
   * caller then discards it.
   */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.container.start();
    const word = await Promise.race([this.#first, this.output.then(() => undefined)]);
    signal.throwIfAborted();
    if (word?.kind === "ready") return;
    if (word?.kind === "no-root") throw new NoMemoryRoot(word.why);
    throw new KserveLocalError("engine-error", {
      what: "The container ended before its program could be executed",
      why: word === undefined ? this.#lastLines.join("\n") || "It said nothing" : word.why,
    });
  }

  /** Lets the app go. Whether it could be executed, `refused` tells; the byte is on its way when this returns. */
  release(): void {
    this.#stream.write("g");
  }

  /**
   * The next run in the same container when this one has ended; not started yet. With an in-memory root nothing of the last
   * run is left in it.
   */
  again(): Promise<Gate> {
    return openGate(this.container, this.#parts);
  }

  /** Breaks the connection off: a gate that waits ends by itself, an app that runs is left alone. */
  abandon(): void {
    this.#stream.destroy();
  }

  /** Removes the container, whatever state it is in. */
  async discard(): Promise<void> {
    await removeContainer(this.container);
    this.#stream.destroy();
  }

  #take(line: LogLine): void {
    const word = line.stream === "stderr" ? parseGateLine(line.line, this.#parts.options.token) : undefined;
    if (word === undefined) {
      if (this.#lastLines.length < 5) this.#lastLines.push(line.line);
      return this.#parts.onLog(line);
    }
    this.#hear(word);
    if (word.kind !== "failed") return;
    this.#parts.onLog({ ...line, line: word.why });
    const program = this.#parts.options.argv[0] ?? "";
    this.#refuse(new KserveLocalError("start-failed", explainStartFailure(word.why, program)));
  }
}
