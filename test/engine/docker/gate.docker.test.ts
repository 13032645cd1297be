import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ensureHostNodeImage, imagesMissing, requireEngine } from "../../support/docker-images.ts";
import { type Case, GateRig, HOSTNAME, type Way } from "./gate-rig.ts";
import { tarOf } from "./rig.ts";

const { docker, missing } = await requireEngine();
const WITH: readonly Way[] = ["gate", "gate and memory"];

/** Everything about a process that an app can tell, as far as we know; without the places where the two helpers are mounted. */
const VIEW = `
  const fs = require("node:fs");
  const status = (pid) => Object.fromEntries(fs.readFileSync("/proc/" + pid + "/status", "utf8").trim().split("\\n").map((l) => l.split(/:\\s*/)));
  const own = status("self");
  const pick = (from, names) => Object.fromEntries(names.map((name) => [name, from[name]]));
  const stat = fs.readFileSync("/proc/self/stat", "utf8").split(") ")[1].split(" ");
  console.log(JSON.stringify({
    own: pick(own, ["Umask", "Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "SigBlk", "SigIgn", "SigCgt"]),
    first: pick(status(1), ["Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp"]),
    isFirst: process.pid === 1, parent: process.ppid, leadsGroup: Number(stat[2]) === process.pid, terminal: stat[4],
    argv: process.argv, argv0: process.argv0, cwd: process.cwd(), env: process.env, home: require("node:os").homedir(), host: require("node:os").hostname(),
    stdin: fs.readlinkSync("/proc/self/fd/0"), stdinFlags: /flags:\\s*(\\d+)/.exec(fs.readFileSync("/proc/self/fdinfo/0", "utf8"))[1],
    fds: fs.readdirSync("/proc/self/fd").filter((fd) => { try { return /^\\/(?!dev\\/null)/.test(fs.readlinkSync("/proc/self/fd/" + fd)); } catch { return false; } }).map((fd) => fs.readlinkSync("/proc/self/fd/" + fd)).filter((l) => !l.startsWith("/proc/")),
    limits: fs.readFileSync("/proc/self/limits", "utf8"), oom: fs.readFileSync("/proc/self/oom_score_adj", "utf8"),
    mounts: fs.readFileSync("/proc/self/mounts", "utf8").trim().split("\\n").map((l) => l.split(" ")).map(([, path, type, options]) => [path, type, path.startsWith("/etc/") ? "" : options.split(",")[0]].join(" ")).filter((l) => !/^\\/ |^\\/\\.kserve-local |^\\/sbin\\/docker-init /.test(l)).sort(),
    root: fs.readdirSync("/").filter((name) => ![".kserve-local", "sbin"].includes(name)).sort(), rootMode: fs.statSync("/").mode, rootOwner: fs.statSync("/").uid,
    cwdOwner: fs.statSync(".").uid, cwdMode: fs.statSync(".").mode,
    hosts: fs.readFileSync("/etc/hosts", "utf8").includes("${HOSTNAME}"),
  }));
`;
const PRINT_ARGV = `["node", "-e", "console.log(JSON.stringify(process.argv.slice(1)))"]`;
const WAIT = `setInterval(() => {}, 1000); console.log("up");`;

