import { describe, expect, it } from "vitest";
import { exitOf } from "../../../src/engine/docker/exit.ts";
import { DockerInstance } from "../../../src/engine/docker/instance.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";
import { FakeContainer, refusal } from "./fake-container.ts";

function setUp() {
  const clock = new FakeClock();
  const fake = new FakeContainer();
  const output = new Promise<void>((resolve) => fake.output.once("close", resolve));
  const address = { host: "127.0.0.1", port: 1, connectProves: true };
  const instance = new DockerInstance({ container: fake.container, address, output, clock });
  return { clock, fake, instance };
}

describe("stopping", () => {
  it("sends SIGTERM, and no more to what ends by itself in time", async () => {
    const { clock, fake, instance } = setUp();
    const stop = instance.stop(10_000);
    await clock.advance(9_999);
    expect(fake.calls).toEqual(["SIGTERM"]);
    fake.end({ ExitCode: 0 });
    expect(await stop).toEqual({ code: 0, reason: "exited", killed: false });
    expect(fake.calls).toEqual(["SIGTERM", "remove"]);
    expect(clock.pending).toBe(0);
  });

  it("sends SIGKILL when the grace period is over", async () => {
    const { clock, fake, instance } = setUp();
    const stop = instance.stop(10_000);
    await clock.advance(10_000);
    expect(fake.calls).toEqual(["SIGTERM", "SIGKILL"]);
    fake.end({ ExitCode: 137, OOMKilled: false });
    expect(await stop).toEqual({ code: 137, reason: "exited", killed: true });
    expect(await instance.exited).toEqual(await stop);
  });

  it("again takes the shorter grace, not the longer", async () => {
    const { clock, fake, instance } = setUp();
    const stops = [instance.stop(10_000), instance.stop(2000), instance.stop(60_000)];
    await clock.advance(1999);
    expect(fake.calls).toEqual(["SIGTERM"]);
    await clock.advance(1);
    expect(fake.calls).toEqual(["SIGTERM", "SIGKILL"]);
    fake.end({ ExitCode: 137 });
    const exits = await Promise.all(stops);
    expect(new Set(exits).size).toBe(1);
    expect(fake.calls).toEqual(["SIGTERM", "SIGKILL", "remove"]);
  });

  it("of what has ended sends nothing", async () => {
    const { clock, fake, instance } = setUp();
    fake.end({ ExitCode: 3 });
    await instance.exited;
    expect(await instance.stop(1000)).toEqual({ code: 3, reason: "exited", killed: false });
    expect(fake.calls).toEqual(["remove"]);
    expect(clock.pending).toBe(0);
  });
});

describe("the exit", () => {
  it("waits for the output that is still on its way, for a while", async () => {
    const { clock, fake, instance } = setUp();
    fake.output.destroy = () => fake.output;
    fake.end({ ExitCode: 0 });
    let exited = false;
    void instance.exited.then(() => (exited = true));
    await settle();
    expect(exited).toBe(false);
    await clock.advance(2000);
    expect(exited).toBe(true);
  });

  it("isn't taken from an output that ended while the app runs on", async () => {
    const { fake, instance } = setUp();
    fake.output.destroy();
    await settle();
    fake.end({ ExitCode: 5 });
    expect(await instance.exited).toMatchObject({ code: 5, reason: "exited" });
  });

  it("is 'removed' when the container is gone", async () => {
    const { fake, instance } = setUp();
    fake.end({});
    fake.state = refusal(404, "No such container");
    expect(await instance.exited).toEqual({ reason: "removed", killed: false });
  });

  it("is 'engine-lost' when nobody answers for three seconds, not when it answers again", async () => {
    const lost = setUp();
    lost.fake.lose();
    await lost.clock.advance(3000);
    expect(await lost.instance.exited).toEqual({ reason: "engine-lost", killed: false });

    const back = setUp();
    back.fake.lose();
    await back.clock.advance(2000);
    back.fake.state = { Status: "exited", Running: false, ExitCode: 0 };
    await back.clock.advance(250);
    expect(await back.instance.exited).toMatchObject({ code: 0, reason: "exited" });
  });

  it.each([
    [
      { Status: "exited", ExitCode: 137, OOMKilled: true },
      false,
      { code: 137, reason: "oom", killed: false },
    ],
    [{ Status: "exited", ExitCode: 0, OOMKilled: true }, false, { code: 0, reason: "exited", killed: false }],
    [
      { Status: "exited", ExitCode: 137, OOMKilled: false },
      true,
      { code: 137, reason: "exited", killed: true },
    ],
    [{ Status: "exited", ExitCode: 0, OOMKilled: false }, true, { code: 0, reason: "exited", killed: false }],
    [
      { Status: "removing", ExitCode: 137, OOMKilled: false },
      false,
      { code: 137, reason: "removed", killed: false },
    ],
  ] as const)("of %j, SIGKILL sent: %s", (state, killed, exit) =>
    expect(exitOf(state, killed)).toEqual(exit),
  );
});
