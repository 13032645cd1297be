import { randomUUID } from "node:crypto";
import type Docker from "dockerode";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openClient } from "../../../src/engine/docker/client.ts";
import { type ConnectOptions, machineSurroundings } from "../../../src/engine/docker/connect.ts";
import { DockerEngine } from "../../../src/engine/docker/docker-engine.ts";
import { findEndpoints } from "../../../src/engine/docker/endpoint.ts";
import { readFacts } from "../../../src/engine/docker/facts.ts";
import type {
  ContainerRun,
  Engine,
  EngineInstance,
  InstanceRun,
  StandbyRun,
} from "../../../src/engine/engine.ts";
import { systemClock } from "../../../src/kernel/clock.ts";
import { ensureHostNodeImage, requireEngine } from "../../support/docker-images.ts";
import { makeRig, NEVER, type Rig, SERVER, withEnvironment } from "./rig.ts";

const { docker, missing } = await requireEngine();

/** A rig that keeps containers waiting, and what its tests ask of it. */
class StandbyRig {
  readonly rig: Rig;
  readonly notices: string[];

  constructor(rig: Rig, notices: string[]) {
    this.rig = rig;
    this.notices = notices;
  }

  static async make(image: string, options: Partial<ConnectOptions> = {}): Promise<StandbyRig> {
    const notices: string[] = [];
    const onNotice = (message: string): void => void notices.push(message);
    return new StandbyRig(await makeRig(image, { standby: 1, onNotice, ...options }), notices);
  }

  run(script: string, main: Partial<ContainerRun> = {}): StandbyRun {
    return {
      name: `standby-00001-deployment-${randomUUID().slice(0, 8)}`,
      service: "standby",
      revision: "standby-00001",
      port: 8080,
      main: {
        name: "user-container",
        artifact: this.rig.artifact,
        command: ["node", "-e", script],
        env: [["PORT", "8080"]],
        files: [],
        emptyDirs: [],
        ...main,
      },
    };
  }

  /** Takes the run's hint and resolves to the container that waits for it, and to what takes it back. */
  async prepared(run: StandbyRun): Promise<{ id: string; takeBack: () => Promise<void> }> {
    const takeBack = this.rig.engine.standby?.(run) ?? (() => Promise.reject(new Error("no standby")));
    await expect.poll(() => this.waiting(), { timeout: 10_000 }).toEqual([run.name]);
    return { id: (await docker.getContainer(run.name).inspect()).Id, takeBack };
  }

  /** Names of the containers that run with the role, which says that they began as a standby. */
  async waiting(): Promise<string[]> {
    const label = [`dev.kserve-local.session=${this.rig.session}`, "dev.kserve-local.role=standby"];
    const found = await docker.listContainers({ filters: { label } });
    return found.flatMap(({ Names: names }) => names.map((name) => name.slice(1)));
  }

  async containers(): Promise<string[]> {
    const label = [`dev.kserve-local.session=${this.rig.session}`];
    const found = await docker.listContainers({ all: true, filters: { label } });
    return found.map(({ Names: names }) => names.join());
  }

  async start(run: StandbyRun): Promise<{ instance: EngineInstance; lines: string[]; seen: Seen }> {
    const lines: string[] = [];
    const waiters = new Set<() => void>();
    const full: InstanceRun = {
      ...run,
      onLog: ({ line }) => {
        lines.push(line);
        for (const waiter of waiters) waiter();
      },
    };
    const seen: Seen = (line) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (lines.includes(line)) resolve();
        };
        waiters.add(check);
        check();
      });
    return { instance: await this.rig.engine.start(full, NEVER), lines, seen };
  }
}

type Seen = (line: string) => Promise<void>;

async function answer({ address }: EngineInstance): Promise<string> {
  return (await fetch(`http://${address.host}:${address.port}/`)).text();
}

