import { once } from "node:events";
import type { Duplex } from "node:stream";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  encodeFrame,
  FRAME,
  type Frame,
  frameReader,
  WINDOW,
} from "../../../src/engine/docker/holder/frames.ts";
import { clusterNetwork, holderSpec, namesText } from "../../../src/engine/docker/holder/holder-spec.ts";
import { Mux } from "../../../src/engine/docker/holder/mux.ts";
import type { MuxStream } from "../../../src/engine/docker/holder/mux-stream.ts";
import { parseListening } from "../../../src/engine/docker/holder/sockets.ts";
import { settle } from "../../support/fake-clock.ts";

const bytes = (text: string): Buffer => Buffer.from(text);

describe("frames", () => {
  it("come out as they went in, however the bytes are cut", () => {
    const frame = fc.record({
      type: fc.integer({ min: 1, max: 9 }),
      stream: fc.nat(2 ** 31),
      payload: fc.uint8Array({ maxLength: 300 }).map((data) => Buffer.from(data)),
    });
    fc.assert(
      fc.property(
        fc.array(frame),
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }),
        (frames, cuts) => {
          const seen: Frame[] = [];
          const feed = frameReader((each) => void seen.push({ ...each, payload: Buffer.from(each.payload) }));
          const all = Buffer.concat(
            frames.map(({ type, stream, payload }) => encodeFrame(type as 1, stream, payload)),
          );
          for (const part of cut(all, cuts)) feed(part);
          expect(seen).toEqual(frames);
        },
      ),
    );
  });

  it("larger than the other side takes are a mistake", () => {
    expect(() => encodeFrame(FRAME.data, 1, Buffer.alloc(32 * 1024 + 1))).toThrow(RangeError);
  });
});

/** Cuts into pieces of these lengths, over and over. */
function cut(all: Buffer, lengths: readonly number[]): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0, index = 0; at < all.length; index += 1) {
    const length = lengths[index % lengths.length] ?? 1;
    parts.push(all.subarray(at, at + length));
    at += length;
  }
  return parts;
}

interface Pair {
  readonly client: Mux;
  /** Streams that the other side was asked to open. */
  readonly opened: MuxStream[];
  /** The most that was ever under way on one stream without credit. */
  readonly most: () => number;
}

/** A client and somebody who does what the holder does, with bytes in between that come later and cut anywhere. */
function pair(lengths: readonly number[], onOpen: (stream: MuxStream) => void): Pair {
  const underWay = new Map<number, number>();
  let most = 0;
  const count = (frame: Frame): void => {
    const sign =
      frame.type === FRAME.data
        ? frame.payload.length
        : frame.type === FRAME.credit
          ? -frame.payload.readUInt32BE(0)
          : 0;
    const now = (underWay.get(frame.stream) ?? 0) + Math.max(sign, 0);
    underWay.set(frame.stream, now);
    most = Math.max(most, now);
  };
  const back = (frame: Frame): void => {
    if (frame.type === FRAME.credit)
      underWay.set(frame.stream, (underWay.get(frame.stream) ?? 0) - frame.payload.readUInt32BE(0));
  };
  const later = (
    deliver: (part: Buffer) => void,
    watch: (frame: Frame) => void,
  ): ((data: Buffer) => void) => {
    const read = frameReader(watch);
    const queue: Buffer[] = [];
    return (data) => {
      read(data);
      queue.push(...cut(data, lengths));
      setImmediate(() => queue.splice(0).forEach(deliver));
    };
  };
  const opened: MuxStream[] = [];
  const client: Mux = new Mux({
    send: later((part) => holder.feed(part), count),
    onOpen: (stream) => void stream.destroy(),
    onHello: () => undefined,
  });
  const toClient = later((part) => client.feed(part), back);
  const holder: Mux = new Mux({
    send: toClient,
    onHello: () => undefined,
    onOpen: (stream) => {
      toClient(encodeFrame(FRAME.opened, stream.id));
      opened.push(stream);
      stream.on("error", () => undefined);
      onOpen(stream);
    },
  });
  return { client, opened, most: () => most };
}

/** Not by `for await`, which destroys the stream in the end: its other half may go on. */
async function everything(stream: Duplex): Promise<Buffer> {
  const kept: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => void kept.push(chunk));
  await once(stream, "end");
  return Buffer.concat(kept);
}

