import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type {
  ContainerRun,
  Engine,
  InstanceRun,
  LogLine,
  PrepareProgress,
} from "../../../src/engine/engine.ts";
import { createProcessEngine } from "../../../src/engine/process/process-engine.ts";
import { startOf } from "../../../src/engine/process/process-identity.ts";
import { systemClock } from "../../../src/kernel/clock.ts";

const contractApp = fileURLToPath(new URL("../../apps/contract-app", import.meta.url));
const never = new AbortController().signal;

let home: string;
let source: string;
let state: string;
let engine: Engine;
let progress: PrepareProgress[];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "process-engine-"));
  source = join(home, "source");
  state = join(home, "state");
  await mkdir(source);
  progress = [];
  engine = createProcessEngine({
    clock: systemClock(),
    session: "test",
    stateDirectory: state,
    env: { ...process.env, SECRET_TOKEN: "of the user" },
  });
});
afterEach(async () => {
  await engine.close();
  await rm(home, { recursive: true, force: true });
});

async function prepared(dockerfile?: string, directory = source): Promise<ContainerRun> {
  if (dockerfile !== undefined) await writeFile(join(source, "Dockerfile"), dockerfile);
  const file = dockerfile === undefined && directory === source ? {} : { dockerfile: "Dockerfile" };
  const artifact = await engine.prepare(
    { kind: "host", directory, reference: "hello", ...file },
    { signal: never, onProgress: (step) => progress.push(step) },
  );
  return { name: "user-container", artifact, env: [], files: [], emptyDirs: [] };
}

interface Observed {
  readonly run: InstanceRun;
  readonly lines: LogLine[];
  text(): string;
  /** Resolves with the first line that matches. */
  line(pattern: RegExp): Promise<string>;
}

function observe(main: ContainerRun): Observed {
  const lines: LogLine[] = [];
  const checks = new Set<() => void>();
  const onLog = (line: LogLine): void => {
    lines.push(line);
    for (const check of checks) check();
  };
  return {
    run: { name: "hello-00001-x", service: "hello", revision: "hello-00001", port: 8080, onLog, main },
    lines,
    text: () => lines.map((line) => line.line).join("\n"),
    line: (pattern) =>
      new Promise((resolve) => {
        const check = (): void => {
          const found = lines.find((line) => pattern.test(line.line));
          if (found !== undefined) resolve(found.line);
        };
        checks.add(check);
        check();
      }),
  };
}

/** Runs a shell script as the container's command to its end. */
async function output(main: ContainerRun): Promise<string> {
  const observed = observe(main);
  const instance = await engine.start(observed.run, never);
  await instance.exited;
  return observed.text();
}

/** It is gone, or at most a zombie that init hasn't reaped yet. */
async function expectGone(pid: number): Promise<void> {
  await expect.poll(() => startOf(pid), { interval: 10, timeout: 2000 }).toBeUndefined();
}

describe("prepare", () => {
  it.each([
    { kind: "reference", reference: "ghcr.io/a/b:1", pull: "missing" } as const,
    {
      kind: "build",
      context: "/tmp",
      dockerfile: "Dockerfile",
      buildArgs: {},
      tag: "t",
      pullBase: false,
    } as const,
  ])("refuses $kind, which needs containers, and says what to do", async (image) => {
    const failure: unknown = await engine
      .prepare(image, { signal: never, onProgress: () => undefined })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "engine-unsupported",
      exitCode: 3,
      fix: expect.stringContaining("`--`"),
    });
  });

  it("gives the id of the content: another for a change, the same after it is taken back", async () => {
    const first = await prepared("FROM scratch\nCMD a");
    await writeFile(join(source, "new"), "x");
    const second = await prepared("FROM scratch\nCMD a");
    await rm(join(source, "new"));
    const third = await prepared("FROM scratch\nCMD a");
    expect(second.artifact.id).not.toBe(first.artifact.id);
    expect(third.artifact.id).toBe(first.artifact.id);
    expect(first.artifact).toMatchObject({ cmd: ["/bin/sh", "-c", "a"], workingDir: source });
  });

  it("says once what running on the host means", async () => {
    await prepared("FROM scratch");
    await prepared("FROM scratch");
    expect(progress).toEqual([{ kind: "notice", message: expect.stringContaining("PORT") }]);
  });

  it("says so when the state directory is open to others, and works without it", async () => {
    await mkdir(state, { mode: 0o755 });
    await chmod(state, 0o755);
    const main = await prepared("FROM scratch\nCMD echo works");
    expect(progress.at(-1)).toEqual({ kind: "notice", message: expect.stringContaining(state) });
    expect(await output(main)).toBe("works");
    expect(await engine.sweep()).toBe(0);
    expect(await readdir(state)).toEqual([]);
  });

  it("fails for a Dockerfile that isn't there, or has no FROM", async () => {
    await expect(prepared(undefined, join(home, "none"))).rejects.toMatchObject({ code: "build-failed" });
    await expect(prepared("CMD x")).rejects.toMatchObject({ code: "build-failed", fix: expect.any(String) });
  });
});