describe.skipIf(missing)("an app behind the gate", () => {
  let rig: GateRig;
  let node: string;
  let images: Record<string, string>;
  beforeAll(async () => {
    node = await ensureHostNodeImage(docker);
    rig = await GateRig.make(docker);
    images = {
      node,
      user: await rig.image(node, ["USER node", "WORKDIR /srv/app", "ENV A=image B=image", "ENTRYPOINT []"]),
      entry: await rig.image(node, [`ENTRYPOINT ${PRINT_ARGV}`, `CMD ["image", "cmd"]`]),
      home: await rig.image(node, ["ENV HOME=/own", "USER 1000:2000", "ENTRYPOINT []"]),
      groups: await rig.image(
        node,
        ["USER app:crew", "ENTRYPOINT []"],
        await tarOf({
          "etc/passwd": "root:x:0:0::/root:/bin/false\napp:x:1001:1002::/home/app:/bin/false\nb:x:7:7::/b:\n",
          "etc/group": "root:x:0:\ncrew:x:50:app\nextra:x:51:b,app\n",
        }),
      ),
      files: await rig.image(
        node,
        ["ENTRYPOINT []"],
        await tarOf({
          "bin/script": "#!/usr/local/bin/node\nconsole.log('script', process.argv.slice(2).join())",
          "bin/no-interpreter": "#!/bin/nothing\n",
          "bin/no-format": "plain text\n",
          "one/tool": "#!/usr/local/bin/node\nconsole.log('one')",
          "two/tool": "#!/usr/local/bin/node\nconsole.log('two')",
        }),
      ),
    };
  });
  afterEach(() => rig.clear());
  afterAll(() => rig.close());

  async function compare(test: Case): Promise<void> {
    const plain = await rig.see("plain", test);
    for (const way of WITH) expect({ way, ...(await rig.see(way, test)) }).toEqual({ way, ...plain });
  }

  describe("sees of itself what it sees without", () => {
    const script = (more: object = {}): Case["run"] => ({ command: ["node", "-e", VIEW, "x"], ...more });
    it.each<[string, string, Case["run"], boolean]>([
      ["as root", "node", script(), true],
      ["as PID 1, where the image brings an init of its own", "node", script(), false],
      ["as the image's user, with its working directory", "user", script(), true],
      ["as the image's user and PID 1", "user", script(), false],
      ["as a user with supplementary groups", "groups", script({ user: "app" }), true],
      ["as the image's user and group", "groups", script(), true],
      ["as a number that no user has", "node", script({ user: "4711" }), true],
      ["as a number and a group", "groups", script({ user: "4711:51" }), true],
      ["with the image's HOME", "home", script(), true],
      [
        "with environment over the image's",
        "user",
        script({
          env: [
            ["A", "run"],
            ["C", "x=y z"],
          ],
        }),
        true,
      ],
      ["in a working directory that doesn't exist", "user", script({ workingDir: "/made/for/it" }), true],
      [
        "with limits and an emptyDir",
        "user",
        script({ memoryBytes: 2 ** 28, cpuMillis: 500, emptyDirs: ["/cache", "/deep/er"] }),
        true,
      ],
    ])("%s", async (_title, image, run, init) => {
      const test: Case = { image: images[image] ?? "", run: run ?? {}, init };
      const plain = await rig.see("plain", test);
      expect(plain.stderr).toBe("");
      const view = JSON.parse(plain.stdout) as { isFirst: boolean };
      expect(view.isFirst).toBe(!init);
      for (const way of WITH) {
        const seen = await rig.see(way, test);
        expect({ way, code: seen.code, stderr: seen.stderr }).toEqual({ way, code: 0, stderr: "" });
        expect({ way, ...(JSON.parse(seen.stdout) as object) }).toEqual({ way, ...view });
      }
    });
  });

  describe("executes the same command", () => {
    it.each<[string, string, Case["run"], string]>([
      ["image's ENTRYPOINT and CMD", "entry", {}, '["image","cmd"]'],
      ["args in place of CMD", "entry", { args: ["a", "b c", ""] }, '["a","b c",""]'],
      ["command in place of both", "entry", { command: ["node", "-p", "1+1"] }, "2"],
      ["command and args", "entry", { command: ["node", "-p"], args: ["2+2"] }, "4"],
      ["empty command and args as none", "entry", { command: [], args: [] }, '["image","cmd"]'],
      ["a script", "files", { command: ["/bin/script", "--x", "-- y"] }, "script --x,-- y"],
      ["one found in PATH", "files", { command: ["script"], env: [["PATH", "/nowhere:/bin"]] }, "script "],
      ["the first in PATH", "files", { command: ["tool"], env: [["PATH", "/two:/one"]] }, "two"],
      [
        "a path relative to the working directory",
        "files",
        { command: ["one/tool"], workingDir: "/" },
        "one",
      ],
    ])("%s", async (_title, image, run, printed) => {
      const test: Case = { image: images[image] ?? "", run: run ?? {} };
      expect((await rig.see("plain", test)).stdout).toBe(printed);
      await compare(test);
    });
  });

  /** The init of the engine has rules of its own: it gives what isn't executable to /bin/sh. The cluster has no init. */
  describe("is refused with the runtime's code and in the same words", () => {
    it.each<[string, Case["run"], number]>([
      ["a path that isn't there", { command: ["/nope"] }, 127],
      ["a name that isn't in PATH", { command: ["nope"] }, 127],
      ["a name that is in PATH, not executable", { command: ["passwd"], env: [["PATH", "/etc"]] }, 127],
      ["an empty PATH", { command: ["node"], env: [["PATH", ""]] }, 127],
      ["a file that isn't executable", { command: ["/etc/passwd"] }, 126],
      ["a folder", { command: ["/etc"] }, 126],
      ["a path through a file", { command: ["/etc/passwd/x"] }, 127],
    ])("%s", async (_title, run, code) => {
      for (const init of [true, false]) {
        const test = { image: images["files"] ?? "", run: run ?? {} };
        const plain = await rig.see("plain", { ...test, init: false });
        expect(plain.refusal).toBeDefined();
        expect(plain.code).toBe(code);
        for (const way of WITH) {
          const seen = await rig.see(way, { ...test, init });
          expect({ way, init, code: seen.code, refusal: seen.refusal }).toEqual({
            way,
            init,
            code,
            refusal: plain.refusal,
          });
        }
      }
    });

    it.each([
      ["what is neither binary nor script", "/bin/no-format", /exec format error/],
      ["a script without its interpreter", "/bin/no-interpreter", /no such file or directory/],
    ])("%s", async (_title, program, words) => {
      const test = { image: images["files"] ?? "", run: { command: [program] }, init: false };
      const plain = await rig.see("plain", test);
      // runc 1.1 exits with 1, later ones with 255.
      expect([1, 255]).toContain(plain.code);
      expect(plain.stderr).toMatch(words);
      for (const way of WITH) {
        const seen = await rig.see(way, test);
        expect(seen.code).toBe(255);
        expect(seen.stderr).toMatch(words);
        expect(seen.refusal).toBeDefined();
      }
    });
  });

  describe("ends the same way", () => {
    const on = (line: string, signal: string): NonNullable<Case["when"]> => [
      line,
      (container) => container.kill({ signal }),
    ];
    it.each<[string, string, Case["when"], number, boolean]>([
      ["its own code", `process.exitCode = 3`, undefined, 3, true],
      ["its own code, as PID 1", `process.exitCode = 3`, undefined, 3, false],
      ["an uncaught signal of its own", `process.kill(process.pid, "SIGSEGV")`, undefined, 139, true],
      ["abort", `process.abort()`, undefined, 134, true],
      ["SIGTERM that it doesn't trap", WAIT, on("up", "SIGTERM"), 143, true],
      ["SIGINT that it doesn't trap", WAIT, on("up", "SIGINT"), 130, true],
      [
        "SIGTERM that it traps",
        `process.on("SIGTERM", () => process.exit(7)); ${WAIT}`,
        on("up", "SIGTERM"),
        7,
        true,
      ],
      [
        "SIGTERM that it traps as PID 1",
        `process.on("SIGTERM", () => process.exit(7)); ${WAIT}`,
        on("up", "SIGTERM"),
        7,
        false,
      ],
      [
        "SIGHUP that it traps",
        `process.on("SIGHUP", () => process.exit(8)); ${WAIT}`,
        on("up", "SIGHUP"),
        8,
        true,
      ],
      [
        "SIGUSR2 that it traps",
        `process.on("SIGUSR2", () => process.exit(9)); ${WAIT}`,
        on("up", "SIGUSR2"),
        9,
        true,
      ],
      ["SIGKILL", WAIT, on("up", "SIGKILL"), 137, true],
    ])("%s", async (_title, script, when, code, init) => {
      const test: Case = {
        image: node,
        run: { command: ["node", "-e", script] },
        init,
        ...(when ? { when } : {}),
      };
      expect((await rig.see("plain", test)).code).toBe(code);
      for (const way of WITH) expect({ way, code: (await rig.see(way, test)).code }).toEqual({ way, code });
    });

    it("with no zombies meanwhile: orphans are reaped", async () => {
      const script = `
        const { spawn, execFileSync } = require("node:child_process");
        const fs = require("node:fs");
        const orphan = "process.on('exit', () => {}); setTimeout(() => {}, 50)";
        const parent = "require('node:child_process').spawn('node', ['-e', " + JSON.stringify(orphan) + "], { detached: true, stdio: 'ignore' }).unref()";
        execFileSync("node", ["-e", parent]);
        const others = () => fs.readdirSync("/proc").filter((name) => /^\\d+$/.test(name) && ![1, process.pid].includes(Number(name)));
        const timer = setInterval(() => { if (others().length === 0) { clearInterval(timer); console.log("reaped"); } }, 20);
      `;
      await compare({ image: node, run: { command: ["node", "-e", script] } });
      expect((await rig.see("gate", { image: node, run: { command: ["node", "-e", script] } })).stdout).toBe(
        "reaped",
      );
    });

    it("with all of a long output", async () => {
      const script = `process.stdout.write("0123456789abcdef\\n".repeat(20000))`;
      const seen = await rig.see("gate and memory", {
        image: node,
        run: { command: ["node", "-e", script] },
      });
      expect(seen.stdout.length).toBe(17 * 20_000 - 1);
    });
  });

  describe("while it waits", () => {
    it.each(WITH)(
      "%s: nothing of the app runs, SIGTERM ends it at once, and so does our going away",
      async (way) => {
        const lines: string[] = [];
        const test: Case = { image: node, run: { command: ["node", "-e", "console.log('ran')"] } };
        const gate = await rig.gate(await rig.holder(), way, test, ({ line }) => void lines.push(line));
        await gate.start(new AbortController().signal);
        expect(((await gate.container.top()) as { Processes: string[][] }).Processes.length).toBe(1);
        await gate.container.kill({ signal: "SIGTERM" });
        await gate.output;
        expect(await gate.container.wait()).toMatchObject({ StatusCode: 143 });
        const other = await rig.gate(await rig.holder(), way, test, ({ line }) => void lines.push(line));
        await other.start(new AbortController().signal);
        const ended = other.container.wait();
        other.abandon();
        expect(await ended).toMatchObject({ StatusCode: 0 });
        expect(lines).toEqual([]);
      },
    );
  });
});

const noBusybox = missing || (await imagesMissing(docker, ["busybox:1"]));
describe.skipIf(noBusybox)("what needs rights, behind the gate", () => {
  let rig: GateRig;
  beforeAll(async () => void (rig = await GateRig.make(docker)));
  afterEach(() => rig.clear());
  afterAll(() => rig.close());

  it.each([
    ["mount -t tmpfs x /mnt"],
    ["umount /etc/hosts"],
    ["unshare -U true"],
    ["unshare -m true"],
    ["hostname other"],
    ["nsenter -t 1 -m true"],
    ["dmesg -n 1"],
    ["chroot / true"],
    ["mknod /tmp/null c 1 3"],
    ["chown 5 /tmp"],
    ["nice -n -5 true"],
  ])("%s does as without", async (command) => {
    for (const user of ["0", "1000"]) {
      const test: Case = {
        image: "busybox:1",
        run: { user, command: ["sh", "-c", `${command} 2>&1; echo $?`] },
      };
      const plain = await rig.see("plain", test);
      for (const way of WITH)
        expect({ way, user, ...(await rig.see(way, test)) }).toEqual({ way, user, ...plain });
    }
  });
});
