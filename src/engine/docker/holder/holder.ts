/**
 * The container that owns an instance's network namespace: it publishes the port, owns the addresses and names of the
 * platform, and is our hand inside. See helper/README.md; helper/holder.c is what runs in it.
 */
import type { Duplex } from "node:stream";
import type Docker from "dockerode";
import { KserveLocalError, messageOf } from "../../../kernel/errors.ts";
import { engineFailure } from "../client.ts";
import { demultiplexer } from "../logs.ts";
import { removeContainer } from "../stop.ts";
import { type HolderRun, holderSpec, namesText } from "./holder-spec.ts";
import { Mux } from "./mux.ts";
import { readNonce } from "./nonce.ts";
import { type ListeningSocket, parseListening } from "./sockets.ts";

/** A connection that somebody inside the namespace has made to an address of ours. */
export interface Arrival {
  readonly stream: Duplex;
  /** Where to: tells the metadata server from the cluster's names. */
  readonly address: string;
  readonly port: number;
  readonly peerPort: number;
}

export interface HolderParts {
  readonly docker: Docker;
  /** The helper's image (installHelper). */
  readonly image: string;
  readonly run: HolderRun;
  /** Takes over the stream. It may come before startHolder has returned. */
  onConnection(arrival: Arrival): void;
}

/** By the wall clock: what the engine takes to start a container, with room for a busy machine. */
const HELLO_MS = 20_000;
const PROOF_MS = 1000;
const LONGEST_COMPLAINT = 4096;

/** Docker puts one into every container on a network that a user made. */
const ENGINE_RESOLVER = "127.0.0.11";

/** Resolves when everything is set up inside. Throws KserveLocalError or the signal's reason; then nothing is left. */
export async function startHolder(parts: HolderParts, signal: AbortSignal): Promise<Holder> {
  signal.throwIfAborted();
  const { docker, image, run } = parts;
  let container: Docker.Container | undefined;
  try {
    container = await docker.createContainer(holderSpec(run, image));
    const carrier = (await container.attach({
      stream: true,
      stdin: true,
      stdout: true,
      stderr: true,
      hijack: true,
    })) as Duplex;
    const holder = new Holder(container, carrier, parts);
    signal.throwIfAborted();
    await container.start();
    await holder.ready(AbortSignal.any([signal, AbortSignal.timeout(HELLO_MS)]));
    return holder;
  } catch (error) {
    if (container !== undefined) await removeContainer(container).catch(() => undefined);
    signal.throwIfAborted();
    throw engineFailure(error, `setting up the network of ${run.hostname}`);
  }
}

export class Holder implements AsyncDisposable {
  readonly id: string;
  readonly container: Docker.Container;
  /** Resolves when the connection to the holder is gone, for whatever reason; never rejects. */
  readonly closed: Promise<void>;
  readonly #carrier: Duplex;
  readonly #mux: Mux;
  readonly #hello: Promise<void>;
  /** Sockets of the holder's own, as `address:port`. */
  readonly #own: Set<string>;
  #complaint = "";
  #closing: Promise<void> | undefined;

