import { expect, it } from "vitest";
import { RequestStats } from "../../src/revision/request-stats.ts";

it("averages what is in flight over the time since the last sample, and counts what came", () => {
  const stats = new RequestStats(0);
  stats.arrive(250);
  stats.arrive(500);
  stats.leave(750);
  // 250 ms of one, 250 ms of two, 250 ms of one.
  expect(stats.sample(1_000)).toEqual({ concurrency: 1, requests: 2 });
  expect(stats.inFlight).toBe(1);
  stats.leave(1_500);
  expect(stats.sample(2_000)).toEqual({ concurrency: 0.5, requests: 0 });
  expect(stats.sample(3_000)).toEqual({ concurrency: 0, requests: 0 });
});

it("gives what is in flight where no time has passed", () => {
  const stats = new RequestStats(5);
  stats.arrive(5);
  stats.arrive(5);
  expect(stats.sample(5)).toEqual({ concurrency: 2, requests: 2 });
  expect(stats.sample(5)).toEqual({ concurrency: 2, requests: 0 });
});

it("knows when a request was last there", () => {
  const stats = new RequestStats(100);
  expect(stats.lastActive(900)).toBeUndefined();
  stats.arrive(1_000);
  expect(stats.lastActive(5_000)).toBe(5_000);
  stats.leave(6_000);
  expect(stats.lastActive(9_000)).toBe(6_000);
});
