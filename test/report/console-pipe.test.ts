import { describe, expect, it } from "vitest";
import { ESC } from "../../src/report/safe-text.ts";
import type { PlatformEventBody } from "../../src/resources/events.ts";
import { build, created, log, open, ready, request, revisionReady, started, state, URL } from "./rig.ts";
import { Screen } from "./screen.ts";

const ANY_CONTROL = /[^\P{Cc}\n\t]/u;

describe("in a pipe", () => {
  it("sends the app's lines and the URL to stdout and all else to stderr, without any control", async () => {
    const { say, clock, stdout, stderr, reporter } = open({ hint: "Ctrl-C stops" });
    say(started, build("start", "/app"), build("step", "[1/2] FROM scratch"), build("output", `x${ESC}[2K`));
    await clock.advance(2000);
    say(build("done"), created, state("pending", "starting"), log(`${ESC}[32mlistening${ESC}[0m`));
    await clock.advance(300);
    say(state("starting", "ready"), revisionReady, ready(), request({}));
    reporter.close();
    expect(stdout.lines).toEqual([
      "hello-00001-x8k2p │ listening",
      `hello             ✔ ${URL}  ready, serves hello-00001  after 2.3 s`,
    ]);
    expect(stderr.lines).toEqual([
      "kserve-local ▸ listening on http://localhost:8080, profile gke",
      "hello        ▸ build: /app",
      "hello        ▸ [1/2] FROM scratch",
      "hello        ▸   x",
      "hello        ✔ built in 2.0 s",
      "hello-00001  ▸ created: first deployment",
      "hello-00001       ✔ ready in 300 ms",
      "hello-00001-x8k2p ▸ GET /  200  12 ms",
      "kserve-local      ▸ stopped after 2.3 s: 1 request, 1 revision, 1 instance",
    ]);
    expect(stdout.text + stderr.text).not.toMatch(ANY_CONTROL);
    expect(clock.pending).toBe(0);
  });

  it("tells a failure once, and what keeps serving in spite of it", () => {
    const { say, stderr } = open();
    say(started, ready());
    const before = stderr.lines.length;
    const [revision, service, namespace] = ["hello-00002", "hello", "default"];
    say(
      {
        type: "problem",
        severity: "error",
        code: "start-failed",
        message: "x exited with code 3",
        why: "no database",
      },
      {
        type: "revision.failed",
        revision,
        service,
        namespace,
        reason: "ContainerUnhealthy",
        message: "x exited with code 3",
      },
      {
        type: "service.failed",
        service,
        namespace,
        reason: "RevisionFailed",
        message: `Revision "${revision}" failed with message: x exited with code 3`,
      },
    );
    expect(stderr.lines.slice(before)).toEqual([
      "✘ error  x exited with code 3  [start-failed]",
      "  why  no database",
      "hello        ✘ not ready; hello-00001 keeps serving",
    ]);
  });

  it("has colours but nothing live with FORCE_COLOR, and neither on a terminal in CI", async () => {
    const forced = open({ env: { FORCE_COLOR: "1" } });
    forced.say(log("x", { stream: "stderr" }), build("start", "/app"));
    expect(forced.stdout.text).toContain(`${ESC}[33m│`);
    expect(forced.clock.pending).toBe(0);
    const screen = new Screen();
    const ci = open({ env: { CI: "true" } }, screen);
    ci.say(build("start", "/app"), log(`${ESC}[31mred`));
    expect(screen.written).toBe("hello ▸ build: /app\nhello-00001-x8k2p │ red\n");
  });

  it.each([
    [request({ coldStart: true, queuedMs: 412, durationMs: 430 }), "GET /  200  430 ms  cold start 412 ms"],
    [request({ queuedMs: 80 }), "GET /  200  12 ms  queued 80 ms"],
    [request({ status: 499, method: "POST" }), "POST /  499  12 ms  the client went away"],
    [
      request({ status: 504, reason: "timeout", detail: "no answer within 5 s (timeoutSeconds)" }),
      "GET /  504  12 ms  timeout: no answer within 5 s (timeoutSeconds)",
    ],
    [request({ path: `/${ESC}[2J\x9b2Jx` }), "GET /x  200  12 ms"],
    [request({ path: `/${"a".repeat(200)}` }), `GET /${"a".repeat(48)}…${"a".repeat(49)}  200  12 ms`],
  ])("describes a request in one line: %#", (event, text) => {
    const { say, stderr } = open();
    say(event);
    expect(stderr.lines).toEqual([`hello-00001-x8k2p ▸ ${text}`]);
  });

  it("names the host where no route matched, and can leave requests out", () => {
    const { type, method, path, status, durationMs, queuedMs, coldStart } = request({
      status: 404,
    }) as Extract<PlatformEventBody, { type: "request.completed" }>;
    const lost = {
      type,
      method,
      path,
      status,
      durationMs,
      queuedMs,
      coldStart,
      host: "nowhere.localhost",
      reason: "no-route",
    };
    const { say, stderr } = open();
    say(lost);
    expect(stderr.lines).toEqual(["nowhere.localhost ▸ GET /  404  12 ms  no-route"]);
    const quiet = open({ requests: false });
    quiet.say(lost);
    expect(quiet.stderr.text).toBe("");
  });

  it("reads structured logs, unless raw", () => {
    const line = JSON.stringify({ severity: "ERROR", message: `boom${ESC}[2J\n  at x`, user: "anna" });
    const { say, stdout } = open();
    say(log(line));
    expect(stdout.lines).toEqual(["hello-00001-x8k2p │ ERROR boom", "hello-00001-x8k2p │   at x  user=anna"]);
    const raw = open({ raw: true });
    raw.say(log(line));
    expect(raw.stdout.lines).toEqual([`hello-00001-x8k2p │ ${line}`]);
  });

  it("tells containers of one revision apart once there are two", () => {
    const { say, stdout } = open();
    say(log("a"), log("b", { container: "sidecar" }), log("c"));
    expect(stdout.lines.map((line) => line.replace(/ +│/, " │"))).toEqual([
      "hello-00001-x8k2p │ a",
      "hello-00001-x8k2p/sidecar │ b",
      "hello-00001-x8k2p/user-container │ c",
    ]);
  });

  it("tells of an instance what matters, each thing once", async () => {
    const { say, clock, stderr } = open();
    say({
      type: "revision.scaled",
      revision: "hello-00001",
      desired: 1,
      actual: 0,
      reason: "a request waits",
    });
    say(state("pending", "starting", "a request waits"));
    await clock.advance(250);
    say(state("starting", "ready"), state("ready", "unready", "probe failed"), state("unready", "ready"));
    say({
      type: "revision.scaled",
      revision: "hello-00001",
      desired: 0,
      actual: 1,
      reason: "no requests for 60 s",
    });
    say(
      state("ready", "draining", "scaled down"),
      state("draining", "terminating", "SIGTERM"),
      state("draining", "gone"),
    );
    say(state("pending", "starting"), state("starting", "failed", "exited 1"));
    expect(stderr.lines.map((line) => line.replace(/^(\S+) +/, "$1 "))).toEqual([
      "hello-00001 ▸ 0 → 1 instance: a request waits",
      "hello-00001-x8k2p ▸ starting: a request waits",
      "hello-00001-x8k2p ✔ ready after 250 ms",
      "hello-00001-x8k2p ▲ not ready any more: probe failed",
      "hello-00001-x8k2p ✔ ready again",
      "hello-00001 ▸ 1 → 0 instances: no requests for 60 s",
      "hello-00001-x8k2p ▸ stopping: scaled down",
      "hello-00001-x8k2p ▸ starting",
      "hello-00001-x8k2p ✘ failed: exited 1",
    ]);
  });

  it("tells the first start of a revision as one story, and the starts after it one by one", () => {
    const { say, stderr } = open();
    const scaled = {
      type: "revision.scaled",
      revision: "hello-00001",
      desired: 1,
      actual: 0,
      reason: "initial-scale",
    } as const;
    const start = [state("pending", "starting", "first"), state("starting", "ready")];
    say(created, scaled, ...start, revisionReady);
    expect(stderr.lines).toEqual(["hello-00001 ▸ created: first deployment", "hello-00001 ✔ ready in <1 ms"]);
    say({ ...scaled, desired: 2, actual: 1 }, state("pending", "starting", "second"));
    expect(stderr.lines.slice(2)).toEqual([
      "hello-00001 ▸ 1 → 2 instances: initial-scale",
      "hello-00001-x8k2p ▸ starting: second",
    ]);
  });

  it("says what changed and how long a new revision took from the change on", async () => {
    const { say, clock, stdout, stderr } = open();
    say(started, created, revisionReady, ready());
    await clock.advance(60_000);
    say({
      type: "watch.change",
      files: ["/app/a.js", "/app/b.js", "/x/c.js", "/app/d.js"],
      decision: "rebuilding hello",
    });
    say(build("start", "/app"));
    await clock.advance(1500);
    say(
      build("done"),
      { ...created, revision: "hello-00002" },
      { ...revisionReady, revision: "hello-00002" },
      ready("hello-00002"),
    );
    expect(stderr.lines).toContain("kserve-local ▸ a.js, b.js, /x/c.js and 1 more changed: rebuilding hello");
    expect(stdout.lines.at(-1)).toBe(`hello        ✔ ${URL}  now serves hello-00002  1.5 s after the change`);
  });

  it("counts what happened in its last line, once", async () => {
    const { say, clock, stderr, reporter } = open();
    say(
      started,
      request({ status: 500 }),
      request({ coldStart: true }),
      request({ status: 504, reason: "timeout" }),
    );
    await clock.advance(192_000);
    say({ type: "session.stopping", reason: "Ctrl-C" });
    reporter.close();
    reporter.close();
    expect(stderr.lines.slice(-2)).toEqual([
      "kserve-local      ▸ stopping: Ctrl-C",
      "kserve-local      ▸ stopped after 3 min 12 s: 3 requests (1 cold start, 1 failed in the app, 1 cut or answered by the platform), 0 revisions, 0 instances",
    ]);
  });

  it("stops writing when the reader of stdout has gone, and tells the caller", () => {
    const closed: unknown[] = [];
    const { say, stdout, stderr } = open({ onClosed: (error) => closed.push(error.code) });
    stdout.emit("error", Object.assign(new Error("EPIPE"), { code: "EPIPE" }));
    say(log("x"), { type: "notice", message: "still here" });
    expect(closed).toEqual(["EPIPE"]);
    expect(stdout.text).toBe("");
    expect(stderr.lines).toEqual(["kserve-local      ▸ still here"]);
  });
});
