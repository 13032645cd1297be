/** What the docker tests of this folder share: an engine of their own, and apps given as a script to the host's node. */
import { randomUUID } from "node:crypto";
import { pack } from "tar-stream";
import {
  type ConnectOptions,
  connectDocker,
  machineSurroundings,
} from "../../../src/engine/docker/connect.ts";
import type {
  Artifact,
  ContainerRun,
  Engine,
  EngineInstance,
  InstanceRun,
  PrepareProgress,
} from "../../../src/engine/engine.ts";
import { systemClock } from "../../../src/kernel/clock.ts";

export const NEVER: AbortSignal = new AbortController().signal;

/** Listens on PORT and says so. */
export const SERVER = `require("node:http").createServer((q, s) => s.end("ok")).listen(process.env.PORT, () => console.log("up"))`;

export interface Rig {
  readonly engine: Engine;
  readonly session: string;
  readonly artifact: Artifact;
  start(script: string, main?: Partial<ContainerRun>, run?: Partial<InstanceRun>): Promise<Running>;
}

export interface Running {
  readonly instance: EngineInstance;
  readonly name: string;
  /** Everything printed so far. */
  readonly lines: string[];
  /** Resolves when such a line is there. */
  readonly seen: (line: string) => Promise<void>;
}

export async function makeRig(image: string, options: Partial<ConnectOptions> = {}): Promise<Rig> {
  const session = randomUUID();
  const engine = await connectDocker({ session, clock: systemClock(), ...options });
  const artifact = await prepareQuietly(engine, image);
  return {
    engine,
    session,
    artifact,
    start: (script, main = {}, run = {}) => startScript(engine, artifact, script, main, run),
  };
}

export function prepareQuietly(engine: Engine, reference: string): Promise<Artifact> {
  const source = { kind: "reference", reference, pull: "missing" } as const;
  return engine.prepare(source, { signal: NEVER, onProgress: () => undefined });
}

async function startScript(
  engine: Engine,
  artifact: Artifact,
  script: string,
  main: Partial<ContainerRun>,
  run: Partial<InstanceRun>,
): Promise<Running> {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const name = `rig-00001-deployment-${randomUUID().slice(0, 8)}`;
  const instance = await engine.start(
    {
      name,
      service: "rig",
      revision: "rig-00001",
      port: 8080,
      onLog: ({ line }) => {
        lines.push(line);
        for (const check of waiting) check();
      },
      main: {
        name: "user-container",
        artifact,
        command: ["node", "-e", script],
        env: [["PORT", "8080"]],
        files: [],
        emptyDirs: [],
        ...main,
      },
      ...run,
    },
    NEVER,
  );
  const seen = (line: string): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (!lines.includes(line)) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
    });
  return { instance, name, lines, seen };
}

/** The machine's surroundings with other environment variables over its own. */
export function withEnvironment(env: Record<string, string>): Pick<ConnectOptions, "around"> {
  const around = machineSurroundings();
  return { around: { ...around, env: { ...around.env, ...env } } };
}

/** A progress listener that keeps everything. */
export function recorder(): {
  readonly all: PrepareProgress[];
  readonly onProgress: (progress: PrepareProgress) => void;
} {
  const all: PrepareProgress[] = [];
  return { all, onProgress: (progress) => void all.push(progress) };
}

/** A tar of plain files, as a buffer. */
export async function tarOf(files: Record<string, string | Buffer>): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of Object.entries(files)) archive.entry({ name, mode: 0o755 }, content);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Reads an engine's progress to its end. */
export function drained(progress: NodeJS.ReadableStream): Promise<unknown> {
  return new Promise((resolve, reject) => {
    progress
      .on("data", () => undefined)
      .on("end", resolve)
      .on("error", reject);
  });
}
