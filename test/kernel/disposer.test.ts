import { expect, it } from "vitest";
import { Disposer } from "../../src/kernel/disposer.ts";
import { settle } from "../support/fake-clock.ts";

it("runs its steps last in, first out, one after the other", async () => {
  const disposer = new Disposer();
  const log: string[] = [];
  let unblock = (): void => undefined;
  disposer.defer(() => void log.push("first acquired"));
  disposer.defer(async () => {
    log.push("last acquired");
    await new Promise<void>((resolve) => {
      unblock = resolve;
    });
    log.push("it is done");
  });
  const disposed = disposer.dispose();
  await settle();
  expect(log).toEqual(["last acquired"]);
  unblock();
  await disposed;
  expect(log).toEqual(["last acquired", "it is done", "first acquired"]);
});

it("runs every step though one fails, and throws what went wrong", async () => {
  const disposer = new Disposer();
  const log: string[] = [];
  disposer.defer(() => void log.push("ran"));
  disposer.defer(() => {
    throw new Error("one");
  });
  await expect(disposer.dispose()).rejects.toThrow("one");
  expect(log).toEqual(["ran"]);

  const unlucky = new Disposer();
  unlucky.defer(() => Promise.reject(new Error("a")));
  unlucky.defer(() => Promise.reject(new Error("b")));
  await expect(unlucky.dispose()).rejects.toMatchObject({
    message: "2 cleanup steps failed",
    errors: [new Error("b"), new Error("a")],
  });
});

it("runs once for all who ask", async () => {
  const disposer = new Disposer();
  let runs = 0;
  disposer.defer(() => void (runs += 1));
  await Promise.all([disposer.dispose(), disposer.dispose()]);
  await disposer.dispose();
  expect(runs).toBe(1);
});

it("leaks nothing that is acquired while it disposes, or after", async () => {
  const disposer = new Disposer();
  const log: string[] = [];
  let unblock = (): void => undefined;
  disposer.defer(
    () =>
      new Promise<void>((resolve) => {
        unblock = resolve;
      }),
  );
  const disposed = disposer.dispose();
  disposer.defer(() => void log.push("during"));
  await settle();
  expect(log).toEqual(["during"]);
  unblock();
  await disposed;
  disposer.defer(() => void log.push("after"));
  await disposer.dispose();
  expect(log).toEqual(["during", "after"]);
});
