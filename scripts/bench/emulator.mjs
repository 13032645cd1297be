/** The CLI as a child process: started as a user starts it, read through its events, ended by Ctrl-C's signal. */
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { end, pinned } from "./process.mjs";

const here = dirname(fileURLToPath(import.meta.url));

/** Another build of the CLI can be measured by naming its bin file in KSERVE_LOCAL_BIN. */
export const bin = process.env.KSERVE_LOCAL_BIN ?? join(here, "..", "..", "bin", "kserve-local.js");

/** A copy of the app's folder that may be edited; `remove` takes it away. */
export function copyOfApp() {
  const directory = mkdtempSync(join(tmpdir(), "kserve-local-bench-"));
  cpSync(join(here, "app"), directory, { recursive: true });
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

/** What changes the start of every Node program, and is this machine's business; flags of ours given as variables. */
const LEFT_OUT = /^(?:KSERVE_LOCAL_.*|NODE_OPTIONS|NODE_EXTRA_CA_CERTS|NODE_V8_COVERAGE)$/;

/** The environment of every Node program that is measured, ours and the baselines'. */
export function environment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !LEFT_OUT.test(name)));
}

/** Events as they come, with the time at which they were read in `at` (ms, monotonic). */
export class Emulator {
  #child;
  #waiters = new Set();
  #stderr = "";
  events = [];

  constructor(directory, flags, { cpu, nodeFlags = [] } = {}) {
    const argv = [
      process.execPath,
      ...nodeFlags,
      bin,
      "up",
      directory,
      "--port",
      "0",
      "--output",
      "json",
      ...flags,
    ];
    const [command, ...args] = pinned(cpu, argv);
    this.#child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env: environment() });
    this.#child.stderr.setEncoding("utf8").on("data", (text) => {
      this.#stderr = (this.#stderr + text).slice(-4_000);
    });
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.#read(line));
    this.#child.on("close", (code) => {
      for (const waiter of this.#waiters) waiter.fail(`the CLI ended (exit code ${code}) ${this.#story()}`);
    });
  }

  get pid() {
    return this.#child.pid;
  }

  /** Resolves to the first event from now on (or from index `from` on) that `accept` takes. */
  event(what, accept, { from = this.events.length, timeoutMs = 120_000 } = {}) {
    const known = this.events.slice(from).find(accept);
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve, reject) => {
      const settle = (run) => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        run();
      };
      const waiter = {
        see: (event) => accept(event) && settle(() => resolve(event)),
        fail: (why) => settle(() => reject(new Error(`waited for ${what}: ${why}`))),
      };
      const timer = setTimeout(
        () => waiter.fail(`not within ${timeoutMs / 1000} s ${this.#story()}`),
        timeoutMs,
      );
      this.#waiters.add(waiter);
    });
  }

  /** The port, once the service answers. */
  async ready() {
    const { port } = await this.event("the listener", ({ type }) => type === "session.started", { from: 0 });
    await this.event("the service", ({ type }) => type === "service.ready", { from: 0 });
    return port;
  }

  /** Resolves when no instance is left. `from`: an index into `events` at which there was one, or is about to be. */
  async atZero(from) {
    await this.event("zero instances", () => this.#alive(from) === 0, { from });
  }

  #alive(from) {
    const seen = new Map();
    for (const { type, instance, to } of this.events.slice(from))
      if (type === "instance.state") seen.set(instance, to);
    // None seen yet is not none left.
    return seen.size === 0 ? -1 : [...seen.values()].filter((state) => state !== "gone").length;
  }

  stop() {
    return end(this.#child, "SIGINT", 30_000);
  }

  #read(line) {
    const at = performance.now();
    const event = { at, ...JSON.parse(line) };
    this.events.push(event);
    for (const waiter of this.#waiters) waiter.see(event);
  }

  #story() {
    const problems = this.events.filter(({ type }) => type === "problem" || type.endsWith(".failed"));
    const last = problems.at(-1) ?? this.events.at(-1);
    return `\nlast words: ${JSON.stringify(last)}\n${this.#stderr}`;
  }
}
