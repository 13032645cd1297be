import { describe, expect, it } from "vitest";
import { BuildTrace } from "../../../src/engine/docker/build-trace.ts";
import { ClassicTrace } from "../../../src/engine/docker/classic-trace.ts";
import { decodeFields, encodeNumber, encodeText, encodeVarint } from "../../../src/engine/docker/protobuf.ts";
import type { PrepareProgress } from "../../../src/engine/engine.ts";

/** A field that holds a message. */
function nested(number: number, message: Buffer): Buffer {
  return Buffer.concat([encodeVarint(number * 8 + 2), encodeVarint(message.length), message]);
}

function time(field: number, seconds: number, nanos = 0): Buffer {
  return nested(field, Buffer.concat([encodeNumber(1, seconds), encodeNumber(2, nanos)]));
}

interface VertexOptions {
  name?: string;
  cached?: boolean;
  started?: number;
  completed?: number;
  error?: string;
}

function vertex(
  digest: string,
  { name = "", cached = false, started, completed, error = "" }: VertexOptions,
): Buffer {
  return nested(
    1,
    Buffer.concat([
      encodeText({ 1: digest, 3: name }),
      cached ? encodeNumber(4, 1) : Buffer.alloc(0),
      started === undefined ? Buffer.alloc(0) : time(5, started),
      completed === undefined ? Buffer.alloc(0) : time(6, completed, 500_000_000),
      encodeText({ 7: error }),
    ]),
  );
}

function log(digest: string, text: Buffer | string): Buffer {
  return nested(3, Buffer.concat([encodeText({ 1: digest }), nested(4, Buffer.from(text))]));
}

function tracing(...messages: Buffer[][]) {
  const all: PrepareProgress[] = [];
  const trace = new BuildTrace((progress) => all.push(progress));
  for (const parts of messages) trace.apply(Buffer.concat(parts).toString("base64"));
  return { all, trace };
}

