/**
 * What the proxy costs: the same app, one process, called directly and through the CLI. The process engine, because load
 * goes to loopback only. Text output, thrown away: that is how people run it, and reading events here would take part.
 */
import { spawn } from "node:child_process";
import { call, freePort, poll } from "./calls.mjs";
import { bin, copyOfApp, environment } from "./emulator.mjs";
import { load, tool } from "./load.mjs";
import { canPin, cpuSeconds, end, pin } from "./process.mjs";
import { compare, summary } from "./stats.mjs";

export const title = "warm path";
export const aim = "p50 at most 0.5 ms over direct";

/** The CLI has a CPU of its own, the app and the load share one; and everything on one, where only code counts. */
const LAYOUTS = [
  { name: "two CPUs", cli: 0, rest: 1, connections: [1, 16, 64] },
  { name: "one CPU", cli: 0, rest: 0, connections: [1] },
];

export async function measure({ quick }) {
  if (process.platform !== "linux") return { skipped: "CPU time per request is read from /proc" };
  const app = copyOfApp();
  const port = await freePort();
  const flags = ["--engine", "process", "--port", String(port), "--strict-port", "--no-watch"];
  const child = spawn(process.execPath, [bin, "up", app.directory, ...flags], {
    stdio: "ignore",
    env: environment(),
  });
  try {
    const target = JSON.parse((await poll(port, { path: "/where" })).body);
    // The compiler has done its work on both sides before anything counts.
    for (const warmUp of [target.port, port]) await load(warmUp, { connections: 16, seconds: 3 });
    const rows = [];
    for (const layout of canPin ? LAYOUTS : LAYOUTS.slice(0, 1)) {
      pin(child.pid, layout.cli);
      pin(target.pid, layout.rest);
      for (const connections of layout.connections) {
        rows.push(await measureAt({ quick, layout, connections, cli: child.pid, port, direct: target.port }));
      }
    }
    return { tool, pinned: canPin, rows };
  } finally {
    await end(child, "SIGINT", 30_000);
    app.remove();
  }
}

async function measureAt({ quick, layout, connections, cli, port, direct }) {
  const options = { connections, seconds: quick ? 1 : 3, cpu: layout.rest };
  const through = [];
  const bare = [];
  const cpu = [];
  for (const target of [direct, port]) await load(target, { ...options, seconds: 1 });
  if (JSON.parse((await call(port, { path: "/where" })).body).port !== direct)
    throw new Error("the instance was replaced");
  for (let turn = 0; turn < (quick ? 1 : 3); turn += 1) {
    bare.push(await load(direct, options));
    const before = cpuSeconds(cli);
    const result = await load(port, options);
    through.push(result);
    cpu.push(((cpuSeconds(cli) - before) * 1e6) / result.requests);
  }
  const compared = (name, digits) =>
    compare(...[through, bare].map((results) => results.map((result) => result[name])), digits);
  return {
    layout: layout.name,
    connections,
    // Autocannon's own times are whole milliseconds: nothing to compare.
    ...(tool === "wrk" ? { p50Ms: compared("p50", 3), p99Ms: compared("p99", 3) } : {}),
    meanMs: compared("meanMs", 3),
    rps: compared("rps", 0),
    cpuMicrosecondsPerRequest: summary(cpu, 1),
  };
}
