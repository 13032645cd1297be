import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startOf } from "../../../src/engine/process/process-identity.ts";
import { defaultStateDirectory, ProcessRecords } from "../../../src/engine/process/process-records.ts";

let directory: string;
let sleeper: ChildProcess;
let pid: number;

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), "records-")), "state");
  sleeper = spawn("sleep", ["60"], { detached: true, stdio: "ignore" });
  pid = sleeper.pid ?? 0;
});
afterEach(async () => {
  sleeper.kill("SIGKILL");
  await rm(join(directory, ".."), { recursive: true, force: true });
});

const dead = { pid: 2 ** 22 + 1, start: "of another time" };

async function record(parts: object, name = "other-1.process.json"): Promise<ProcessRecords> {
  const records = new ProcessRecords({ directory, session: "test" });
  await records.open();
  await writeFile(join(directory, name), JSON.stringify(parts));
  return records;
}

describe("sweep", () => {
  it("ends the group of an owner that is gone, and forgets it", async () => {
    const records = await record({ pid, start: await startOf(pid), owner: dead, session: "s", name: "n" });
    const ended = once(sleeper, "exit");
    expect(await records.sweep()).toBe(1);
    expect(await ended).toEqual([null, "SIGKILL"]);
    expect(await readdir(directory)).toEqual([]);
    expect(await records.sweep()).toBe(0);
  });

  it("spares a process that only has the same pid", async () => {
    const records = await record({ pid, start: "long ago", owner: dead, session: "s", name: "n" });
    expect(await records.sweep()).toBe(0);
    expect(await startOf(pid)).toBeDefined();
    expect(await readdir(directory)).toEqual([]);
  });

  it("takes an owner whose pid is used again for gone", async () => {
    const owner = { pid: process.pid, start: "long ago" };
    const records = await record({ pid, start: await startOf(pid), owner, session: "s", name: "n" });
    expect(await records.sweep()).toBe(1);
  });

  it("leaves alone what a living owner has", async () => {
    const records = new ProcessRecords({ directory, session: "test" });
    await records.add(pid, "hello-00001-x");
    const [file] = await readdir(directory);
    expect(JSON.parse(await readFile(join(directory, file ?? ""), "utf8"))).toMatchObject({
      pid,
      session: "test",
      name: "hello-00001-x",
      owner: { pid: process.pid },
    });
    expect(await records.sweep()).toBe(0);
    expect(await readdir(directory)).toHaveLength(1);
    await records.remove(pid);
    expect(await readdir(directory)).toEqual([]);
  });

  it.each([
    ["no JSON", "{"],
    ["every process", JSON.stringify({ pid: -1, start: "x", owner: dead, session: "s", name: "n" })],
    ["our own group", JSON.stringify({ pid: 0, start: "x", owner: dead, session: "s", name: "n" })],
  ])("throws away a record that says %s", async (_title, text) => {
    const records = await record({});
    await writeFile(join(directory, "other-1.process.json"), text);
    expect(await records.sweep()).toBe(0);
    expect(await readdir(directory)).toEqual([]);
  });
});

it("files of others in the same directory stay", async () => {
  const records = await record({}, "session.json");
  expect(await records.sweep()).toBe(0);
  expect(await readdir(directory)).toEqual(["session.json"]);
});

it("the directory is for its user alone", async () => {
  await new ProcessRecords({ directory, session: "test" }).open();
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
});

it("the default directory is the user's", () => {
  expect(defaultStateDirectory({ XDG_RUNTIME_DIR: "/run/user/1" })).toBe("/run/user/1/kserve-local");
  expect(defaultStateDirectory({})).toMatch(/kserve-local-\d+$/);
});

it("startOf tells processes apart, and knows none that has ended", async () => {
  expect(await startOf(pid)).toBe(await startOf(pid));
  expect(await startOf(process.pid)).not.toBe(await startOf(pid));
  sleeper.kill("SIGKILL");
  await once(sleeper, "exit");
  expect(await startOf(pid)).toBeUndefined();
});
