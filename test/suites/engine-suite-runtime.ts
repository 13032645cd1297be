import type { TestContext } from "vitest";
import type {
  ContainerRun,
  Engine,
  EngineInstance,
  ImageSource,
  InstanceRun,
  LogLine,
} from "../../src/engine/engine.ts";

export type Capability =
  /** `exec` runs real commands. */
  | "exec"
  /** A process that kills itself is seen to end by that signal (PID 1 of a container can't). */
  | "signal-exit"
  /** `command` of a run can name any program. */
  | "commands"
  /** Output is bytes of a real process, which may come in any pieces. */
  | "bytes";

export interface EngineHarness {
  /** A new engine on the real clock; the suite closes it. */
  create(): Engine | Promise<Engine>;
  source(): ImageSource;
  /** Something of which there is none. */
  missing(): ImageSource;
  /** The program `node` as a command inside an instance. */
  readonly node: string;
  leftovers(marker: string): Promise<readonly string[]>;
  readonly absent?: Partial<Record<Capability, string>>;
}

export interface Started {
  readonly instance: EngineInstance;
  readonly log: Log;
}

/** Lines that an instance printed, with a way to wait for one. */
export class Log {
  readonly all: LogLine[] = [];
  readonly #waiting = new Set<() => void>();

  readonly add = (line: LogLine): void => {
    this.all.push(line);
    for (const check of this.#waiting) check();
  };

  of(stream: LogLine["stream"]): string[] {
    return this.all.filter((line) => line.stream === stream).map((line) => line.line);
  }

  /** Resolves when the line is there; the test's own time limit is the bound. */
  line(text: string): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!this.all.some((line) => line.line === text)) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
      check();
    });
  }
}

export interface About {
  readonly argv: string[];
  readonly env: Record<string, string>;
  readonly cwd: string;
  readonly port: number;
}

/** What the tests of the suite share: the engine of the running test and ways to start the app. */
export interface Runtime {
  readonly engine: () => Engine;
  readonly harness: EngineHarness;
  /** What the names of the running test's instances begin with. */
  readonly marker: () => string;
  readonly runOf: (env: Record<string, string>, main: Partial<ContainerRun>, log: Log) => InstanceRun;
  readonly start: (env?: Record<string, string>, main?: Partial<ContainerRun>) => Promise<Started>;
  /** Started, and the app has said that it listens. */
  readonly listening: (env?: Record<string, string>, main?: Partial<ContainerRun>) => Promise<Started>;
  /** Skips the test where the engine can't do it, printing why. */
  readonly needs: (context: TestContext, capability: Capability) => void;
}

export const NEVER: AbortSignal = new AbortController().signal;

function url(instance: EngineInstance, path: string): string {
  return `http://${instance.address.host}:${instance.address.port}${path}`;
}

export async function get(instance: EngineInstance, path: string): Promise<string> {
  const response = await fetch(url(instance, path), { headers: { connection: "close" } });
  return response.text();
}

export async function about(instance: EngineInstance): Promise<About> {
  return JSON.parse(await get(instance, "/about")) as About;
}
