/**
 * From a run to a started container: the plain way, one container on the engine's default bridge. The other way, a holder
 * that keeps the network and a gate that waits, is gated-start.ts.
 */
import type { Readable } from "node:stream";
import type Docker from "dockerode";
import type { Clock } from "../../kernel/clock.ts";
import { KserveLocalError } from "../../kernel/errors.ts";
import type { Address, InstanceRun, StandbyRun } from "../engine.ts";
import { proveDirect, publishedAddress, publishing } from "./address.ts";
import { engineWords, isConnectionError, engineFailure, statusOf } from "./client.ts";
import { argvOf, containerSpec } from "./container-spec.ts";
import type { EngineFacts } from "./facts.ts";
import { writeFiles } from "./files.ts";
import { containerFiles } from "./image-files.ts";
import { PLATFORM } from "./inspect.ts";
import { DockerInstance } from "./instance.ts";
import { followLogs } from "./logs.ts";
import { inspectProgram } from "./preflight.ts";
import { explainStartFailure, type StartVerdict } from "./start-failure.ts";
import { removeContainer } from "./stop.ts";

export interface Starter {
  readonly docker: Docker;
  readonly facts: EngineFacts;
  readonly labels: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** What has been learned about the engine; starts correct it. */
  readonly learned: { direct: boolean; init: boolean };
  /** Programs that are known to run, as `<image id> <program>`. */
  readonly checked: Set<string>;
}

/** A program that can't run ends within milliseconds; a machine under load may take longer to say so. */
const FALSE_START_MS = 3000;

/** By the wall clock, as the engine's own delay is. */
const DEATH_NOTICE_MS = 300;

/** Nothing can be connected to here: the address of an instance that ended before it could be given one. */
const NOWHERE: Address = { host: "127.0.0.1", port: 0, connectProves: true };

/** An assumption about the engine turned out wrong; the next try makes another. */
class Retry extends Error {}

/** Throws KserveLocalError `start-failed`, or the signal's reason; then nothing is left of the container. */
export async function startInstance(
  starter: Starter,
  run: InstanceRun,
  signal: AbortSignal,
): Promise<DockerInstance> {
  for (;;) {
    try {
      return await tryStart(starter, run, signal);
    } catch (error) {
      if (!(error instanceof Retry)) throw error;
    }
  }
}

async function tryStart(starter: Starter, run: InstanceRun, signal: AbortSignal): Promise<DockerInstance> {
  signal.throwIfAborted();
  const direct = starter.learned.direct;
  const container = await create(starter, run, direct);
  try {
    signal.throwIfAborted();
    await writeFiles(container, run.main);
    const verdict = await checkProgram(starter, container, run);
    // Before the start, so that no line is lost, not even of a process that ends at once.
    const stream = (await container.attach({
      stream: true,
      stdout: true,
      stderr: true,
    })) as unknown as Readable;
    const output = followLogs(stream, run.main.name, (line) => run.onLog(line));
    signal.throwIfAborted();
    await begin(starter, container, run);
    const address = await addressOf(starter, container, run, direct);
    signal.throwIfAborted();
    const instance = new DockerInstance({ container, address, output, clock: starter.clock });
    if (verdict !== undefined) await refuseFalseStart(instance, verdict, starter.clock);
    starter.checked.add(programKey(run));
    return instance;
  } catch (error) {
    await removeContainer(container).catch(() => undefined);
    signal.throwIfAborted();
    if (error instanceof Retry || error instanceof KserveLocalError) throw error;
    throw engineFailure(error, `starting ${run.name}`);
  }
}

async function create(starter: Starter, run: InstanceRun, direct: boolean): Promise<Docker.Container> {
  const { facts, learned } = starter;
  const spec = containerSpec(run, {
    labels: starter.labels,
    init: learned.init,
    product: facts.product,
    ...(direct ? {} : { publishOn: publishing(facts).bind }),
    ...(facts.emulates ? { platform: PLATFORM } : {}),
  });
  try {
    return await starter.docker.createContainer(spec);
  } catch (error) {
    throw startFailure(error, run);
  }
}

async function begin(starter: Starter, container: Docker.Container, run: InstanceRun): Promise<void> {
  try {
    await container.start();
  } catch (error) {
    // The engine's configuration names an init that isn't installed.
    if (
      starter.learned.init &&
      /(?:docker-init|catatonit)\b.*(?:not found|no such file)/is.test(engineWords(error))
    ) {
      starter.learned.init = false;
      throw new Retry();
    }
    throw startFailure(error, run);
  }
}

function startFailure(error: unknown, run: InstanceRun): KserveLocalError {
  if (isConnectionError(error) || statusOf(error) === undefined)
    return engineFailure(error, `starting ${run.name}`);
  return new KserveLocalError("start-failed", {
    ...explainStartFailure(engineWords(error), argvOf(run.main)[0] ?? ""),
    cause: error,
  });
}

async function addressOf(
  starter: Starter,
  container: Docker.Container,
  run: InstanceRun,
  direct: boolean,
): Promise<Address> {
  const state = await container.inspect();
  if (direct) {
    const proved = await proveDirect(state, run.port);
    if (proved !== undefined) return proved;
    if (await endsAtOnce(container)) return NOWHERE;
    starter.learned.direct = false;
    throw new Retry();
  }
  return publishedAddress(state, run.port, publishing(starter.facts).connect) ?? NOWHERE;
}

/** A process that is gone proves nothing about the engine; that it is gone, the engine says some 70 ms later. */
async function endsAtOnce(container: Docker.Container): Promise<boolean> {
  try {
    await container.wait({ abortSignal: AbortSignal.timeout(DEATH_NOTICE_MS) });
    return true;
  } catch {
    return false;
  }
}

/**
 * Once per image and program, some 60 ms. Not beside the start: the engine answers only when that is over, and starts wait
 * for it in turn (0.7 s on Docker 20.10). A check that fails itself says nothing.
 */
export async function checkProgram(
  starter: Starter,
  container: Docker.Container,
  run: StandbyRun,
): Promise<StartVerdict | undefined> {
  const [program] = argvOf(run.main);
  if (program === undefined || starter.checked.has(programKey(run))) return undefined;
  const path = new Map([...run.main.artifact.env, ...run.main.env]).get("PATH");
  const workingDir = run.main.workingDir ?? run.main.artifact.workingDir;
  try {
    return await inspectProgram(containerFiles(container), program, { path, workingDir });
  } catch {
    return undefined;
  }
}

function programKey(run: StandbyRun): string {
  return `${run.main.artifact.id} ${argvOf(run.main)[0] ?? ""}`;
}

/** The check alone proves nothing (a binfmt handler may run a foreign program): the container must have ended, too. */
async function refuseFalseStart(
  instance: DockerInstance,
  verdict: StartVerdict,
  clock: Clock,
): Promise<void> {
  const timer = new AbortController();
  const exit = await Promise.race([
    instance.exited,
    clock.sleep(FALSE_START_MS, timer.signal).catch(() => undefined),
  ]);
  timer.abort();
  if (exit === undefined || exit.code === 0) return;
  await instance.stop(0);
  throw new KserveLocalError("start-failed", { ...verdict });
}
