import { expect, it } from "vitest";
import { EventBus } from "../../src/kernel/event-bus.ts";

interface Said {
  readonly type: string;
}

it("delivers at once, in order, to those who listen", () => {
  const bus = new EventBus<Said>();
  const log: string[] = [];
  const first = bus.subscribe((event) => log.push(`1 ${event.type}`));
  bus.subscribe((event) => log.push(`2 ${event.type}`));
  bus.emit({ type: "a" });
  first();
  first();
  bus.emit({ type: "b" });
  expect(log).toEqual(["1 a", "2 a", "2 b"]);
});

it("reports a listener that throws, and tells the others all the same", () => {
  const errors: unknown[] = [];
  const bus = new EventBus<Said>((error, event) => errors.push([error, event.type]));
  const log: string[] = [];
  const bug = new Error("bug");
  bus.subscribe(() => {
    throw bug;
  });
  bus.subscribe((event) => log.push(event.type));
  bus.emit({ type: "a" });
  expect(log).toEqual(["a"]);
  expect(errors).toEqual([[bug, "a"]]);
});

it("survives a listener that unsubscribes while it is told", () => {
  const bus = new EventBus<Said>();
  const log: string[] = [];
  const once = bus.subscribe((event) => {
    log.push(`once ${event.type}`);
    once();
  });
  bus.subscribe((event) => log.push(`always ${event.type}`));
  bus.emit({ type: "a" });
  bus.emit({ type: "b" });
  expect(log).toEqual(["once a", "always a", "always b"]);
});
