import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { childName, revisionName } from "../../src/controller/names.ts";
import { externalHost, externalUrl, internalHost } from "../../src/controller/url.ts";

describe("revisionName", () => {
  it.each([
    ["hello", 1, "hello-00001"],
    ["hello", 42, "hello-00042"],
    ["hello", 123_456, "hello-123456"],
    ["x".repeat(57), 1, `${"x".repeat(57)}-00001`],
  ])("of %s at generation %i is %s", (configuration, generation, name) => {
    expect(revisionName(configuration, generation)).toBe(name);
  });

  it("cuts a parent of more than 57 characters and adds its md5, as kmeta.ChildName does", () => {
    const parent = `${"x".repeat(57)}y`;
    const md5 = createHash("md5").update(parent).digest("hex");
    const name = revisionName(parent, 1);
    expect(name).toBe(`${"x".repeat(25)}${md5}-00001`);
    expect(name).toHaveLength(63);
    expect(revisionName(`${"x".repeat(57)}z`, 1)).not.toBe(name);
  });

  it("is never longer than 63 characters, whatever the suffix", () => {
    for (let length = 1; length <= 63; length += 1)
      for (const suffix of ["-00001", "-deployment", `-${"s".repeat(30)}`])
        expect(childName("p".repeat(length), suffix).length).toBeLessThanOrEqual(63);
  });
});

it("names hosts and URLs", () => {
  const scheme = { port: 8081, domain: "localhost" };
  expect(externalHost(scheme, "default", "hello")).toBe("hello.default.localhost");
  expect(externalUrl(scheme, "default", "hello", "blue")).toBe("http://blue-hello.default.localhost:8081");
  expect(externalUrl(scheme, "default", "hello", "")).toBe("http://hello.default.localhost:8081");
  expect(internalHost("default", "hello", "blue")).toBe("blue-hello.default.svc.cluster.local");
});
