import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type CommandOptions, runCommand } from "../../src/app/run-command.ts";

const never = new AbortController().signal;

function node(program: string, options: Partial<CommandOptions> = {}): Promise<number> {
  return runCommand({
    command: [process.execPath, "-e", program],
    cwd: tmpdir(),
    env: process.env,
    stdout: "inherit",
    signal: never,
    hurry: never,
    ...options,
  });
}

describe("the command of `test`", () => {
  test("its exit code is passed on, a signal as 128 + its number", async () => {
    expect(await node("process.exit(3)")).toBe(3);
    expect(await node("process.kill(process.pid, 'SIGKILL')")).toBe(137);
  });

  test("it is not started for a user who has asked to stop already", async () => {
    const stop = new AbortController();
    stop.abort(new Error("Ctrl-C"));
    await expect(node("", { signal: stop.signal })).rejects.toThrow("Ctrl-C");
  });

  test("a command that ignores SIGTERM ends when the user asks again", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "kserve-local-command-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const [stop, hurry] = [new AbortController(), new AbortController()];
    const asked = path.join(folder, "asked");
    const running = node(
      `process.on("SIGTERM", () => require("fs").writeFileSync(${JSON.stringify(asked)}, ""));
       require("fs").writeFileSync(${JSON.stringify(path.join(folder, "up"))}, ""); setInterval(() => {}, 1000);`,
      { signal: stop.signal, hurry: hurry.signal },
    );
    const ended = expect(running).rejects.toThrow("Ctrl-C");
    await appears(path.join(folder, "up"));
    stop.abort(new Error("Ctrl-C"));
    await appears(asked);
    hurry.abort(new Error("Ctrl-C"));
    await ended;
  });
});

async function appears(file: string): Promise<void> {
  while (!(await stat(file).catch(() => undefined))) await new Promise((resolve) => setImmediate(resolve));
}