describe.skipIf(missing)("a standby", () => {
  let image: string;
  let standby: StandbyRig;
  beforeAll(async () => {
    image = await ensureHostNodeImage(docker);
    standby = await StandbyRig.make(image);
  });
  afterEach(async () => expect(await standby.containers()).toEqual([]));
  afterAll(() => standby.rig.engine.close());

  it("becomes the instance that is started under its name, with the name, the environment and every line", async () => {
    const script = `
      for (let n = 0; n < 2000; n += 1) console.log("line " + n);
      console.log(require("node:os").hostname(), process.env.K_REVISION, process.env.KSERVE_LOCAL);
      ${SERVER}`;
    const run = standby.run(script, {
      env: [
        ["PORT", "8080"],
        ["K_REVISION", "standby-00001"],
      ],
    });
    const { id } = await standby.prepared(run);
    expect(standby.notices).toEqual([expect.stringContaining("waits at the gate for standby-00001")]);
    const { instance, lines, seen } = await standby.start(run);
    await seen("up");
    expect(instance.id).toBe(id);
    expect(await answer(instance)).toBe("ok");
    expect(lines).toHaveLength(2002);
    expect(lines[2000]).toBe(`${run.name} standby-00001 undefined`);
    expect(await instance.exec(["node", "-p", "1 + 1"], NEVER)).toEqual({ exitCode: 0, output: "2\n" });
    await instance.stop(1000);
  });

  it.each([
    ["that traps SIGTERM", `process.on("SIGTERM", () => { console.log("bye"); process.exit(7); });`, 10_000],
    ["that doesn't trap SIGTERM", "", 10_000],
    ["that ignores SIGTERM", `process.on("SIGTERM", () => console.log("no"));`, 300],
  ])("ends as a plain start does: an app %s", async (_what, script, grace) => {
    const ends = [];
    for (const prepared of [false, true]) {
      const run = standby.run(`${script} ${SERVER}`);
      if (prepared) await standby.prepared(run);
      const { instance, lines, seen } = await standby.start(run);
      await seen("up");
      ends.push({ exit: await instance.stop(grace), lines });
    }
    expect(ends[1]).toEqual(ends[0]);
  });

  it("ends as a plain start does: an app that fails, one that needs too much memory", async () => {
    const scripts = [
      [`console.error("broken"); process.exit(3)`, {}],
      [`const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1));`, { memoryBytes: 64 * 2 ** 20 }],
    ] as const;
    for (const [script, main] of scripts) {
      const ends = [];
      for (const prepared of [false, true]) {
        const run = standby.run(script, main);
        if (prepared) await standby.prepared(run);
        const { instance, lines } = await standby.start(run);
        ends.push({ exit: await instance.exited, lines });
        await instance.stop(0);
      }
      expect(ends[1]).toEqual(ends[0]);
    }
  });

  it("leaves nothing when its hint is taken back", async () => {
    const { takeBack } = await standby.prepared(standby.run(SERVER));
    await takeBack();
    await takeBack();
    expect(await standby.containers()).toEqual([]);
  });

  it("gives way to a more recent one", async () => {
    const [older, newer] = [standby.run(SERVER), standby.run(SERVER)];
    await standby.prepared(older);
    const { takeBack } = await standby.prepared(newer);
    const { instance, seen } = await standby.start(older);
    await seen("up");
    expect(await standby.waiting()).toEqual([newer.name]);
    await Promise.all([takeBack(), instance.stop(0)]);
  });

  it.each(["kill", "remove"] as const)(
    "that somebody else does away with (%s) is started plainly",
    async (how) => {
      const run = standby.run(SERVER);
      const { id } = await standby.prepared(run);
      const container = docker.getContainer(id);
      await (how === "kill" ? container.kill() : container.remove({ force: true }));
      await expect.poll(() => standby.containers(), { timeout: 10_000 }).toEqual([]);
      const { instance, seen } = await standby.start(run);
      await seen("up");
      expect(instance.id).not.toBe(id);
      expect(await answer(instance)).toBe("ok");
      await instance.stop(0);
    },
  );

  it("whose network somebody else does away with is started plainly", async () => {
    const run = standby.run(SERVER);
    const { id } = await standby.prepared(run);
    await docker.getContainer(`${run.name}-network`).kill();
    await expect.poll(() => standby.containers(), { timeout: 10_000 }).toEqual([]);
    const { instance, seen } = await standby.start(run);
    await seen("up");
    expect(instance.id).not.toBe(id);
    await instance.stop(0);
  });

  it("that has become an instance ends with its network", async () => {
    const run = standby.run(SERVER);
    await standby.prepared(run);
    const { instance, seen } = await standby.start(run);
    await seen("up");
    await docker.getContainer(`${run.name}-network`).kill();
    await instance.exited;
    await instance.stop(0);
  });

  it("is not waited for before it is begun, and waited for once it is", async () => {
    const early = standby.run(SERVER);
    standby.rig.engine.standby?.(early);
    const first = await standby.start(early);
    expect(await standby.waiting()).toEqual([]);
    await first.instance.stop(0);
    const late = standby.run(SERVER);
    standby.rig.engine.standby?.(late);
    await expect.poll(() => standby.containers(), { timeout: 10_000, interval: 5 }).not.toEqual([]);
    const { instance, seen } = await standby.start(late);
    await seen("up");
    expect(await standby.waiting()).toEqual([late.name]);
    await instance.stop(0);
  });

  it("is never made for a program that can't run", async () => {
    const run = standby.run("", { command: ["/no/such/program"] });
    const { engine } = standby.rig;
    const takeBack = engine.standby?.(run);
    await expect.poll(() => standby.notices.at(-1), { timeout: 10_000 }).toContain("/no/such/program");
    await expect(standby.start(run)).rejects.toMatchObject({ code: "start-failed" });
    await takeBack?.();
  });

  it("goes with the engine, prepared or not", async () => {
    for (const wait of [true, false]) {
      const own = await StandbyRig.make(image);
      const run = own.run(SERVER);
      if (wait) await own.prepared(run);
      else {
        own.rig.engine.standby?.(run);
        await expect.poll(() => own.containers(), { timeout: 10_000, interval: 5 }).not.toEqual([]);
      }
      await own.rig.engine.close();
      expect(await own.containers()).toEqual([]);
    }
  });

  it("is reached through a published port where that is asked for", async () => {
    const around = withEnvironment({ KSERVE_LOCAL_DOCKER_ADDRESS: "published" });
    const own = await StandbyRig.make(image, around);
    const run = own.run(SERVER);
    const { id } = await own.prepared(run);
    const { instance, seen } = await own.start(run);
    await seen("up");
    expect(instance).toMatchObject({ id, address: { host: "127.0.0.1", connectProves: false } });
    expect(await answer(instance)).toBe("ok");
    await own.rig.engine.close();
    expect(await own.containers()).toEqual([]);
  });

  it.each([
    { filesystem: "memory", prepared: true, onDisk: [] },
    { filesystem: "memory", prepared: false, onDisk: [] },
    { filesystem: "disk", prepared: true, onDisk: ["/tmp/mark"] },
  ] as const)("writes to $filesystem, and nothing of it stays (prepared: $prepared)", async (how) => {
    const own = await StandbyRig.make(image, { filesystem: how.filesystem });
    const script = `
      const fs = require("node:fs");
      console.log(fs.existsSync("/tmp/mark"), process.getuid());
      fs.writeFileSync("/tmp/mark", "x");
      ${SERVER}`;
    for (let round = 0; round < 2; round += 1) {
      const run = own.run(script, { user: "1000:1000" });
      if (how.prepared) await own.prepared(run);
      const { instance, lines, seen } = await own.start(run);
      await seen("up");
      expect(lines).toEqual(["false 1000", "up"]);
      const look = ["node", "-p", `require("node:fs").existsSync("/tmp/mark") + " " + process.getuid()`];
      expect((await instance.exec(look, NEVER)).output).toBe("true 1000\n");
      const changes = (await docker.getContainer(instance.id).changes()) as Array<{ Path: string }> | Buffer;
      const paths = Array.isArray(changes) ? changes.map(({ Path }) => Path) : [];
      expect(paths.filter((path) => path.includes("mark"))).toEqual(how.onDisk);
      await instance.stop(0);
    }
    await own.rig.engine.close();
    expect(await own.containers()).toEqual([]);
  });

  it("has its root on disk where the engine refuses the rights for another, and says so once", async () => {
    const notices: string[] = [];
    const session = randomUUID();
    const engine = await grantingNothing(session, (message) => void notices.push(message));
    const own = new StandbyRig({ ...standby.rig, engine, session }, notices);
    for (let round = 0; round < 2; round += 1) {
      const { instance, seen } = await own.start(own.run(SERVER));
      await seen("up");
      expect(await answer(instance)).toBe("ok");
      await instance.stop(0);
    }
    expect(notices).toEqual([expect.stringMatching(/^--filesystem memory: .* disk/)]);
    await engine.close();
    expect(await own.containers()).toEqual([]);
  });
});

/** An engine that hears of no capabilities to add. */
async function grantingNothing(session: string, onNotice: (message: string) => void): Promise<Engine> {
  const around = machineSurroundings();
  const [endpoint] = findEndpoints(around).endpoints;
  if (endpoint === undefined) throw new Error("no engine");
  const client = openClient(endpoint);
  const create = client.docker.createContainer.bind(client.docker);
  client.docker.createContainer = ((spec: Docker.ContainerCreateOptions) => {
    const isHolder = spec.HostConfig?.CapAdd?.includes("NET_ADMIN") === true;
    return create(isHolder ? spec : { ...spec, HostConfig: { ...spec.HostConfig, CapAdd: [] } });
  }) as typeof client.docker.createContainer;
  const [version, info] = await Promise.all([client.docker.version(), client.docker.info()]);
  return new DockerEngine({
    client,
    facts: readFacts(endpoint, version, info as Record<string, unknown>, process.platform),
    hostAccess: undefined,
    clock: systemClock(),
    session,
    around,
    watchdog: () => undefined,
    standby: 0,
    filesystem: "memory",
    onNotice,
  });
}
