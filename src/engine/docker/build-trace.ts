/**
 * BuildKit's account of a build: base64 of moby.buildkit.v1.StatusResponse (api/services/control/control.proto), in which
 * a step is a "vertex", told about several times while it goes on.
 */
import type { PrepareProgress } from "../engine.ts";
import { LineSplitter } from "./logs.ts";
import { decodeFields, type Field } from "./protobuf.ts";
import { StepOutput } from "./step-output.ts";

interface Vertex {
  name: string;
  cached: boolean;
  /** Seconds since the epoch. */
  started?: number;
  completed?: number;
  error: string;
  announced: boolean;
  finished: boolean;
  readonly output: StepOutput;
  readonly lines: LineSplitter;
}

export interface FailedStep {
  readonly name: string;
  readonly error: string;
  readonly lines: readonly string[];
}

/** Housekeeping that every build begins with; shown only when it fails. */
const SILENT =
  /^\[internal\] load (?:build definition|\.dockerignore|remote build context)|^\[internal\] load build context/;

export class BuildTrace {
  readonly #vertices = new Map<string, Vertex>();
  readonly #emit: (progress: PrepareProgress) => void;

  constructor(emit: (progress: PrepareProgress) => void) {
    this.#emit = emit;
  }

  /** One message's `aux`. A message that can't be read is passed over: progress is not worth a failed build. */
  apply(aux: string): void {
    try {
      for (const field of decodeFields(Buffer.from(aux, "base64"))) {
        if (field.kind !== "bytes") continue;
        if (field.number === 1) this.#vertex(field.value);
        else if (field.number === 2) this.#status(field.value);
        else if (field.number === 3) this.#log(field.value);
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }

  /** The step that made the build fail; others may have been cancelled because of it. */
  failed(): FailedStep | undefined {
    const all = [...this.#vertices.values()].filter((vertex) => vertex.error !== "");
    const vertex = all.find(({ error }) => !/context canceled/.test(error)) ?? all[0];
    if (vertex === undefined) return undefined;
    vertex.lines.end();
    return { name: vertex.name, error: vertex.error, lines: vertex.output.last() };
  }

  #vertex(message: Buffer): void {
    const read = fieldsOf(message);
    const vertex = this.#at(read.text(1));
    vertex.name = read.text(3) || vertex.name;
    vertex.cached ||= read.number(4) === 1;
    vertex.started = read.time(5) ?? vertex.started ?? 0;
    const completed = read.time(6);
    if (completed !== undefined) vertex.completed = completed;
    vertex.error = read.text(7) || vertex.error;
    this.#announce(vertex, read.time(5) !== undefined);
  }

  #announce(vertex: Vertex, started: boolean): void {
    if (SILENT.test(vertex.name) && vertex.error === "") return;
    const { name } = vertex;
    if (started && !vertex.announced && !vertex.cached) {
      vertex.announced = true;
      this.#emit({ kind: "step", name, status: "start" });
    }
    if (vertex.completed === undefined || vertex.finished) return;
    vertex.finished = true;
    vertex.lines.end();
    if (vertex.cached && vertex.error === "") this.#emit({ kind: "step", name, status: "cached" });
    else {
      const durationMs = Math.max(0, (vertex.completed - (vertex.started ?? vertex.completed)) * 1000);
      this.#emit({ kind: "step", name, status: vertex.error === "" ? "done" : "error", durationMs });
    }
  }

  /** VertexStatus: bytes of a layer on their way. */
  #status(message: Buffer): void {
    const read = fieldsOf(message);
    const [current, total] = [read.number(4), read.number(5)];
    if (current === 0 && total === 0) return;
    this.#emit({
      kind: "transfer",
      id: read.text(1),
      what: read.text(3) || this.#at(read.text(2)).name,
      current,
      total,
    });
  }

  #log(message: Buffer): void {
    const read = fieldsOf(message);
    this.#at(read.text(1)).lines.write(read.bytes(4));
  }

  #at(digest: string): Vertex {
    const known = this.#vertices.get(digest);
    if (known !== undefined) return known;
    const output = new StepOutput();
    const made: Vertex = {
      name: digest,
      cached: false,
      error: "",
      announced: false,
      finished: false,
      output,
      lines: new LineSplitter((line) => {
        output.add(line);
        this.#emit({ kind: "output", step: made.name, line });
      }),
    };
    this.#vertices.set(digest, made);
    return made;
  }
}

interface Reader {
  text(number: number): string;
  number(number: number): number;
  bytes(number: number): Buffer;
  /** google.protobuf.Timestamp, in seconds; undefined where not set. */
  time(number: number): number | undefined;
}

function fieldsOf(message: Buffer): Reader {
  const fields = new Map<number, Field>();
  for (const field of decodeFields(message)) fields.set(field.number, field);
  const bytes = (number: number): Buffer => {
    const field = fields.get(number);
    return field?.kind === "bytes" ? field.value : Buffer.alloc(0);
  };
  const number = (index: number): number => {
    const field = fields.get(index);
    return field?.kind === "number" ? field.value : 0;
  };
  return {
    bytes,
    number,
    text: (index) => bytes(index).toString(),
    time: (index) => {
      if (!fields.has(index)) return undefined;
      const stamp = fieldsOf(bytes(index));
      return stamp.number(1) + stamp.number(2) / 1e9;
    },
  };
}
