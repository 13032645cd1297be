import { afterEach, expect, it } from "vitest";
import { settle } from "../support/fake-clock.ts";
import { Cluster } from "./cluster.ts";

const SERVICES = 500;

let cluster = new Cluster();
afterEach(() => cluster.close());

it(`costs nothing while ${SERVICES} services are at zero: no timer, no instance, no event`, async () => {
  cluster = new Cluster();
  const handles = process.getActiveResourcesInfo().length;
  for (let n = 0; n < SERVICES; n += 1) await cluster.apply({ name: `service-${n}` });
  for (let n = 0; n < SERVICES; n += 1) await cluster.ready(`service-${n}-00001`);
  expect(cluster.condition("Service", "Ready", `service-${SERVICES - 1}`)).toBe("True");
  expect(cluster.runtimes).toHaveLength(SERVICES);
  expect(cluster.errors).toEqual([]);
  await settle();
  const { length } = cluster.events;
  expect(cluster.clock.pending).toBe(0);
  expect(process.getActiveResourcesInfo().length).toBeLessThanOrEqual(handles);
  await cluster.clock.advance(24 * 3_600_000);
  expect(cluster.clock.pending).toBe(0);
  expect(cluster.engine.calls).toEqual([]);
  expect(cluster.events).toHaveLength(length);
});
