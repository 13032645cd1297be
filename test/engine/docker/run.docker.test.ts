import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isKserveLocalError } from "../../../src/kernel/errors.ts";
import { ensureHostNodeImage, requireEngine } from "../../support/docker-images.ts";
import { makeRig, type Rig, SERVER, withEnvironment } from "./rig.ts";

const { docker, missing } = await requireEngine();

describe.skipIf(missing)("an instance under docker", () => {
  let rig: Rig;
  let image: string;
  beforeAll(async () => {
    image = await ensureHostNodeImage(docker);
    rig = await makeRig(image);
  });
  afterAll(() => rig.engine.close());

  const inspect = (id: string) => docker.getContainer(id).inspect();

  it("carries the session's labels, its name as host name, limits, a bounded log, no health check", async () => {
    const { instance, name } = await rig.start(SERVER, {
      cpuMillis: 250,
      memoryBytes: 64 * 2 ** 20,
      user: "1000:1000",
      workingDir: "/srv/app",
    });
    const { Config: config, HostConfig: host } = await inspect(instance.id);
    expect(config.Hostname).toBe(name);
    expect(config.Labels).toMatchObject({
      "dev.kserve-local.session": rig.session,
      "dev.kserve-local.service": "rig",
      "dev.kserve-local.revision": "rig-00001",
      "dev.kserve-local.role": "app",
      "dev.kserve-local.pid": String(process.pid),
    });
    expect(host).toMatchObject({
      CpuPeriod: 100_000,
      CpuQuota: 25_000,
      Memory: 64 * 2 ** 20,
      MemorySwap: 64 * 2 ** 20,
      LogConfig: { Type: "local", Config: { "max-size": "10m" } },
    });
    expect(config.Healthcheck?.Test).toEqual(["NONE"]);
    expect(config.User).toBe("1000:1000");
    expect(config.WorkingDir).toBe("/srv/app");
    await instance.stop(0);
    await expect(inspect(instance.id)).rejects.toMatchObject({ statusCode: 404 });
  });

  it("is not reachable at the cloud's metadata address, which it owns itself", async () => {
    const { seen, instance } = await rig.start(
      `require("node:net").connect(80, "169.254.169.254").on("error", (e) => console.log(e.code)).on("connect", () => console.log("connected"));`,
    );
    await seen("ECONNREFUSED");
    await instance.stop(0);
  });

  it("reaches a listener of this process at the engine's host access", async ({ skip }) => {
    const access = rig.engine.description.hostAccess;
    if (access === undefined) return skip("this engine's containers can't reach this process");
    const server = createServer((_request, response) => response.end("from the host"));
    await new Promise<void>((resolve) => server.listen(0, access.listen, resolve));
    const { port } = server.address() as AddressInfo;
    const { lines, instance } = await rig.start(
      `fetch("http://${access.reach}:${port}/").then((r) => r.text()).then(console.log, (e) => console.log(String(e.cause)))`,
    );
    await instance.exited;
    server.close();
    expect(lines).toEqual(["from the host"]);
  });

  it("has stdin at its end and no terminal", async () => {
    const { seen } = await rig.start(
      `process.stdin.on("end", () => console.log("end", process.stdout.isTTY === true)).resume()`,
    );
    await seen("end false");
  });

  it("ends at once on a SIGTERM that it doesn't trap", async () => {
    const { instance, seen } = await rig.start(SERVER);
    await seen("up");
    expect(await instance.stop(60_000)).toEqual({ code: 143, reason: "exited", killed: false });
  });

  it.each([
    ["an ordinary root", {}],
    ["a read-only root", { readOnlyRootFilesystem: true }],
  ])("finds its files with owner, mode and content on %s", async (_title, main) => {
    const script = `
      const fs = require("node:fs");
      const describe = (path) => { const s = fs.statSync(path); return path + " " + s.uid + " " + (s.mode & 0o777).toString(8) + " " + fs.readFileSync(path, "hex"); };
      console.log(describe("/etc/secret/key"));
      console.log(describe("/etc/secret/deep/er"));
      console.log("passwd", fs.existsSync("/etc/passwd"));
    `;
    const { instance, lines } = await rig.start(script, {
      ...main,
      files: [
        { path: "/etc/secret/key", content: Buffer.from([0, 255, 10]), mode: 0o400 },
        { path: "/etc/secret/deep/er", content: Buffer.from("x"), mode: 0o644 },
      ],
    });
    await instance.exited;
    expect(lines).toEqual(["/etc/secret/key 0 400 00ff0a", "/etc/secret/deep/er 0 644 78", "passwd true"]);
  });

  it("keeps what the image holds beside a file that is put into one of its folders", async () => {
    const { instance, lines } = await rig.start(
      `console.log(require("node:fs").readdirSync("/etc").includes("passwd"))`,
      {
        readOnlyRootFilesystem: true,
        files: [{ path: "/etc/app.conf", content: Buffer.from("x"), mode: 0o644 }],
      },
    );
    await instance.exited;
    expect(lines).toEqual(["true"]);
  });

  it("can't write to a read-only root, but to its emptyDirs, whoever it is", async () => {
    const script = `
      const fs = require("node:fs");
      for (const path of ["/tmp/x", "/cache/x"]) try { fs.writeFileSync(path, "1"); console.log(path, "written"); } catch (e) { console.log(path, e.code); }
    `;
    const { instance, lines } = await rig.start(script, {
      readOnlyRootFilesystem: true,
      emptyDirs: ["/cache"],
      user: "1000",
    });
    await instance.exited;
    expect(lines).toEqual(["/tmp/x EROFS", "/cache/x written"]);
  });

  it("that takes more memory than its limit ends as out of memory", async () => {
    const { instance } = await rig.start(`const all = []; for (;;) all.push(Buffer.alloc(8 << 20, 1));`, {
      memoryBytes: 64 * 2 ** 20,
    });
    expect(await instance.exited).toEqual({ code: 137, reason: "oom", killed: false });
    expect(await instance.stop(0)).toMatchObject({ reason: "oom" });
  });

  it("that somebody removes ends as removed", async () => {
    const { instance, seen } = await rig.start(SERVER);
    await seen("up");
    await docker.getContainer(instance.id).remove({ force: true });
    expect(await instance.exited).toMatchObject({ reason: "removed", killed: false });
  });

  it("that somebody kills ends with the signal's code, not killed by us", async () => {
    const { instance, seen } = await rig.start(SERVER);
    await seen("up");
    await docker.getContainer(instance.id).kill({ signal: "SIGKILL" });
    expect(await instance.exited).toEqual({ code: 137, reason: "exited", killed: false });
  });

  it("isn't ended by closing its own output", async () => {
    const script = `
      const fs = require("node:fs");
      const close = () => [1, 2].forEach((fd) => fs.closeSync(fd));
      require("node:http").createServer((q, s) => { if (q.url === "/close") close(); s.end("ok"); }).listen(8080, () => console.log("up"));
    `;
    const { instance, seen } = await rig.start(script);
    await seen("up");
    const { host, port } = instance.address;
    await fetch(`http://${host}:${port}/close`);
    for (let round = 0; round < 20; round += 1)
      expect(await (await fetch(`http://${host}:${port}/`)).text()).toBe("ok");
    expect(await instance.stop(5000)).toMatchObject({ code: 143, reason: "exited" });
  });

  describe("start failures in the user's words", () => {
    it.each<[string, object, RegExp]>([
      ["a command that the image lacks", { command: ["/nope"] }, /"\/nope" does not exist in the image/],
      ["one not in PATH", { command: ["nope"] }, /"nope" does not exist in the image/],
      ["a file that isn't executable", { command: ["/etc/passwd"] }, /"\/etc\/passwd" is not executable/],
      ["a folder", { command: ["/etc"] }, /"\/etc" is not executable/],
      ["an unknown user", { user: "bob" }, /user "bob" does not exist in the image/],
      ["too little memory", { memoryBytes: 2 ** 20 }, /memory limit is below .* 6MB/],
    ])("%s", async (_title, main, words) => {
      await expect(rig.start(SERVER, main)).rejects.toThrow(words);
      await expect(rig.start(SERVER, main)).rejects.toMatchObject({ code: "start-failed", exitCode: 5 });
    });

    it.each<[string, Buffer, RegExp]>([
      ["a binary for another processor", elf(183), /built for linux\/arm64/],
      [
        "a script with Windows line ends",
        Buffer.from("#!/usr/local/bin/node\r\n1\n"),
        /"\/usr\/local\/bin\/node\\r"/,
      ],
      [
        "a script whose interpreter is missing",
        Buffer.from("#!/bin/bash\ntrue\n"),
        /"\/bin\/bash", which the image lacks/,
      ],
    ])("%s", async (_title, content, words) => {
      const files = [{ path: "/app/run", content, mode: 0o755 }];
      await expect(rig.start(SERVER, { command: ["/app/run"], files })).rejects.toThrow(words);
    });

    it("without an init of the engine as well", async () => {
      const plain = await makeRig(image, { assume: { init: false } });
      try {
        for (const command of [["/nope"], ["nope"]])
          await expect(plain.start(SERVER, { command })).rejects.toThrow(/does not exist in the image/);
        await expect(plain.start(SERVER, { command: ["/etc/passwd"] })).rejects.toThrow(/is not executable/);
      } finally {
        await plain.engine.close();
      }
    });

    it("leaves no container behind", async () => {
      const before = await rig.start(SERVER, { command: ["/nope"] }).catch((error: unknown) => error);
      expect(isKserveLocalError(before)).toBe(true);
      const filters = { label: [`dev.kserve-local.session=${rig.session}`], status: ["created", "exited"] };
      expect(await docker.listContainers({ all: true, filters })).toEqual([]);
    });
  });

  describe("address", () => {
    it("is published on loopback when asked for, and proves nothing by connecting", async () => {
      const published = await makeRig(image, withEnvironment({ KSERVE_LOCAL_DOCKER_ADDRESS: "published" }));
      try {
        const { instance, seen } = await published.start(SERVER);
        await seen("up");
        expect(instance.address).toMatchObject({ host: "127.0.0.1", connectProves: false });
        const { host, port } = instance.address;
        expect(await (await fetch(`http://${host}:${port}/`)).text()).toBe("ok");
        const ports = (await inspect(instance.id)).NetworkSettings.Ports["8080/tcp"];
        expect(ports).toEqual([{ HostIp: "127.0.0.1", HostPort: String(port) }]);
      } finally {
        await published.engine.close();
      }
    });

    it("is the container's own where that is proved, with nothing published", async ({ skip }) => {
      const { instance, seen } = await rig.start(SERVER);
      if (!instance.address.connectProves) skip("this engine's network is not this machine's");
      await seen("up");
      const { NetworkSettings: network, HostConfig: host } = await inspect(instance.id);
      expect(instance.address.host).toBe(network.Networks["bridge"]?.IPAddress);
      expect(host.PortBindings ?? {}).toEqual({});
      expect(await (await fetch(`http://${instance.address.host}:8080/`)).text()).toBe("ok");
    });
  });

  it("aborted while it starts leaves nothing", async () => {
    const controller = new AbortController();
    const events = (await docker.getEvents({ filters: { container: ["rig-aborted"] } })) as Readable;
    const start = rig.engine.start(
      {
        name: "rig-aborted",
        service: "rig",
        revision: "rig-00001",
        port: 8080,
        onLog: () => undefined,
        main: {
          name: "c",
          artifact: rig.artifact,
          env: [],
          files: [],
          emptyDirs: [],
          command: ["node", "-e", SERVER],
        },
      },
      controller.signal,
    );
    events.once("data", () => controller.abort(new Error("changed my mind")));
    await expect(start).rejects.toThrow("changed my mind");
    await expect(inspect("rig-aborted")).rejects.toMatchObject({ statusCode: 404 });
    events.destroy();
  });
});

/** The beginning of an ELF file for this machine number, long enough to be read as one. */
function elf(machine: number): Buffer {
  const file = Buffer.alloc(128);
  file.write("\x7fELF\x02\x01\x01", "latin1");
  file.writeUInt16LE(2, 16);
  file.writeUInt16LE(machine, 18);
  return file;
}
