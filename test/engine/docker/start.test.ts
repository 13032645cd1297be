import type Docker from "dockerode";
import { describe, expect, it } from "vitest";
import type { EngineFacts } from "../../../src/engine/docker/facts.ts";
import { startInstance, type Starter } from "../../../src/engine/docker/start.ts";
import type { InstanceRun } from "../../../src/engine/engine.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { connectionError, FakeContainer, refusal } from "./fake-container.ts";

const NEVER = new AbortController().signal;

function setUp(...containers: FakeContainer[]) {
  const specs: Docker.ContainerCreateOptions[] = [];
  const left = [...containers];
  const docker = {
    createContainer: (spec: Docker.ContainerCreateOptions) => {
      specs.push(spec);
      const next = left.shift();
      return next === undefined ? Promise.reject(refusal(500, "no more")) : Promise.resolve(next);
    },
  } as unknown as Docker;
  const facts = {
    product: "docker",
    emulates: false,
    endpoint: { transport: "socket" },
  } as unknown as EngineFacts;
  const learned = { direct: false, init: true };
  const starter: Starter = { docker, facts, learned, labels: {}, clock: new FakeClock(), checked: new Set() };
  return { starter, specs, learned };
}

const run: InstanceRun = {
  name: "x",
  service: "x",
  revision: "x-1",
  port: 8080,
  onLog: () => undefined,
  main: {
    name: "c",
    artifact: {
      id: "sha256:1",
      reference: "x",
      entrypoint: ["app"],
      cmd: [],
      env: [],
      workingDir: "/",
      user: "",
      exposedPorts: [],
      sizeBytes: 0,
    },
    env: [],
    files: [],
    emptyDirs: [],
  },
};

function published(): FakeContainer {
  const fake = new FakeContainer();
  fake.ports = { "8080/tcp": [{ HostIp: "127.0.0.1", HostPort: "40000" }] };
  return fake;
}

describe("starting", () => {
  it("attaches before it starts", async () => {
    const fake = published();
    const { starter } = setUp(fake);
    const instance = await startInstance(starter, run, NEVER);
    expect(instance.address).toEqual({ host: "127.0.0.1", port: 40_000, connectProves: false });
    expect(fake.calls).toEqual(["attach", "start"]);
  });

  it("falls back to a published port, for good, where a direct address can't be proved", async () => {
    const unproved = new FakeContainer();
    const { starter, specs, learned } = setUp(unproved, published(), published());
    learned.direct = true;
    expect((await startInstance(starter, run, NEVER)).address.port).toBe(40_000);
    expect(unproved.calls).toContain("remove");
    await startInstance(starter, run, NEVER);
    expect(specs.map((spec) => spec.HostConfig?.PortBindings !== undefined)).toEqual([false, true, true]);
  });

  it("has an address that leads nowhere where the app has ended already", async () => {
    const fake = new FakeContainer();
    fake.state = { Status: "exited", Running: false, ExitCode: 1, Pid: 0 };
    const { starter, learned } = setUp(fake);
    learned.direct = true;
    const instance = await startInstance(starter, run, NEVER);
    expect(instance.address).toMatchObject({ host: "127.0.0.1", port: 0 });
    expect(learned.direct).toBe(true);
  });

  it("does without an init that the engine lacks, for good", async () => {
    const fake = new FakeContainer();
    fake.failure = refusal(500, 'exec: "docker-init": executable file not found in $PATH');
    const { starter, specs } = setUp(fake, published());
    await startInstance(starter, run, NEVER);
    expect(specs.map((spec) => spec.HostConfig?.Init)).toEqual([true, false]);
  });

  it.each([
    ["start-failed", refusal(400, 'exec: "app": executable file not found in $PATH')],
    ["start-failed", refusal(500, "something new")],
    ["engine-lost", connectionError()],
  ])("that fails is %s, and removes the container", async (code, failure) => {
    const fake = new FakeContainer();
    fake.failure = failure;
    const { starter } = setUp(fake);
    await expect(startInstance(starter, run, NEVER)).rejects.toMatchObject({ code });
    expect(fake.calls).toContain("remove");
  });

  it("that is aborted on the way removes the container and gives the reason", async () => {
    const fake = published();
    const controller = new AbortController();
    const reason = new Error("changed my mind");
    fake.start = () => {
      controller.abort(reason);
      return Promise.resolve();
    };
    const { starter } = setUp(fake);
    await expect(startInstance(starter, run, controller.signal)).rejects.toBe(reason);
    expect(fake.calls).toContain("remove");
  });
});
