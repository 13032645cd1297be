import { describe, expect, it } from "vitest";
import { ESC } from "../../src/report/safe-text.ts";
import { build, created, log, open, ready, revisionReady, started, URL } from "./rig.ts";
import { Screen, Sink } from "./screen.ts";

describe("on a terminal", () => {
  it("shows what is under way at the bottom, and lines of the app above it, whole", async () => {
    const screen = new Screen();
    const rig = open({}, screen);
    rig.say(build("start", "/app"));
    await rig.look();
    for (let at = 1; at <= 5; at += 1) {
      rig.say(
        build("step", `[${at}/5] RUN step ${at}`),
        build("output", `output ${at}`),
        log(`app line ${at}`),
      );
      await rig.look();
    }
    const lines = screen.lines;
    expect(lines.slice(0, 5)).toEqual([1, 2, 3, 4, 5].map((at) => `hello-00001-x8k2p │ app line ${at}`));
    expect(lines[5]).toMatch(/^\S hello {2}building {2}\d+ ms {2}\[5\/5\] RUN step 5$/);
    expect(lines.slice(6)).toEqual(["    output 5"]);
    expect(screen.cursorVisible).toBe(false);
    rig.say(build("done"));
    expect(screen.lines.slice(5)).toEqual(["hello             ✔ built in 600 ms"]);
    expect(screen.cursorVisible).toBe(true);
    expect(rig.clock.pending).toBe(0);
  });

  it("adds up the layers of a pull", async () => {
    const rig = open({}, new Screen(100));
    rig.say(build("start", "redis:7", { phase: "pull" }));
    rig.say(build("transfer", "layer", { phase: "pull", id: "a", current: 10_000_000, total: 10_000_000 }));
    rig.say(build("transfer", "layer", { phase: "pull", id: "b", current: 0, total: 30_000_000 }));
    const [line] = await rig.look();
    expect(line).toContain("━━━━────────────  25 %  10.0 MB / 40.0 MB".replace("─  25", "─ 25"));
    rig.say(build("transfer", "layer", { phase: "pull", id: "c", current: 5, total: 0 }));
    expect((await rig.look())[0]).toContain("  10.0 MB  redis:7");
  });

  it("never lets a line of the block wrap, and clears what a narrower terminal has wrapped", async () => {
    const screen = new Screen(60);
    const rig = open({}, screen);
    rig.say(log("above"), build("start", "x".repeat(200)), build("output", "y".repeat(200)));
    expect((await rig.look()).map((line) => line.length)).toEqual([25, 59, 59]);
    screen.resize(20);
    expect(screen.lines.length).toBeGreaterThan(6);
    rig.say(log("more"));
    expect((await rig.look()).map((line) => line.slice(0, 8))).toEqual([
      "hello-00",
      "above",
      "hello-00",
      "more",
      expect.stringMatching(/^\S hello/),
      "    yyyy",
    ]);
    rig.say(build("done"));
    expect(screen.lines.at(-1)).toBe("built in 200 ms");
    expect(screen.lines.join("")).not.toContain("yyyy");
    expect(screen.cursorVisible).toBe(true);
  });

  it("prints the URL in a block of its own, the hint once, and breaks its own long lines between words", async () => {
    const screen = new Screen(60);
    const rig = open({ hint: "Ctrl-C stops" }, screen);
    rig.say(started, created);
    expect((await rig.look()).at(-1)).toMatch(/^\S hello-00001 {2}starting {2}/);
    rig.say(revisionReady, ready(), ready("hello-00002"));
    rig.say({
      type: "notice",
      message: "port 8080 is taken by node (pid 4711), so this session listens on 8081",
    });
    expect(await rig.look()).toEqual([
      "kserve-local ▸ listening on http://localhost:8080, profile",
      "               gke",
      "hello-00001  ▸ created: first deployment",
      "hello-00001  ✔ ready in 100 ms",
      "",
      `  ✔ hello  ${URL}`,
      "           hello-00001 · ready after 100 ms",
      "",
      "    Ctrl-C stops",
      "",
      `hello        ✔ ${URL}  now`,
      "               serves hello-00002",
      "kserve-local ▸ port 8080 is taken by node (pid 4711), so",
      "               this session listens on 8081",
    ]);
  });

  it("keeps stdout plain where only stderr is the terminal", async () => {
    const screen = new Screen();
    const stdout = new Sink();
    const rig = open({ stdout, hint: "Ctrl-C stops" }, screen);
    rig.say(started, build("start", "/app"));
    await rig.look();
    rig.say(build("done"), ready(), log(`${ESC}[31mred`));
    expect(stdout.lines).toEqual([
      `hello        ✔ ${URL}  ready, serves hello-00001  after 100 ms`,
      "hello-00001-x8k2p │ red",
    ]);
    expect(screen.lines).toEqual([
      "kserve-local ▸ listening on http://localhost:8080, profile gke",
      "hello        ✔ built in 100 ms",
    ]);
  });

  it("gives the cursor back however it ends", async () => {
    const screen = new Screen();
    let restore: () => void = () => undefined;
    let registered = 0;
    const atExit = (run: () => void): (() => void) => {
      restore = run;
      registered += 1;
      return () => (registered -= 1);
    };
    const rig = open({ atExit }, screen);
    rig.say(build("start", "/app"));
    await rig.look();
    expect(screen.cursorVisible).toBe(false);
    restore();
    expect(screen.cursorVisible).toBe(true);
    expect(screen.lines).toEqual([]);
    rig.reporter.close();
    expect(registered).toBe(0);
    expect(rig.clock.pending).toBe(0);
  });

  it("lets the app's colours through and nothing that moves the cursor", () => {
    const screen = new Screen();
    const rig = open({}, screen);
    // The screen throws on controls that it does not know.
    rig.say(log(`${ESC}[31mred${ESC}[0m ${ESC}[5;1H${ESC}]0;title\x07 and\x1b[2K text`));
    expect(screen.written).toContain(`${ESC}[31mred`);
    expect(screen.lines).toEqual(["hello-00001-x8k2p │ red  and text"]);
  });

  it("leaves the summary as the last line", async () => {
    const screen = new Screen();
    const rig = open({}, screen);
    rig.say(started, build("start", "/app"));
    await rig.look();
    rig.say({ type: "session.stopping", reason: "Ctrl-C" });
    rig.reporter.close();
    expect(screen.lines.slice(1)).toEqual([
      "kserve-local ▸ stopping: Ctrl-C",
      "kserve-local ▸ stopped after 100 ms: 0 requests, 0 revisions, 0 instances",
    ]);
  });
});
