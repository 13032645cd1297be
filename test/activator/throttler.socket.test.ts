import { afterEach, describe, expect, it } from "vitest";
import {
  ACTIVATOR_QUEUE_LIMIT,
  QueueFullError,
  type Slot,
  Throttler,
} from "../../src/activator/throttler.ts";
import { settle } from "../support/fake-clock.ts";
import { HandBackend } from "./backend.ts";

let backend = new HandBackend(0);
afterEach(() => backend.engine.close());

function throttler(containerConcurrency: number, queueLimit?: number): Throttler {
  backend = new HandBackend(containerConcurrency);
  return new Throttler(backend, { random: () => 0, ...(queueLimit === undefined ? {} : { queueLimit }) });
}

const never = (): AbortSignal => new AbortController().signal;

/** Who got a slot, in order. */
function queue(
  held: Throttler,
  names: readonly string[],
): { readonly got: string[]; readonly slots: Slot[] } {
  const got: string[] = [];
  const slots: Slot[] = [];
  for (const name of names)
    held.acquire(never()).then(
      (slot) => {
        got.push(name);
        slots.push(slot);
      },
      () => got.push(`${name} left`),
    );
  return { got, slots };
}

describe("Throttler", () => {
  it("holds requests until an instance is ready, and lets them go in the order in which they came", async () => {
    const held = throttler(1);
    const { got, slots } = queue(held, ["a", "b", "c"]);
    expect(held.waiting).toBe(3);
    await backend.addInstance();
    await settle();
    expect(got).toEqual(["a"]);
    await backend.addInstance();
    await settle();
    expect(got).toEqual(["a", "b"]);
    slots[1]?.release();
    await settle();
    expect(got).toEqual(["a", "b", "c"]);
    expect(slots[2]?.instance).toBe(slots[1]?.instance);
    expect(held.waiting).toBe(0);
  });

  it.each([
    [0, 20],
    [1, 2],
    [3, 6],
    [5, 10],
  ])("with a containerConcurrency of %i lets %i of 20 requests to two instances", async (limit, through) => {
    const held = throttler(limit);
    const [one, two] = [await backend.addInstance(), await backend.addInstance()];
    const { got } = queue(
      held,
      Array.from({ length: 20 }, (_, n) => String(n)),
    );
    await settle();
    expect(got).toHaveLength(through);
    expect(one.inFlight + two.inFlight).toBe(through);
    if (limit > 0) expect([one.inFlight, two.inFlight]).toEqual([limit, limit]);
  });

  it("does not let a newcomer pass those who wait", async () => {
    const held = throttler(1);
    await backend.addInstance();
    const { got, slots } = queue(held, ["a", "b"]);
    await settle();
    slots[0]?.release();
    expect(held.tryAcquire()).toBeUndefined();
    const late = queue(held, ["c"]);
    await settle();
    expect(got).toEqual(["a", "b"]);
    expect(late.got).toEqual([]);
  });

  it("counts a slot that is given back twice once", async () => {
    const held = throttler(1);
    const instance = await backend.addInstance();
    const { got, slots } = queue(held, ["a", "b", "c"]);
    await settle();
    slots[0]?.release();
    slots[0]?.release();
    await settle();
    expect(got).toEqual(["a", "b"]);
    expect(instance.inFlight).toBe(1);
  });

  it("forgets who has left, with the signal's reason", async () => {
    const held = throttler(1);
    await backend.addInstance();
    const { got, slots } = queue(held, ["a"]);
    const leaving = new AbortController();
    const left = held.acquire(leaving.signal);
    const after = queue(held, ["c"]);
    await settle();
    leaving.abort(new Error("the client is gone"));
    await expect(left).rejects.toThrow("the client is gone");
    expect(held.waiting).toBe(1);
    slots[0]?.release();
    await settle();
    expect([...got, ...after.got]).toEqual(["a", "c"]);
    await expect(held.acquire(AbortSignal.abort(new Error("gone before")))).rejects.toThrow("gone before");
  });

  it("refuses one more than its queue holds, and only that one", async () => {
    const held = throttler(1, 2);
    const { got } = queue(held, ["a", "b"]);
    await expect(held.acquire(never())).rejects.toBeInstanceOf(QueueFullError);
    await backend.addInstance();
    await settle();
    expect(got).toEqual(["a"]);
    queue(held, ["d"]);
    expect(held.waiting).toBe(2);
    expect(ACTIVATOR_QUEUE_LIMIT).toBe(10_000);
  });

  it("gives no slot on an instance that is going", async () => {
    const held = throttler(0);
    const instance = await backend.addInstance();
    const { slots } = queue(held, ["a"]);
    await settle();
    const stopping = instance.stop("scaled down");
    const { got } = queue(held, ["b"]);
    await settle();
    expect(got).toEqual([]);
    slots[0]?.release();
    await stopping;
    const next = await backend.addInstance();
    await settle();
    expect(got).toEqual(["b"]);
    expect(next.inFlight).toBe(1);
  });

  it("lets go of the revision", () => {
    const held = throttler(0);
    expect(backend.listeners).toBe(1);
    held.close();
    expect(backend.listeners).toBe(0);
  });
});
