import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { Agent, createServer, request } from "node:http";
import type { Duplex } from "node:stream";
import type Docker from "dockerode";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { proveDirect, publishedAddress } from "../../../src/engine/docker/address.ts";
import { installHelper, type InstalledHelper } from "../../../src/engine/docker/helper/install.ts";
import { type Arrival, type Holder, startHolder } from "../../../src/engine/docker/holder/holder.ts";
import { clusterNetwork, type HolderRun } from "../../../src/engine/docker/holder/holder-spec.ts";
import { LABEL, ownIdentity, sessionLabels } from "../../../src/engine/docker/labels.ts";
import { removeContainer } from "../../../src/engine/docker/stop.ts";
import { ensureHostNodeImage, requireEngine } from "../../support/docker-images.ts";
import { NEVER, SERVER } from "./rig.ts";

const { docker, missing } = await requireEngine();
const labels = sessionLabels(ownIdentity(randomUUID()));

/** Prints what a lookup gives. */
const LOOKUP = (names: string[]): string => `
  const { lookup } = require("node:dns/promises");
  (async () => { for (const name of ${JSON.stringify(names)}) console.log(name, await lookup(name, { all: true }).then((all) => all.map((a) => a.address).join(), (e) => e.code)); })();
`;

/**
 * Servers: nobody listens at 127.0.0.2, 127.0.0.3 never answers, 127.0.0.4 does. And a client that speaks the protocol itself,
 * because the system's would hide which way an answer came.
 */
const FAKE_DNS = `
  const dgram = require("node:dgram"), net = require("node:net");
  const asked = [];
  const name = (q) => { const parts = []; for (let at = 12; q[at]; at += q[at] + 1) parts.push(q.toString("latin1", at + 1, at + 1 + q[at])); return parts.join("."); };
  const query = (host) => Buffer.concat([Buffer.from([7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]), ...host.split(".").map((l) => Buffer.concat([Buffer.from([l.length]), Buffer.from(l)])), Buffer.from([0, 0, 1, 0, 1])]);
  const answer = (q, count, last, cut) => { const head = Buffer.from(q); head[2] = cut ? 0x83 : 0x81; head[3] = 0x80; head.writeUInt16BE(cut ? 0 : count, 6); return Buffer.concat([head, ...Array.from({ length: cut ? 0 : count }, () => Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, last]))]); };
  const framed = (m) => Buffer.concat([Buffer.from([m.length >> 8, m.length & 255]), m]);
  const result = (m) => m.readUInt16BE(6) === 1 ? [...m.subarray(-4)].join(".") : m.readUInt16BE(6);
  const silent = dgram.createSocket("udp4").bind(53, "127.0.0.3");
  const udp = dgram.createSocket("udp4");
  udp.on("message", (q, from) => { asked.push("udp:" + name(q)); udp.send(answer(q, name(q).startsWith("big") ? 40 : 1, 3, name(q).startsWith("big")), from.port, from.address); });
  const tcp = net.createServer((c) => c.on("error", () => {}).on("data", (d) => { const q = d.subarray(2); asked.push("tcp:" + name(q)); c.write(framed(answer(q, 40, 4, false))); }));
  const overUdp = (host) => new Promise((resolve) => { const s = dgram.createSocket("udp4"); s.on("message", (m) => { s.close(); resolve(m); }); s.send(query(host), 53, "127.0.0.1"); });
  const overTcp = (host) => new Promise((resolve, reject) => { const s = net.connect(53, "127.0.0.1"); s.on("error", reject); s.on("data", (d) => { s.destroy(); resolve(d.subarray(2)); }); s.write(framed(query(host))); });
  udp.bind(53, "127.0.0.4", () => tcp.listen(53, "127.0.0.4", async () => {
    console.log("first", result(await overUdp("one.example")), "by udp");
    console.log("ours", result(await overUdp("x.default.svc.cluster.local")));
    const cut = await overUdp("big.example");
    if (cut[2] & 2) console.log("big", String(result(await overTcp("big.example"))), "by tcp");
    console.log("own big", result(await overTcp("x.default.svc.cluster.local")));
    console.log("asked", asked.join(" "));
    process.exit(0);
  }));
`;

