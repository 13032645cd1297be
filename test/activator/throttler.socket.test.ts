import { afterEach, describe, expect, it } from "vitest";
import { ACTIVATOR_QUEUE_LIMIT, type Slot, Throttler, type Waiter } from "../../src/activator/throttler.ts";
import { settle } from "../support/fake-clock.ts";
import { HandBackend } from "./backend.ts";

let backend = new HandBackend(0);
afterEach(() => backend.engine.close());

function throttler(containerConcurrency: number): Throttler {
  backend = new HandBackend(containerConcurrency);
  return new Throttler(backend, () => 0);
}

/** Who got a slot, in order; those who wait and those who were refused. */
function queue(
  held: Throttler,
  names: readonly string[],
): {
  readonly got: string[];
  readonly slots: Slot[];
  readonly waiters: Waiter[];
  readonly refused: string[];
} {
  const got: string[] = [];
  const slots: Slot[] = [];
  const waiters: Waiter[] = [];
  const refused: string[] = [];
  for (const name of names) {
    const waiter = {
      take: (slot: Slot): void => {
        got.push(name);
        slots.push(slot);
      },
    };
    const free = held.tryAcquire();
    if (free !== undefined) waiter.take(free);
    else if (held.enter(waiter)) waiters.push(waiter);
    else refused.push(name);
  }
  return { got, slots, waiters, refused };
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

  it("forgets who has left", async () => {
    const held = throttler(1);
    await backend.addInstance();
    const { got, slots, waiters } = queue(held, ["a", "b", "c"]);
    held.leave(waiters[0] as Waiter);
    held.leave(waiters[0] as Waiter);
    expect(held.waiting).toBe(1);
    slots[0]?.release();
    expect(got).toEqual(["a", "c"]);
  });

  it("lets 10,000 wait while requests come through the activator, and refuses the next", () => {
    const held = throttler(1);
    const { waiters, refused } = queue(
      held,
      Array.from({ length: 10_001 }, (_, n) => String(n)),
    );
    expect(waiters).toHaveLength(10_000);
    expect(refused).toEqual(["10000"]);
    expect(ACTIVATOR_QUEUE_LIMIT).toBe(10_000);
  });

  it.each([
    [1, 1, 10],
    [2, 1, 20],
    [1, 3, 30],
    [5, 2, 100],
  ])(
    "with a containerConcurrency of %i lets as many wait as the breakers of %i instances hold: %i",
    async (limit, instances, waiting) => {
      const held = throttler(limit);
      backend.mode = "Serve";
      for (let n = 0; n < instances; n += 1) await backend.addInstance();
      const sent = limit * instances + waiting + 2;
      const { got, waiters, refused } = queue(
        held,
        Array.from({ length: sent }, (_, n) => String(n)),
      );
      expect(got).toHaveLength(limit * instances);
      expect(waiters).toHaveLength(waiting);
      expect(refused).toHaveLength(2);
    },
  );

  it("keeps those who wait when the activator leaves the path, and lets nobody else in", async () => {
    const held = throttler(1);
    await backend.addInstance();
    const names = Array.from({ length: 21 }, (_, n) => String(n));
    const { got, slots } = queue(held, names);
    backend.mode = "Serve";
    expect(queue(held, ["late"]).refused).toEqual(["late"]);
    for (let n = 0; n < 20; n += 1) slots[n]?.release();
    expect(got).toEqual(names);
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
