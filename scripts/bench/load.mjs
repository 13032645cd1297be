/** Bounded load on one loopback port: wrk where it is installed, else autocannon (slower, and coarser in its times). */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { output, pinned } from "./process.mjs";

export const tool =
  spawnSync("wrk", ["--version"], { stdio: "ignore" }).error === undefined ? "wrk" : "autocannon";

/** Resolves to `{ requests, rps, meanMs }`, with wrk `p50` and `p99` in ms, too. Rejects when any request failed: that is no measurement. */
export async function load(port, { connections, seconds, cpu }) {
  const url = `http://127.0.0.1:${port}/`;
  const argv = tool === "wrk" ? wrk(url, connections, seconds) : autocannon(url, connections, seconds);
  const text = await output(pinned(cpu, argv), { timeoutMs: (seconds + 20) * 1000 });
  const result = tool === "wrk" ? readWrk(text) : readAutocannon(text);
  if (result.failed > 0) throw new Error(`${result.failed} of ${result.requests} requests failed at ${url}`);
  // A connection always has one request under way, so this needs no clock of the tool's own.
  return { ...result, meanMs: (connections * 1000) / result.rps };
}

function wrk(url, connections, seconds) {
  return ["wrk", "-t1", `-c${connections}`, `-d${seconds}s`, "--latency", url];
}

function readWrk(text) {
  const number = (pattern) => Number(pattern.exec(text)?.[1] ?? 0);
  const share = (percent) =>
    milliseconds(new RegExp(`^\\s+${percent}%\\s+(\\S+)$`, "m").exec(text)?.[1] ?? "");
  const sockets =
    /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text)?.slice(1) ?? [];
  return {
    requests: number(/(\d+) requests in/),
    rps: number(/Requests\/sec:\s+(\S+)/),
    p50: share(50),
    p99: share(99),
    failed:
      number(/Non-2xx or 3xx responses: (\d+)/) + sockets.reduce((sum, count) => sum + Number(count), 0),
  };
}

function milliseconds(text) {
  const [, figure, unit] = /^([\d.]+)(us|ms|s)$/.exec(text) ?? [];
  return Number(figure) * { us: 0.001, ms: 1, s: 1000 }[unit ?? "ms"];
}

function autocannon(url, connections, seconds) {
  // Its main file is its program, too.
  const program = fileURLToPath(import.meta.resolve("autocannon"));
  return [process.execPath, program, "--json", "-c", String(connections), "-d", String(seconds), url];
}

function readAutocannon(text) {
  const { requests, errors, timeouts, non2xx } = JSON.parse(text);
  return {
    requests: requests.total,
    rps: requests.average,
    failed: errors + timeouts + non2xx,
  };
}