describe("start", () => {
  it("runs in the source directory, whose files stand for those below WORKDIR", async () => {
    await writeFile(join(source, "hello.txt"), "from the source");
    const main = await prepared(
      `FROM scratch\nWORKDIR /app\nCOPY . .\nCMD ["cat", "/app/hello.txt", "hello.txt"]`,
    );
    expect(await output(main)).toBe("from the sourcefrom the source");
    expect(await output({ ...main, command: ["pwd"] })).toBe(source);
    await mkdir(join(source, "sub"));
    expect(await output({ ...main, command: ["pwd"], workingDir: "/app/sub" })).toBe(join(source, "sub"));
  });

  it("gives the app the image's and the run's environment, not the user's", async () => {
    const main = await prepared("FROM scratch\nENV FROM_IMAGE=1\nCMD env");
    const seen = await output({
      ...main,
      env: [
        ["PORT", "8080"],
        ["K_SERVICE", "hello"],
      ],
    });
    expect(seen).toContain("FROM_IMAGE=1");
    expect(seen).toContain("K_SERVICE=hello");
    expect(seen).not.toContain("SECRET_TOKEN");
    expect(seen).toMatch(/^PORT=\d+$/m);
    expect(seen).not.toContain("PORT=8080");
  });

  it("gives each of many instances a port of its own", async () => {
    const main = await prepared(`FROM scratch\nCMD ["sleep", "60"]`);
    const started = await Promise.all(
      Array.from({ length: 8 }, () => engine.start(observe(main).run, never)),
    );
    expect(new Set(started.map((instance) => instance.address.port)).size).toBe(8);
  });

  it.each<[string, string, Partial<ContainerRun>, RegExp]>([
    ["no command at all", "FROM nginx", {}, /there is no command to run/],
    [
      "a command that isn't on the machine",
      `FROM x\nCMD ["no-such-command"]`,
      {},
      /no-such-command was not found/,
    ],
    ["a path that only the image has", `FROM x\nCMD ["/app/none"]`, {}, /\/app\/none was not found/],
    ["a file that isn't executable", `FROM x\nWORKDIR /app\nCMD ["/app/Dockerfile"]`, {}, /not executable/],
    [
      "a working directory that isn't there",
      "FROM x\nCMD pwd",
      { workingDir: "/no/such" },
      /\/no\/such doesn't exist/,
    ],
  ])("fails for %s, with a way out", async (_title, dockerfile, parts, what) => {
    const main = await prepared(dockerfile);
    await expect(engine.start(observe({ ...main, ...parts }).run, never)).rejects.toMatchObject({
      code: "start-failed",
      message: expect.stringMatching(what),
      why: expect.stringMatching(/.+/),
      fix: expect.stringMatching(/.+/),
    });
  });
});

describe("the group", () => {
  it("goes with its first process when that ends by itself", async () => {
    const main = await prepared("FROM scratch\nCMD sleep 60 & echo pid $!; exit 5");
    const observed = observe(main);
    const instance = await engine.start(observed.run, never);
    expect(await instance.exited).toEqual({ code: 5, reason: "exited", killed: false });
    const pid = Number((await observed.line(/^pid /)).slice(4));
    expect(pid).toBeGreaterThan(0);
    await expectGone(pid);
  });

  it("may drain although the shell around it dies of SIGTERM at once", async () => {
    const main = await prepared(undefined, contractApp);
    const script = `"${process.execPath}" server.js; true`;
    const env = [["ON_SIGTERM", "drain"] as const, ["DRAIN_MS", "200"] as const];
    const observed = observe({ ...main, command: ["/bin/sh", "-c", script], env });
    const instance = await engine.start(observed.run, never);
    await observed.line(/^listening$/);
    const answer = fetch(`http://127.0.0.1:${instance.address.port}/hold`).then((response) =>
      response.text(),
    );
    await observed.line(/^holding$/);
    expect(await instance.stop(10_000)).toEqual({ code: 143, reason: "exited", killed: false });
    expect(await answer).toBe("held until SIGTERM");
    expect(observed.text()).toContain("drained");
  });

  it("is killed whole after the grace period", async () => {
    const main = await prepared(
      `FROM scratch\nCMD trap '' TERM; sh -c 'echo pid $$; while :; do sleep 60; done'`,
    );
    const observed = observe(main);
    const instance = await engine.start(observed.run, never);
    const pid = Number((await observed.line(/^pid /)).slice(4));
    expect(await instance.stop(50)).toEqual({ code: 137, reason: "exited", killed: true });
    await expectGone(pid);
  });

  it.runIf(process.platform === "linux")(
    "doesn't hold `exited` back when something that left it keeps the output open",
    async () => {
      const main = await prepared("FROM scratch\nCMD setsid sleep 4 & echo started; exit 0");
      const observed = observe(main);
      const instance = await engine.start(observed.run, never);
      const before = performance.now();
      expect(await instance.exited).toMatchObject({ code: 0 });
      expect(performance.now() - before).toBeLessThan(3000);
      expect(observed.text()).toBe("started");
    },
  );
});

describe("exec", () => {
  it("runs where the app runs, with its files and its PORT", async () => {
    await writeFile(join(source, "ready"), "yes");
    const main = await prepared(`FROM scratch\nWORKDIR /app\nCMD ["sleep", "60"]`);
    const instance = await engine.start(observe(main).run, never);
    const result = await instance.exec(["/bin/sh", "-c", 'cat /app/ready; echo " $PORT"'], never);
    expect(result).toEqual({ exitCode: 0, output: `yes ${instance.address.port}\n` });
  });

  it("doesn't wait for what it leaves running in the background", async () => {
    const main = await prepared(`FROM scratch\nCMD ["sleep", "60"]`);
    const instance = await engine.start(observe(main).run, never);
    const result = await instance.exec(["/bin/sh", "-c", "sleep 60 & echo started"], never);
    expect(result).toEqual({ exitCode: 0, output: "started\n" });
  });

  it("ends with the instance", async () => {
    const main = await prepared(`FROM scratch\nCMD ["sleep", "60"]`);
    const instance = await engine.start(observe(main).run, never);
    const running = instance.exec(["sleep", "60"], never);
    const failed = expect(running).rejects.toThrow(/has ended/);
    await instance.stop(1000);
    await failed;
  });
});
