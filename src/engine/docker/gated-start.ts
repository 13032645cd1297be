/**
 * From a run to a container that waits at the gate: a holder for its network, then the app's container in it, started up to
 * the point where a byte executes the app. Slower than a plain start from end to end, so done ahead of need (standby.ts), or
 * for the sake of the in-memory root.
 */
import { randomUUID } from "node:crypto";
import type Docker from "dockerode";
import { KserveLocalError, messageOf } from "../../kernel/errors.ts";
import type { Address, LogLine, StandbyRun } from "../engine.ts";
import { proveDirect, publishedAddress, publishing } from "./address.ts";
import { argvOf, type ContainerSpec, containerSpec, wantsInit } from "./container-spec.ts";
import { writeFiles } from "./files.ts";
import { createGate, type Gate, NoMemoryRoot } from "./gate/gate.ts";
import type { MemoryRoot } from "./gate/gate-spec.ts";
import { type ImageFacts, readImageFacts } from "./gate/image-facts.ts";
import { type ResolvedUser, resolveUser } from "./gate/user.ts";
import { type InstalledHelper, installHelper } from "./helper/install.ts";
import { type Arrival, type Holder, startHolder } from "./holder/holder.ts";
import { METADATA_ADDRESS } from "./holder/holder-spec.ts";
import { PLATFORM } from "./inspect.ts";
import { LABEL } from "./labels.ts";
import { checkProgram, type Starter } from "./start.ts";
import { WaitingApp } from "./waiting-app.ts";

/** What gated starts share: the helper, and what is known about images. */
export class GatedStarter {
  readonly starter: Starter;
  #memory: boolean;
  #refusal: string | undefined;
  readonly #images = new Map<string, Promise<ImageFacts>>();
  #helper: Promise<InstalledHelper> | undefined;

  constructor(starter: Starter, memory: boolean) {
    this.starter = starter;
    this.#memory = memory;
  }

  /** Whether roots are in memory. */
  get memory(): boolean {
    return this.#memory;
  }

  /** Why they aren't although they should be. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** The engine can't do it: roots are on disk from now on. */
  refuseMemory(why: unknown): void {
    this.#memory = false;
    this.#refusal ??= messageOf(why);
  }

  helper(): Promise<InstalledHelper> {
    this.#helper ??= installHelper(this.starter.docker, this.starter.labels).catch((error: unknown) => {
      this.#helper = undefined;
      throw error;
    });
    return this.#helper;
  }

  image(id: string): Promise<ImageFacts> {
    const known = this.#images.get(id);
    if (known !== undefined) return known;
    const asked = readImageFacts(this.starter.docker, id, this.starter.labels);
    this.#images.set(id, asked);
    asked.catch(() => this.#images.delete(id));
    return asked;
  }
}

/** Throws KserveLocalError, the signal's reason, or what the engine throws; then nothing is left. */
export async function startGated(
  kit: GatedStarter,
  run: StandbyRun,
  signal: AbortSignal,
): Promise<WaitingApp> {
  signal.throwIfAborted();
  const helper = await kit.helper();
  const { holder, address } = await network(kit.starter, run, helper.image, signal);
  let sink: (line: LogLine) => void = () => undefined;
  const place = { helper, holder, onLog: (line: LogLine) => sink(line) };
  try {
    const memoryRoot = await memoryRootOf(kit, run);
    const { gate, user } = await gateWithFallback(kit, run, place, memoryRoot, signal);
    return new WaitingApp({
      gate,
      holder,
      address,
      clock: kit.starter.clock,
      listen: (onLog) => void (sink = onLog),
      ...(user === undefined ? {} : { execAs: `${user.uid}:${user.gid}` }),
    });
  } catch (error) {
    await holder.close().catch(() => undefined);
    throw error;
  }
}

interface Place {
  readonly helper: InstalledHelper;
  readonly holder: Holder;
  readonly onLog: (line: LogLine) => void;
}

/** The holder, and how its network is reached from here. A direct address has to be proved twice, see address.ts. */
async function network(
  starter: Starter,
  run: StandbyRun,
  image: string,
  signal: AbortSignal,
): Promise<{ readonly holder: Holder; readonly address: Address }> {
  const direct = starter.learned.direct;
  const { bind, connect } = publishing(starter.facts);
  const holder = await holderOf(starter, run, image, direct ? undefined : bind, signal);
  try {
    const state = await holder.inspect();
    const address = direct
      ? await provedAddress(holder, state, run.port)
      : publishedAddress(state, run.port, connect);
    if (address !== undefined) return { holder, address };
  } catch (error) {
    await holder.close().catch(() => undefined);
    throw error;
  }
  await holder.close();
  signal.throwIfAborted();
  if (!direct)
    throw new KserveLocalError("engine-error", {
      what: `The engine gave ${run.name} no port to be reached by`,
    });
  starter.learned.direct = false;
  return network(starter, run, image, signal);
}

