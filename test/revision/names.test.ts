import { expect, it } from "vitest";
import { instanceName } from "../../src/revision/names.ts";

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

it("looks as Kubernetes would name the pod, the hash by the revision and the end by chance", () => {
  const name = instanceName("hello-00001", "uid-1", () => 0);
  expect(name).toMatch(/^hello-00001-deployment-[0-9a-f]{10}-bbbbb$/);
  expect(instanceName("hello-00001", "uid-1", () => 0.999)).toMatch(/-99999$/);
  expect(instanceName("hello-00001", "uid-2", () => 0).slice(0, -6)).not.toBe(name.slice(0, -6));
});

it.each([35, 36, 37, 57, 58, 63])(
  "is a host name of at most 63 characters for a revision of %i",
  (length) => {
    const revision = `${"x".repeat(length - 6)}-00001`;
    const name = instanceName(revision, "uid", () => 0.5);
    expect(name.length).toBeLessThanOrEqual(63);
    expect(name).toMatch(DNS_LABEL);
    expect(name).toMatch(/-[a-z0-9]{5}$/);
    expect(name.startsWith(revision.slice(0, 57))).toBe(true);
  },
);
