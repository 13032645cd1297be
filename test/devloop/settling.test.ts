import { expect, it } from "vitest";
import { Settling } from "../../src/devloop/settling.ts";
import { FakeClock } from "../support/fake-clock.ts";

function setUp() {
  const clock = new FakeClock();
  const files = new Map<string, string>();
  const batches: Array<Record<string, string[]>> = [];
  const settling = new Settling<string>({
    clock,
    debounceMs: 150,
    longestMs: 1000,
    fingerprint: (path) => Promise.resolve(files.get(path) ?? "absent"),
    onBatch: (batch) =>
      batches.push(Object.fromEntries([...batch].map(([path, keys]) => [path, [...keys].sort()]))),
  });
  return { clock, files, batches, settling };
}

it("sends one batch a debounce after the last change, each file with what it was seen for", async () => {
  const { clock, batches, settling } = setUp();
  settling.changed("/a", "one");
  await clock.advance(100);
  settling.changed("/b", "one");
  settling.changed("/a", "two");
  await clock.advance(149);
  expect(batches).toEqual([]);
  await clock.advance(1);
  expect(batches).toEqual([{ "/a": ["one", "two"], "/b": ["one"] }]);
  expect(clock.pending).toBe(0);
});

it("waits on while a file changes without an event", async () => {
  const { clock, files, batches, settling } = setUp();
  settling.changed("/a", "one");
  await clock.advance(100);
  files.set("/a", "longer");
  await clock.advance(100);
  expect(batches).toEqual([]);
  await clock.advance(50);
  expect(batches).toHaveLength(1);
});

it("does not wait for ever for a file that never comes to rest", async () => {
  const { clock, files, batches, settling } = setUp();
  for (let at = 0; at < 1000; at += 10) {
    files.set("/app.log", String(at));
    settling.changed("/app.log", "one");
    await clock.advance(10);
  }
  expect(batches).toHaveLength(1);
});

it("begins anew after a batch and stays silent once closed", async () => {
  const { clock, batches, settling } = setUp();
  settling.changed("/a", "one");
  await clock.advance(150);
  settling.changed("/a", "one");
  await clock.advance(150);
  expect(batches).toHaveLength(2);
  settling.changed("/a", "one");
  settling.close();
  settling.changed("/a", "one");
  await clock.advance(5000);
  expect(batches).toHaveLength(2);
  expect(clock.pending).toBe(0);
});