describe.skipIf(missing)("a holder", () => {
  let image: string;
  let helper: InstalledHelper;
  const holders: Holder[] = [];
  const apps: Docker.Container[] = [];
  beforeAll(async () => {
    image = await ensureHostNodeImage(docker);
    helper = await installHelper(docker, labels);
  });
  afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => removeContainer(app)));
    await Promise.all(holders.splice(0).map((holder) => holder.close()));
  });
  afterAll(async () => {
    const left = await docker.listContainers({
      all: true,
      filters: { label: [`${LABEL.session}=${labels[LABEL.session]}`] },
    });
    expect(left).toEqual([]);
  });

  async function start(
    run: Partial<HolderRun> = {},
    onConnection: (arrival: Arrival) => void = ({ stream }) => void stream.destroy(),
    engine = docker,
  ): Promise<Holder> {
    const name = `holder-${randomUUID().slice(0, 8)}`;
    // No server to pass queries on to: nothing leaves this machine.
    const dns = ["127.0.0.1"];
    const defaults = { name, hostname: "hello-00001", labels, port: 8080, extraHosts: [], dns };
    const holder = await startHolder(
      {
        docker: engine,
        image: helper.image,
        run: { ...defaults, ...clusterNetwork(["default", "other"], 8080), ...run },
        onConnection,
      },
      NEVER,
    );
    holders.push(holder);
    return holder;
  }

  /** A container in the holder's namespace that runs a script; resolves when it prints `until`, or with all it printed. */
  async function join(holder: Holder, script: string, until?: string): Promise<string> {
    const app = await docker.createContainer({
      Image: image,
      Cmd: ["node", "-e", script],
      Env: ["PORT=8080"],
      Tty: true,
      Labels: labels,
      HostConfig: { NetworkMode: `container:${holder.id}` },
    });
    apps.push(app);
    const stream = await app.attach({ stream: true, stdout: true, stderr: true });
    await app.start();
    let text = "";
    for await (const chunk of stream) {
      text += String(chunk);
      if (until !== undefined && text.includes(until)) break;
    }
    return text.replaceAll("\r", "");
  }

  it("is labelled, has next to no rights, no log, and goes when its connection does", async () => {
    const holder = await start();
    const { Config: config, HostConfig: host } = await holder.inspect();
    expect(config.Labels).toMatchObject({ ...labels, "dev.kserve-local.role": "holder" });
    expect(config.Hostname).toBe("hello-00001");
    expect(host.LogConfig?.Type).toBe("none");
    expect(host.CapDrop).toEqual(["ALL"]);
    expect(host.NetworkMode).toBe("bridge");
    await holder.close();
    await expect(holder.inspect()).rejects.toMatchObject({ statusCode: 404 });
  });

  it("goes by itself when our process is gone", async () => {
    const connections: Duplex[] = [];
    const watched = {
      createContainer: async (options: Docker.ContainerCreateOptions) => {
        const container = await docker.createContainer(options);
        const attach = async (how: Docker.ContainerAttachOptions): Promise<unknown> => {
          const connection = (await docker.getContainer(container.id).attach(how)) as Duplex;
          connections.push(connection);
          return connection;
        };
        return Object.assign(container, { attach });
      },
    } as unknown as Docker;
    const holder = await start({}, undefined, watched);
    const removed = holder.container.wait({ condition: "removed" });
    connections[0]?.destroy();
    await removed;
    await expect(holder.inspect()).rejects.toMatchObject({ statusCode: 404 });
  });

  it("hands connections to the metadata address and to services' names to us", async () => {
    const http = createServer((req, res) => {
      req.resume().on("end", () => res.end(`${req.headers.host}${req.url} ${req.method}`));
    });
    const seen: string[] = [];
    const holder = await start({}, ({ stream, address, port }) => {
      seen.push(`${address}:${port}`);
      http.emit("connection", stream);
    });
    const script = `
      const urls = ["http://metadata.google.internal/computeMetadata/v1/", "http://169.254.169.254/x", "http://hello/", "http://hello.other/", "http://hello.other.svc.cluster.local/y"];
      (async () => { for (const url of urls) console.log(await fetch(url, { method: "POST", body: "b" }).then((r) => r.text(), (e) => e.cause.code)); })();
    `;
    expect((await join(holder, script)).trim().split("\n")).toEqual([
      "metadata.google.internal/computeMetadata/v1/ POST",
      "169.254.169.254/x POST",
      "hello/ POST",
      "hello.other/ POST",
      "hello.other.svc.cluster.local/y POST",
    ]);
    expect(seen).toEqual([
      "169.254.169.254:80",
      "169.254.169.254:80",
      "127.0.80.1:80",
      "127.0.80.1:80",
      "127.0.80.1:80",
    ]);
  });

  it("lets those who connected see a connection that we break off as broken", async () => {
    const holder = await start({}, ({ stream }) => void stream.once("data", () => stream.destroy()));
    const script = `require("node:net").connect(80, "hello").on("error", (e) => console.log(e.code)).on("end", () => console.log("end")).write("x")`;
    expect((await join(holder, script)).trim()).toBe("ECONNRESET");
  });

  it("resolves the names of the cluster and no others of its domain, and passes the rest on", async () => {
    const holder = await start({ extraHosts: ["db:10.1.2.3"] });
    const names = [
      "metadata.google.internal",
      "metadata.google.internal.",
      "a-b.default.svc.cluster.local",
      "A.Default.SVC.cluster.local.",
      "x",
      "x.other",
      "x.nowhere",
      "www.x.default.svc.cluster.local",
      "cluster.local",
      "db",
      "localhost",
      "no-such-name.invalid",
    ];
    const text = await join(holder, LOOKUP(names));
    expect(
      Object.fromEntries(
        text
          .trim()
          .split("\n")
          .map((line) => line.split(" ")),
      ),
    ).toEqual({
      "metadata.google.internal": "169.254.169.254",
      "metadata.google.internal.": "169.254.169.254",
      "a-b.default.svc.cluster.local": "127.0.80.1",
      "A.Default.SVC.cluster.local.": "127.0.80.1",
      x: "127.0.80.1",
      "x.other": "127.0.80.1",
      // To be passed on in the end, as a name that the world might know.
      "x.nowhere": expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/),
      "www.x.default.svc.cluster.local": "ENOTFOUND",
      "cluster.local": "ENOTFOUND",
      db: "10.1.2.3",
      localhost: expect.stringMatching(/127\.0\.0\.1|ENOTFOUND/),
      "no-such-name.invalid": expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/),
    });
  });

  it("asks the next server where one doesn't answer, and again over TCP where the answer is cut", async () => {
    const holder = await start({ dns: ["127.0.0.2", "127.0.0.3", "127.0.0.4"] });
    const text = await join(holder, FAKE_DNS);
    expect(text.trim().split("\n")).toEqual([
      "first 192.0.2.3 by udp",
      // Names of ours never leave, TCP or not.
      "ours 127.0.80.1",
      "big 40 by tcp",
      "own big 127.0.80.1",
      "asked udp:one.example udp:big.example tcp:big.example",
    ]);
  });

  it("says so at once where there is no server at all", async () => {
    const holder = await start();
    expect(await join(holder, LOOKUP(["a.example", "x"]))).toMatch(
      /^a\.example (EAI_AGAIN|ENOTFOUND)\nx 127\.0\.80\.1\n$/,
    );
  });

  it("is the only server that its containers know, with the engine's as its own", async () => {
    const holder = await start({ dns: ["127.0.0.9"] });
    const text = await join(
      holder,
      `console.log(require("node:fs").readFileSync("/etc/resolv.conf", "utf8"))`,
    );
    expect(text).toMatch(
      /^nameserver 127\.0\.0\.1\nsearch default\.svc\.cluster\.local svc\.cluster\.local cluster\.local.*\noptions ndots:5\n/,
    );
  });

  it("learns new names while it runs", async () => {
    const holder = await start();
    await holder.setNames([["only.this", "127.0.9.9"]]);
    const text = await join(holder, LOOKUP(["only.this", "x.default.svc.cluster.local"]));
    expect(text).toContain("only.this 127.0.9.9");
    expect(text).toContain("x.default.svc.cluster.local ENOTFOUND");
  });

  it("tells who listens, whether a port takes connections, and connects to it", async () => {
    const holder = await start();
    expect(await holder.listening()).toEqual([]);
    expect(await holder.probe(8080)).toBe(false);
    await join(
      holder,
      `${SERVER}; const net = require("node:net"); net.createServer().listen(7001, "127.0.0.1", () => net.createServer().listen(7002, "0.0.0.0", () => console.log("all")));`,
      "all",
    );
    const listening = await holder.listening();
    expect(listening.toSorted((a, b) => a.port - b.port)).toEqual([
      { address: "127.0.0.1", port: 7001, everywhere: false, loopback: true },
      { address: "0.0.0.0", port: 7002, everywhere: true, loopback: false },
      { address: "0:0:0:0:0:0:0:0", port: 8080, everywhere: true, loopback: false },
    ]);
    expect(await holder.probe(8080)).toBe(true);
    expect(await get(await holder.connect(8080))).toBe("ok");
    await expect(holder.connect(9)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("carries many large bodies at once, both ways, unharmed", async () => {
    const holder = await start();
    await join(
      holder,
      `require("node:http").createServer((q, s) => q.pipe(s)).listen(8080, () => console.log("up"))`,
      "up",
    );
    const sent = Array.from({ length: 8 }, () => randomBytes(3_000_000));
    const received = await Promise.all(sent.map(async (body) => echo(await holder.connect(8080), body)));
    received.forEach((body, index) => expect(body.equals(sent[index] as Buffer)).toBe(true));
  });

  it("isn't stopped by a stream that nobody reads", async () => {
    const holder = await start();
    await join(
      holder,
      `require("node:http").createServer((q, s) => s.end(q.url === "/big" ? Buffer.alloc(8e6) : "ok")).listen(8080, () => console.log("up"))`,
      "up",
    );
    const stuck = await holder.connect(8080);
    stuck.write("GET /big HTTP/1.0\r\n\r\n");
    await once(stuck, "readable");
    for (let round = 0; round < 20; round += 1) expect(await get(await holder.connect(8080))).toBe("ok");
    let bytes = 0;
    for await (const chunk of stuck) bytes += (chunk as Buffer).length;
    expect(bytes).toBeGreaterThan(8e6);
  });

  it("proves that an address is the container's, and that another is not", async ({ skip }) => {
    const holder = await start();
    const direct = await proveDirect(await holder.inspect(), 8080);
    if (direct === undefined) return skip("this engine's network is not this machine's");
    expect(await holder.prove(direct.host, randomUUID())).toBe(true);
    expect(await holder.prove("127.0.0.1", randomUUID())).toBe(false);
  });

  it("publishes the port once, for whoever joins", async () => {
    const holder = await start({ publishOn: "127.0.0.1" });
    const address = publishedAddress(await holder.inspect(), 8080, "127.0.0.1");
    for (let round = 0; round < 2; round += 1) {
      await join(holder, SERVER, "up");
      expect(await (await fetch(`http://127.0.0.1:${address?.port}/`)).text()).toBe("ok");
      await Promise.all(apps.splice(0).map((app) => removeContainer(app)));
    }
  });

  it("ends its streams when it is killed, and says so", async () => {
    const holder = await start();
    await join(holder, SERVER, "up");
    const stream = await holder.connect(8080);
    const ended = new Promise((resolve) => stream.once("close", resolve));
    await holder.container.kill({ signal: "SIGKILL" });
    await holder.closed;
    await ended;
    await expect(holder.probe(8080)).rejects.toThrow("network is gone");
  });

  it("that can't do what it is asked to leaves nothing and says why", async () => {
    await expect(start({ listen: ["10.255.255.1:80"] })).rejects.toMatchObject({
      code: "engine-error",
      why: expect.stringContaining("listening: Address not available") as string,
    });
    const controller = new AbortController();
    controller.abort(new Error("not any more"));
    const run = {
      name: "holder-x",
      hostname: "x",
      labels,
      port: 8080,
      extraHosts: [],
      ...clusterNetwork([], 80),
    };
    await expect(
      startHolder({ docker, image: helper.image, run, onConnection: () => undefined }, controller.signal),
    ).rejects.toThrow("not any more");
  });
});

/** GET / over a stream that is connected already. */
function get(stream: Duplex): Promise<string> {
  return echo(stream, undefined).then(String);
}

function echo(stream: Duplex, body: Buffer | undefined): Promise<Buffer> {
  const agent = new Agent();
  agent.createConnection = () => stream;
  return new Promise((resolve, reject) => {
    const call = request({ method: body === undefined ? "GET" : "POST", agent, host: "app" }, (response) => {
      const kept: Buffer[] = [];
      response.on("data", (chunk: Buffer) => kept.push(chunk));
      response.on("end", () => resolve(Buffer.concat(kept)));
    });
    call.on("error", reject);
    call.end(body);
  });
}