describe("streams over one connection", () => {
  it("carry what was written, in order, with no more under way than one window", async () => {
    const chunk = fc.tuple(fc.integer({ min: 1, max: 100_000 }), fc.nat(255));
    const streams = fc.array(fc.array(chunk, { maxLength: 5 }), { minLength: 1, maxLength: 4 });
    const lengths = fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(streams, lengths, async (plan, cuts) => {
        // Tiny pieces of megabytes take long and show no more.
        const { client, most } = pair(
          cuts.map((length) => length + 500),
          (stream) => void stream.pipe(stream),
        );
        const results = plan.map(async (chunks) => {
          const stream = await client.open(bytes("x"));
          const sent = chunks.map(([length, fill]) => Buffer.alloc(length, fill));
          for (const part of sent) stream.write(part);
          stream.end();
          expect((await everything(stream)).equals(Buffer.concat(sent))).toBe(true);
        });
        await Promise.all(results);
        await settle();
        expect(client.size).toBe(0);
        expect(most()).toBeLessThanOrEqual(WINDOW);
      }),
      { numRuns: 30 },
    );
  });

  it("don't wait for one that nobody reads", async () => {
    const { client, opened, most } = pair([1000], () => undefined);
    const stuck = await client.open(bytes("stuck"));
    stuck.write(Buffer.alloc(1_000_000));
    for (let turn = 0; turn < 20; turn += 1) await settle();
    expect(most()).toBe(WINDOW);
    const other = await client.open(bytes("other"));
    const [first, second] = opened;
    other.end("hello");
    expect(String(await everything(second as MuxStream))).toBe("hello");
    let got = 0;
    first?.on("data", (data: Buffer) => void (got += data.length));
    stuck.end();
    await once(first as MuxStream, "end");
    expect(got).toBe(1_000_000);
  });

  it("can be done in one direction and go on in the other", async () => {
    const { client, opened } = pair([7], () => undefined);
    const stream = await client.open(bytes("x"));
    stream.end("question");
    const far = opened[0] as MuxStream;
    expect(String(await everything(far))).toBe("question");
    far.end("answer");
    expect(String(await everything(stream))).toBe("answer");
  });

  it("that one side destroys end on the other", async () => {
    const { client, opened } = pair([100], () => undefined);
    const stream = await client.open(bytes("x"));
    const gone = new Promise((resolve) => opened[0]?.once("error", resolve));
    stream.destroy();
    expect(await gone).toMatchObject({ code: "ECONNRESET" });
  });

  it("are refused with the other side's reason", async () => {
    const client: Mux = new Mux({
      send: (data) => {
        const id = data.readUInt32BE(4);
        const errno = Buffer.from([0, 0, 0, 111]);
        setImmediate(() => client.feed(encodeFrame(FRAME.reset, id, errno)));
      },
      onOpen: () => undefined,
      onHello: () => undefined,
    });
    await expect(client.open(bytes("x"))).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("end, as calls do, when the connection is lost", async () => {
    const { client } = pair([100], () => undefined);
    const stream = await client.open(bytes("x"));
    const error = new Promise((resolve) => stream.once("error", resolve));
    const call = client.call("listening");
    client.close(new Error("lost"));
    expect(await error).toMatchObject({ message: "lost" });
    await expect(call).rejects.toThrow("lost");
    await expect(client.call("listening")).rejects.toThrow("lost");
    await expect(client.open(bytes("x"))).rejects.toThrow("lost");
  });

  it("end when the other side speaks nonsense", async () => {
    const { client } = pair([100], () => undefined);
    client.feed(encodeFrame(99 as 1, 1));
    await expect(client.call("x")).rejects.toThrow("unknown type, 99");
  });

  it("replies reach the calls they answer, in whatever order", async () => {
    const asked: Array<readonly [number, string]> = [];
    const read = frameReader(({ stream, payload }) => void asked.push([stream, payload.toString()]));
    const client = new Mux({ send: read, onOpen: () => undefined, onHello: () => undefined });
    const answers = ["a", "b", "c"].map((text) => client.call(text));
    for (const [id, text] of asked.toReversed())
      client.feed(encodeFrame(FRAME.reply, id, bytes(text.toUpperCase())));
    expect(await Promise.all(answers)).toEqual(["A", "B", "C"]);
  });
});

describe("listening sockets", () => {
  it.each([
    ["0100007F:1F90", { address: "127.0.0.1", port: 8080, everywhere: false, loopback: true }],
    ["00000000:0BB8", { address: "0.0.0.0", port: 3000, everywhere: true, loopback: false }],
    ["0200A8C0:0050", { address: "192.168.0.2", port: 80, everywhere: false, loopback: false }],
    [
      "00000000000000000000000000000000:1F90",
      { address: "0:0:0:0:0:0:0:0", port: 8080, everywhere: true, loopback: false },
    ],
    [
      "00000000000000000000000001000000:1F90",
      { address: "0:0:0:0:0:0:0:1", port: 8080, everywhere: false, loopback: true },
    ],
    [
      "0000000000000000FFFF00000100007F:1F90",
      { address: "127.0.0.1", port: 8080, everywhere: false, loopback: true },
    ],
    [
      "B80D0120000000000000000001000000:01BB",
      { address: "2001:db8:0:0:0:0:0:1", port: 443, everywhere: false, loopback: false },
    ],
  ])("%s", (text, socket) => {
    expect(parseListening(`${text}\n`)).toEqual([socket]);
  });

  it("that can't be read are left out", () => {
    expect(parseListening("\nnonsense\n0100007F:1F90:0\n")).toEqual([]);
  });
});

describe("the holder's container", () => {
  const run = {
    name: "n",
    hostname: "hello-00001",
    labels: { a: "b" },
    port: 8080,
    extraHosts: ["db:10.0.0.1"],
    ...clusterNetwork(["default", "other"], 8080),
  };

  it("sets up addresses before what listens on them, and names before the resolver", () => {
    expect(holderSpec(run, "image").Cmd).toEqual([
      "holder",
      "--address",
      "169.254.169.254",
      "--listen",
      "169.254.169.254:80",
      "--listen",
      "127.0.80.1:80",
      "--names",
      "metadata.google.internal=169.254.169.254\n*.default.svc.cluster.local=127.0.80.1\n*.other.svc.cluster.local=127.0.80.1",
      "--search",
      "default.svc.cluster.local svc.cluster.local cluster.local",
    ]);
  });

  it("publishes only where that is asked for", () => {
    expect(holderSpec(run, "image").HostConfig?.PortBindings).toBeUndefined();
    expect(holderSpec({ ...run, publishOn: "127.0.0.1" }, "image").HostConfig?.PortBindings).toEqual({
      "8080/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }],
    });
  });

  it("leaves port 80 to an app that listens there, and still owns the metadata address", () => {
    const network = clusterNetwork(["default"], 80);
    expect(network.listen).toEqual([]);
    expect(network.addresses).toEqual(["169.254.169.254"]);
    expect(namesText(network.names)).toContain("metadata.google.internal=169.254.169.254");
  });
});