async function provedAddress(
  holder: Holder,
  state: Docker.ContainerInspectInfo,
  port: number,
): Promise<Address | undefined> {
  const plausible = await proveDirect(state, port);
  if (plausible === undefined) return undefined;
  return (await holder.prove(plausible.host, randomUUID())) ? plausible : undefined;
}

/**
 * The network that a plain start gives, and no more: the metadata address is the instance's own, names are the engine's
 * business.
 */
function holderOf(
  { docker, labels }: Starter,
  run: StandbyRun,
  image: string,
  publishOn: string | undefined,
  signal: AbortSignal,
): Promise<Holder> {
  const { Hostname: hostname = run.name } = containerSpec(run, { labels, init: false, product: "docker" });
  const holderRun = {
    name: `${run.name}-network`,
    hostname,
    labels: { ...labels, [LABEL.service]: run.service, [LABEL.revision]: run.revision },
    port: run.port,
    ...(publishOn === undefined ? {} : { publishOn }),
    extraHosts: [],
    addresses: [METADATA_ADDRESS],
    listen: [],
    names: [],
    search: [],
  };
  // It listens nowhere, so none comes.
  const onConnection = ({ stream }: Arrival): void => void stream.destroy();
  return startHolder({ docker, image, run: holderRun, onConnection }, signal);
}

async function memoryRootOf(kit: GatedStarter, { main }: StandbyRun): Promise<MemoryRoot | undefined> {
  if (!kit.memory || main.readOnlyRootFilesystem === true) return undefined;
  const { facts } = kit.starter;
  const image = await kit.image(main.artifact.id);
  return {
    user: resolveUser(main.user ?? main.artifact.user, image),
    ...(main.memoryBytes === undefined ? {} : { bytes: main.memoryBytes }),
    volumes: image.volumes,
    hasHome: [...main.artifact.env, ...main.env].some(([name]) => name === "HOME"),
    filter: facts.product === "docker" && !facts.emulates,
  };
}

/** `user`: whom the app in an in-memory root runs as. */
async function gateWithFallback(
  kit: GatedStarter,
  run: StandbyRun,
  place: Place,
  memoryRoot: MemoryRoot | undefined,
  signal: AbortSignal,
): Promise<{ readonly gate: Gate; readonly user?: ResolvedUser }> {
  try {
    const gate = await gateAt(kit.starter, run, place, memoryRoot, signal);
    return { gate, ...(memoryRoot === undefined ? {} : { user: memoryRoot.user }) };
  } catch (error) {
    if (!(error instanceof NoMemoryRoot)) throw error;
    kit.refuseMemory(error);
    return { gate: await gateAt(kit.starter, run, place, undefined, signal) };
  }
}

async function gateAt(
  starter: Starter,
  run: StandbyRun,
  { helper, holder, onLog }: Place,
  memoryRoot: MemoryRoot | undefined,
  signal: AbortSignal,
): Promise<Gate> {
  const argv = argvOf(run.main);
  const gate = await createGate({
    docker: starter.docker,
    spec: specOf(starter, run),
    name: run.main.name,
    onLog,
    options: {
      argv,
      init: wantsInit(argv),
      holder: holder.id,
      volume: helper.volume,
      token: randomUUID(),
      ...(memoryRoot === undefined ? {} : { memoryRoot }),
    },
  });
  try {
    signal.throwIfAborted();
    await writeFiles(gate.container, run.main);
    const verdict = await checkProgram(starter, gate.container, run);
    if (verdict !== undefined) throw new KserveLocalError("start-failed", { ...verdict });
    await gate.start(signal);
    return gate;
  } catch (error) {
    await gate.discard().catch(() => undefined);
    throw error;
  }
}

function specOf({ labels, facts }: Starter, run: StandbyRun): ContainerSpec {
  const spec = containerSpec(run, {
    labels,
    init: false,
    product: facts.product,
    ...(facts.emulates ? { platform: PLATFORM } : {}),
  });
  return { ...spec, Labels: { ...spec.Labels, [LABEL.role]: "standby" } };
}
