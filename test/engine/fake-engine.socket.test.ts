import { describe, expect, it } from "vitest";
import type { InstanceRun } from "../../src/engine/engine.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { contractApp } from "../apps/contract-app/app.js";
import { settle, FakeClock } from "../support/fake-clock.ts";
import { fakeArtifact, FakeEngine, type FakeProgram } from "../support/fake-engine.ts";
import { engineSuite } from "../suites/engine-suite.ts";

const image = {
  entrypoint: ["node", "/app/server.js"],
  cmd: ["from-cmd"],
  env: [
    ["FROM_IMAGE", "image"],
    ["OVERRIDDEN", "image"],
  ] as const,
  exposedPorts: ["8080/tcp"],
  workingDir: "/app",
};

/** The contract app in this process: argv without `node server.js`, as the real one sees it. */
const program: FakeProgram = (host) => {
  host.onListening(() => host.write("stdout", "listening\n"));
  return contractApp({
    argv: host.argv.slice(2),
    env: host.env,
    cwd: host.cwd,
    write: (stream, text) => host.write(stream, text),
    exit: (code) => host.exit(code),
    die: () => host.exit(137),
    onTerminate: (listener) => host.onTerminate(listener),
  });
};

engineSuite("fake", {
  create: () => {
    const engine = new FakeEngine({ clock: systemClock(), program, images: { "contract-app": image } });
    engine.behaviour.missing.add("none");
    return engine;
  },
  source: () => ({ kind: "reference", reference: "contract-app", pull: "never" }),
  missing: () => ({ kind: "reference", reference: "none", pull: "never" }),
  node: "node",
  leftovers: async () => [],
  absent: {
    exec: "the fake runs no commands",
    commands: "the fake runs no commands",
    bytes: "the fake's output is text from the start",
  },
});

describe("FakeEngine on a clock that stands still", () => {
  const never = new AbortController().signal;
  const run = (parts: Partial<InstanceRun> = {}): InstanceRun => ({
    name: "hello-00001-x",
    service: "hello",
    revision: "hello-00001",
    port: 8080,
    onLog: () => undefined,
    main: { name: "user-container", artifact: fakeArtifact(), env: [], files: [], emptyDirs: [] },
    ...parts,
  });

  it("starts after its delay, and an abort ends the wait and its timer", async () => {
    const clock = new FakeClock();
    const engine = new FakeEngine({ clock, sockets: false });
    engine.behaviour.startDelayMs = 500;
    const starting = engine.start(run(), never);
    await clock.advance(499);
    expect(engine.instances).toHaveLength(0);
    await clock.advance(1);
    expect((await starting).ended).toBe(false);

    const controller = new AbortController();
    const second = engine.start(run(), controller.signal);
    controller.abort(new Error("no"));
    await expect(second).rejects.toThrow("no");
    expect(clock.pending).toBe(0);
    expect(engine.running).toHaveLength(1);
  });

  it("kills at the end of the shortest grace", async () => {
    const clock = new FakeClock();
    const engine = new FakeEngine({ clock, sockets: false });
    engine.behaviour.program = (host) => {
      host.onTerminate(() => undefined);
      return undefined;
    };
    const instance = await engine.start(run(), never);
    const slow = instance.stop(10_000);
    await clock.advance(1000);
    void instance.stop(2000);
    await clock.advance(1999);
    expect(instance.ended).toBe(false);
    await clock.advance(1);
    expect(await slow).toEqual({ code: 137, reason: "exited", killed: true });
    expect(clock.pending).toBe(0);
  });

  it("crashes, fails and listens as told, and records what was asked", async () => {
    const clock = new FakeClock();
    const engine = new FakeEngine({ clock });
    engine.behaviour.crashOnStart = 9;
    expect(await (await engine.start(run(), never)).exited).toMatchObject({ code: 9 });
    engine.behaviour.crashOnStart = undefined;
    engine.behaviour.startFailure = new Error("no room");
    await expect(engine.start(run(), never)).rejects.toThrow("no room");
    engine.behaviour.startFailure = undefined;
    engine.behaviour.neverListens = true;
    const instance = await engine.start(run(), never);
    const target = `http://127.0.0.1:${instance.address.port}/`;
    await settle();
    await expect(fetch(target)).rejects.toThrow();
    await instance.listen();
    expect(await (await fetch(target)).text()).toBe("ok");
    await instance.unlisten();
    await expect(fetch(target)).rejects.toThrow();
    await engine.close();
    expect(engine.calls.map((call) => call.kind)).toEqual(["start", "start", "start", "close", "stop"]);
    expect(await engine.startedInstances(2)).toHaveLength(2);
  });
});