  constructor(container: Docker.Container, carrier: Duplex, parts: HolderParts) {
    const { run } = parts;
    this.id = container.id;
    this.container = container;
    this.#carrier = carrier;
    this.#own = new Set([...run.listen, ...(run.search.length === 0 ? [] : ["127.0.0.1:53"])]);
    let hello: () => void = () => undefined;
    this.#hello = new Promise((resolve) => (hello = resolve));
    this.#mux = new Mux({
      send: (bytes) => void carrier.write(bytes),
      onHello: () => hello(),
      onOpen: (stream, payload) => {
        // Without a listener a reset would end this process.
        stream.on("error", () => undefined);
        parts.onConnection({ stream, ...destinationOf(payload), peerPort: payload.readUInt16BE(10) });
      },
    });
    const complain = (part: Buffer): void => {
      this.#complaint = (this.#complaint + part.toString("utf8")).slice(0, LONGEST_COMPLAINT);
    };
    carrier.on("data", demultiplexer(this.#mux.feed, complain));
    carrier.on("error", () => undefined);
    this.closed = new Promise((resolve) => {
      const end = (): void => {
        this.#mux.close(new Error(`The instance's network is gone${this.#reason()}`));
        carrier.destroy();
        resolve();
      };
      carrier.once("end", end);
      carrier.once("close", end);
    });
  }

  /** Rejects with the signal's reason, or where the helper ends before it has said hello. */
  async ready(signal: AbortSignal): Promise<void> {
    const aborted = new Promise<never>((_resolve, reject) => {
      const abort = (): void =>
        reject(signal.reason instanceof Error ? signal.reason : new Error(messageOf(signal.reason)));
      if (signal.aborted) abort();
      else signal.addEventListener("abort", abort, { once: true });
    });
    const gone = this.closed.then(() => {
      throw new KserveLocalError("engine-error", {
        what: "The network of an instance could not be set up",
        why: this.#complaint.trim() || "The helper ended without a word",
      });
    });
    await Promise.race([this.#hello, gone, aborted]);
  }

  inspect(): Promise<Docker.ContainerInspectInfo> {
    return this.container.inspect();
  }

  /** Of every container in the namespace, without what belongs to the holder and to the engine's own resolver. */
  async listening(): Promise<ListeningSocket[]> {
    const all = parseListening(await this.#mux.call("listening"));
    return all.filter(
      ({ address, port }) => address !== ENGINE_RESOLVER && !this.#own.has(`${address}:${port}`),
    );
  }

  /** Connects inside the namespace. Rejects with an error that has a `code`. */
  async connect(port: number, address = "127.0.0.1"): Promise<Duplex> {
    const payload = Buffer.alloc(6);
    address.split(".").forEach((part, index) => payload.writeUInt8(Number(part), index));
    payload.writeUInt16BE(port, 4);
    const stream = await this.#mux.open(payload);
    stream.on("error", () => undefined);
    return stream;
  }

  /** Whether a TCP connection to 127.0.0.1 at this port inside is taken. Rejects where the holder is gone. */
  async probe(port: number): Promise<boolean> {
    try {
      (await this.connect(port)).destroy();
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      return false;
    }
  }

  /**
   * Whether this address, reached from here, is the namespace's own: a number that only the holder knows comes back.
   * `address` is to be plausible already (proveDirect); nothing is sent to it but a connection request.
   */
  async prove(address: string, nonce: string): Promise<boolean> {
    const port = Number(await this.#mux.call(`prove ${nonce}`));
    if (!(port > 0)) return false;
    this.#own.add(`0.0.0.0:${port}`);
    try {
      return (await readNonce(address, port, nonce.length, AbortSignal.timeout(PROOF_MS))) === nonce;
    } finally {
      await this.#mux.call("unprove").catch(() => undefined);
      this.#own.delete(`0.0.0.0:${port}`);
    }
  }

  /** Replaces the names that the resolver answers itself. */
  async setNames(names: HolderRun["names"]): Promise<void> {
    const answer = await this.#mux.call(`names ${namesText(names)}`);
    if (answer !== "ok")
      throw new KserveLocalError("internal", {
        what: `The holder did not take ${names.length} names: ${answer}`,
      });
  }

  /** After the containers that joined have gone: their network goes with it. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    // Its stdin ends with our connection. The removal is for engines that didn't notice.
    this.#carrier.destroy();
    await this.closed;
    await removeContainer(this.container);
  }

  #reason(): string {
    const complaint = this.#complaint.trim();
    return complaint === "" ? "" : `: ${complaint}`;
  }
}

function destinationOf(payload: Buffer): { address: string; port: number } {
  return { address: [...payload.subarray(0, 4)].join("."), port: payload.readUInt16BE(4) };
}
