import { expect, it } from "vitest";
import { EventBus } from "../../src/kernel/event-bus.ts";
import { createJsonReporter, jsonLine } from "../../src/report/json.ts";
import type { PlatformEvent } from "../../src/resources/events.ts";
import { Sink } from "./screen.ts";

const LOG: PlatformEvent = {
  revision: "hello-00001",
  instance: "hello-00001-deployment-a-b",
  container: "user-container",
  stream: "stdout",
  line: 'a "quoted"\u001b[31m\nline \ud800',
  type: "log",
  time: Date.UTC(2026, 10, 22, 10, 0, 0, 7),
};

it("puts time and type first, time as RFC 3339 with milliseconds, the rest as it is", () => {
  const line = jsonLine(LOG);
  expect(line.startsWith('{"time":"2026-11-22T10:00:00.007Z","type":"log",')).toBe(true);
  expect(line).not.toContain("\n");
  expect(line).not.toContain("\u001b");
  const { time, ...rest } = JSON.parse(line) as Record<string, unknown>;
  expect({ ...rest, time: Date.parse(time as string) }).toEqual(LOG);
});

it("writes each event in one piece", () => {
  const sink = new Sink();
  const bus = new EventBus<PlatformEvent>();
  bus.subscribe(createJsonReporter({ stdout: sink }).listener);
  for (let at = 0; at < 3; at += 1) bus.emit({ type: "notice", message: String(at), time: at });
  expect(sink.writes).toBe(3);
  expect(sink.lines.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual([
    "0",
    "1",
    "2",
  ]);
});

it("stops quietly when the reader has gone, and says so once", () => {
  const sink = new Sink();
  const closed: unknown[] = [];
  const reporter = createJsonReporter({ stdout: sink, onClosed: (error) => closed.push(error.code) });
  const broken = Object.assign(new Error("write EPIPE"), { code: "EPIPE" });
  sink.emit("error", broken);
  sink.emit("error", broken);
  reporter.listener(LOG);
  reporter.close();
  sink.emit("error", broken);
  expect(sink.writes).toBe(0);
  expect(closed).toEqual(["EPIPE"]);
});

it("survives a write that throws, and writes nothing after close", () => {
  const closed: unknown[] = [];
  const throwing = {
    write: () => {
      throw Object.assign(new Error("gone"), { code: "ERR_STREAM_DESTROYED" });
    },
  };
  createJsonReporter({ stdout: throwing, onClosed: (error) => closed.push(error.code) }).listener(LOG);
  expect(closed).toEqual(["ERR_STREAM_DESTROYED"]);
  const sink = new Sink();
  const reporter = createJsonReporter({ stdout: sink });
  reporter.close();
  reporter.listener(LOG);
  expect(sink.writes).toBe(0);
});
