import { expect, it } from "vitest";
import { WorkQueue } from "../../src/controller/work-queue.ts";
import { settle } from "../support/fake-clock.ts";

function queue() {
  const started: string[] = [];
  const errors: string[] = [];
  const running = new Map<string, () => void>();
  const work = new WorkQueue(
    (key) => {
      started.push(key);
      if (key.startsWith("bad")) throw new Error("no");
      return new Promise<void>((resolve) => void running.set(key, resolve));
    },
    (key, error) => errors.push(`${key}: ${String(error)}`),
  );
  const finish = async (key: string): Promise<void> => {
    running.get(key)?.();
    await settle();
  };
  return { work, started, errors, finish };
}

it("runs a key once more, and only once, for all that was added while it ran", async () => {
  const { work, started, finish } = queue();
  work.add("a");
  await settle();
  work.add("a");
  work.add("a");
  work.add("a");
  await settle();
  expect(started).toEqual(["a"]);
  await finish("a");
  expect(started).toEqual(["a", "a"]);
  await finish("a");
  expect(started).toEqual(["a", "a"]);
});

it("runs keys side by side, and none before its caller has gone on", async () => {
  const { work, started } = queue();
  work.add("a");
  work.add("b");
  expect(started).toEqual([]);
  await settle();
  expect(started).toEqual(["a", "b"]);
});

it("reports a failure and takes the key again", async () => {
  const { work, started, errors } = queue();
  work.add("bad");
  await settle();
  expect(errors).toEqual(["bad: Error: no"]);
  work.add("bad");
  await settle();
  expect(started).toEqual(["bad", "bad"]);
});

it("closes when what runs has ended, and starts nothing more", async () => {
  const { work, started, finish } = queue();
  work.add("a");
  await settle();
  work.add("a");
  let closed = false;
  const closing = work.close().then(() => (closed = true));
  work.add("b");
  await settle();
  expect(closed).toBe(false);
  await finish("a");
  await closing;
  expect(started).toEqual(["a"]);
});