describe("BuildKit's trace", () => {
  it("tells each step's start and end once, with its duration, however often it is mentioned", () => {
    const { all } = tracing(
      [vertex("a", { name: "[1/2] RUN x" })],
      [vertex("a", { name: "[1/2] RUN x", started: 100 })],
      [vertex("a", { name: "[1/2] RUN x", started: 100 })],
      [vertex("a", { name: "[1/2] RUN x", started: 100, completed: 102 })],
      [vertex("a", { name: "[1/2] RUN x", started: 100, completed: 102 })],
    );
    expect(all).toEqual([
      { kind: "step", name: "[1/2] RUN x", status: "start" },
      { kind: "step", name: "[1/2] RUN x", status: "done", durationMs: 2500 },
    ]);
  });

  it("tells cached steps as such, and keeps quiet about housekeeping", () => {
    const { all } = tracing([
      vertex("a", { name: "[internal] load build definition from Dockerfile", started: 1, completed: 2 }),
      vertex("b", { name: "[2/2] COPY . .", cached: true, started: 1, completed: 1 }),
    ]);
    expect(all).toEqual([{ kind: "step", name: "[2/2] COPY . .", status: "cached" }]);
  });

  it("gives output by line, also where a character is cut between messages", () => {
    const text = Buffer.from("grüße\nfin");
    const { all } = tracing(
      [vertex("a", { name: "RUN x", started: 1 })],
      [log("a", text.subarray(0, 3))],
      [log("a", text.subarray(3)), vertex("a", { name: "RUN x", started: 1, completed: 2 })],
    );
    const lines = all.flatMap((progress) => (progress.kind === "output" ? [progress] : []));
    expect(lines).toEqual([
      { kind: "output", step: "RUN x", line: "grüße" },
      { kind: "output", step: "RUN x", line: "fin" },
    ]);
  });

  it("names the step that failed, not those cancelled because of it, with its last fifteen lines", () => {
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`);
    const { all, trace } = tracing(
      [
        vertex("b", { name: "[b 1/1] RUN y", started: 1 }),
        vertex("a", { name: "[a 1/1] RUN x", started: 1 }),
      ],
      [log("a", `${lines.join("\n")}\npartial`)],
      [vertex("b", { name: "[b 1/1] RUN y", started: 1, completed: 2, error: "context canceled" })],
      [vertex("a", { name: "[a 1/1] RUN x", started: 1, completed: 2, error: "exit code: 3" })],
    );
    expect(trace.failed()).toEqual({
      name: "[a 1/1] RUN x",
      error: "exit code: 3",
      lines: [...lines.slice(16), "partial"],
    });
    expect(all.filter((progress) => progress.kind === "step" && progress.status === "error")).toHaveLength(2);
  });

  it("tells bytes on their way", () => {
    const status = Buffer.concat([
      encodeText({ 1: "sha256:aa", 2: "v", 3: "extracting" }),
      encodeNumber(4, 300),
      encodeNumber(5, 5_000_000_000),
    ]);
    expect(tracing([nested(2, status)]).all).toEqual([
      { kind: "transfer", id: "sha256:aa", what: "extracting", current: 300, total: 5_000_000_000 },
    ]);
  });

  it("passes over what it can't read", () => {
    const { all } = tracing([Buffer.from([0x0a, 0x7f, 1])], [Buffer.from([0xff])]);
    expect(all).toEqual([]);
  });
});

describe("protobuf", () => {
  it("reads what it wrote, and passes over fixed-width fields", () => {
    const fixed = Buffer.from([(9 << 3) | 1, 1, 2, 3, 4, 5, 6, 7, 8, (10 << 3) | 5, 1, 2, 3, 4]);
    const message = Buffer.concat([encodeNumber(1, 2 ** 40), fixed, encodeText({ 2: "ü", 3: "" })]);
    expect([...decodeFields(message)]).toEqual([
      { number: 1, kind: "number", value: 2 ** 40 },
      { number: 2, kind: "bytes", value: Buffer.from("ü") },
    ]);
  });

  it.each([[[0x08]], [[0x0a, 5, 1]], [[0x0b]]])("refuses %j", (bytes) => {
    expect(() => [...decodeFields(Buffer.from(bytes))]).toThrow(RangeError);
  });
});

describe("the classic builder's trace", () => {
  it("finds steps, the cache and output in the text, without the builder's own remarks", () => {
    const all: PrepareProgress[] = [];
    let now = 0;
    const trace = new ClassicTrace(
      (progress) => all.push(progress),
      () => (now += 10),
    );
    for (const stream of [
      "Step 1/3 : FROM x\n",
      " ---> 0123\n",
      "Step 2/3 : COPY . .\n ---> Using cache\n ---> 4567\n",
      "Step 3/3 : RUN a\n",
      " ---> Running in 89ab\n",
      "out",
      "put\n\u001b[91mwarn\n\u001b[0m",
    ])
      trace.apply({ stream });
    trace.apply({ id: "layer", status: "Downloading", progressDetail: { current: 1, total: 2 } });
    trace.finish("The command returned a non-zero code: 3");
    expect(all).toEqual([
      { kind: "step", name: "FROM x", status: "start" },
      { kind: "step", name: "FROM x", status: "done", durationMs: 10 },
      { kind: "step", name: "COPY . .", status: "start" },
      { kind: "step", name: "COPY . .", status: "cached" },
      { kind: "step", name: "RUN a", status: "start" },
      { kind: "output", step: "RUN a", line: "output" },
      { kind: "output", step: "RUN a", line: "warn" },
      { kind: "transfer", id: "layer", what: "downloading", current: 1, total: 2 },
      { kind: "step", name: "RUN a", status: "error", durationMs: 10 },
    ]);
    expect(trace.failed()).toEqual({
      name: "RUN a",
      error: "The command returned a non-zero code: 3",
      lines: ["output", "warn"],
    });
  });
});
