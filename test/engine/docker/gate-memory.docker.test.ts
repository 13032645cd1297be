import type Docker from "dockerode";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { execIn } from "../../../src/engine/docker/exec.ts";
import { NoMemoryRoot } from "../../../src/engine/docker/gate/gate.ts";
import { readHelper } from "../../../src/engine/docker/helper/binary.ts";
import { ensureHostNodeImage, requireEngine } from "../../support/docker-images.ts";
import { type Case, GateRig, type Way } from "./gate-rig.ts";
import { tarOf } from "./rig.ts";

const { docker, missing } = await requireEngine();

describe.skipIf(missing)("an app whose root is in memory", () => {
  let rig: GateRig;
  let node: string;
  let userImage: string;
  beforeAll(async () => {
    node = await ensureHostNodeImage(docker);
    rig = await GateRig.make(docker);
    userImage = await rig.image(node, ["USER node", "WORKDIR /srv/app", "ENTRYPOINT []"]);
  });
  afterEach(() => rig.clear());
  afterAll(() => rig.close());

  const way: Way = "gate and memory";
  const run = (image: string, script: string, more: object = {}) =>
    rig.see(way, { image, run: { command: ["node", "-e", script], ...more } });

  it("writes anywhere, and leaves the container's layer on disk as it was", async () => {
    const script = `
      const fs = require("node:fs");
      fs.mkdirSync("/opt/deep", { recursive: true });
      for (const path of ["/x", "/opt/deep/x", "/etc/x", "/usr/local/bin/x", "/tmp/x"]) fs.writeFileSync(path, path);
      fs.appendFileSync("/etc/passwd", "more");
      fs.rmSync("/etc/group");
      fs.renameSync("/usr/local/bin/x", "/usr/local/y");
      console.log(fs.existsSync("/.kserve-local"), fs.readFileSync("/usr/local/y", "utf8"), fs.existsSync("/etc/group"));
    `;
    const lines: string[] = [];
    const test: Case = { image: node, run: { command: ["node", "-e", script] } };
    const gate = await rig.gate(await rig.holder(), way, test, ({ line }) => void lines.push(line));
    await gate.start(new AbortController().signal);
    gate.release();
    await gate.output;
    expect(lines).toEqual(["false /usr/local/bin/x false"]);
    const changes = (await gate.container.changes()) as Array<{ Path: string }> | Buffer;
    const paths = Array.isArray(changes) ? changes.map(({ Path }) => Path) : [];
    expect(paths.filter((path) => path !== "/.kserve-local")).toEqual([]);
  });

  it("shows it to what is executed in the container later", async () => {
    const script = `require("node:fs").writeFileSync("/tmp/mark", "by the app"); setInterval(() => {}, 1000); console.log("up");`;
    const printed = `console.log(require("node:fs").readFileSync("/tmp/mark", "utf8"), process.cwd(), process.getuid())`;
    let answer: Promise<unknown> | undefined;
    const test: Case = {
      image: userImage,
      run: { command: ["node", "-e", script] },
      when: [
        "up",
        (container) => {
          const command = ["node", "-e", printed];
          answer = execIn(asUser(container, "1000"), command, new AbortController().signal);
          return answer.then(() => container.kill({ signal: "SIGTERM" }));
        },
      ],
    };
    await rig.see(way, test);
    expect(await answer).toEqual({ exitCode: 0, output: "by the app /srv/app 1000\n" });
  });

  it("finds nothing of its last run when the same container goes again", async () => {
    const script = `const fs = require("node:fs"); console.log(fs.existsSync("/marker")); fs.writeFileSync("/marker", "");`;
    const lines: string[] = [];
    const test: Case = { image: node, run: { command: ["node", "-e", script] } };
    const first = await rig.gate(await rig.holder(), way, test, ({ line }) => void lines.push(line));
    let gate = first;
    for (let round = 0; round < 3; round += 1) {
      await gate.start(new AbortController().signal);
      gate.release();
      await gate.output;
      await gate.container.wait();
      gate = await gate.again();
    }
    expect(lines).toEqual(["false", "false", "false"]);
  });

  it.each([["/data"], ["/tmp"], ["/var/deep/er"]])(
    "is out of memory when it writes more than its limit to %s",
    async (folder) => {
      const script = `
      const fs = require("node:fs");
      fs.mkdirSync(${JSON.stringify(folder)}, { recursive: true });
      const fd = fs.openSync(${JSON.stringify(folder)} + "/big", "w");
      for (let n = 0; n < 300; n++) fs.writeSync(fd, Buffer.alloc(1 << 20, 1));
      console.log("written");
    `;
      const seen = await run(node, script, { memoryBytes: 2 ** 27 });
      expect(seen).toMatchObject({ code: 137, oom: true, stdout: "" });
    },
  );

  it("as a user who isn't root: writes what is theirs, not the rest", async () => {
    const script = `
      const fs = require("node:fs");
      for (const path of ["/tmp/x", "/x", "/srv/app/x"]) try { fs.writeFileSync(path, ""); console.log(path); } catch (e) { console.log(e.code); }
    `;
    const seen = await run(userImage, script);
    expect(seen.stdout.split("\n")).toEqual(["/tmp/x", "EACCES", "EACCES"]);
  });

  it("from an image with nothing in it but a program", async () => {
    const { bytes } = await readHelper();
    const scratch = await rig.image(rig.helper.image, ["ENTRYPOINT []"], await tarOf({ app: bytes }));
    const test: Case = { image: scratch, run: { command: ["/app"] } };
    const plain = await rig.see("plain", test);
    expect(plain).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("started by kserve-local") as string,
    });
    expect(await rig.see(way, test)).toEqual(plain);
  });

  it("holds the image's VOLUMEs as well, with what the image has there", async () => {
    const image = await rig.image(
      node,
      ["VOLUME /data /more", "ENTRYPOINT []"],
      await tarOf({ "data/file": "image's" }),
    );
    const script = `
      const fs = require("node:fs");
      fs.writeFileSync("/data/new", ""); fs.writeFileSync("/more/new", "");
      console.log(fs.readFileSync("/data/file", "utf8"), fs.readdirSync("/data").join(), /\\/(data|more) /.test(fs.readFileSync("/proc/self/mounts", "utf8")));
    `;
    expect((await run(image, script)).stdout).toBe("image's file,new false");
  });

  it("says so, and nothing else, where the engine doesn't allow it", async () => {
    const lines: string[] = [];
    const test: Case = { image: node, run: { command: ["node", "-e", "console.log('ran')"] } };
    const gate = await rig.gate(
      await rig.holder(),
      way,
      test,
      ({ line }) => void lines.push(line),
      "no rights",
    );
    await expect(gate.start(new AbortController().signal)).rejects.toThrow(NoMemoryRoot);
    await gate.discard();
    await expect(gate.container.inspect()).rejects.toMatchObject({ statusCode: 404 });
    expect(lines).toEqual([]);
  });

  it("keeps an emptyDir below a VOLUME, and blanks in a path", async () => {
    const image = await rig.image(node, ["VOLUME /data", "ENTRYPOINT []"]);
    const script = `console.log(require("node:fs").readFileSync("/proc/self/mounts", "utf8").split("\\n").map((l) => l.split(" ").slice(1, 3).join()).filter((l) => /data/.test(l)).sort().join(" "))`;
    const seen = await run(image, script, { emptyDirs: ["/data/sub", "/my data"] });
    expect(seen.stdout).toBe(String.raw`/data/sub,tmpfs /my\040data,tmpfs`);
  });
});

/** The container's own user is root here, for the gate. */
function asUser(container: Docker.Container, user: string): Docker.Container {
  const exec = (options: Docker.ExecCreateOptions) => container.exec({ ...options, User: user });
  return { exec } as unknown as Docker.Container;
}
