import { describe, expect, it } from "vitest";
import { isLocalOnly, parseReference } from "../../../src/engine/docker/reference.ts";

const digest = `sha256:${"a".repeat(64)}`;

describe("an image reference", () => {
  it.each([
    ["node", "docker.io", "library/node", "latest", undefined, "node:latest"],
    ["node:22-slim", "docker.io", "library/node", "22-slim", undefined, "node:22-slim"],
    ["team/app", "docker.io", "team/app", "latest", undefined, "team/app:latest"],
    ["docker.io/node", "docker.io", "library/node", "latest", undefined, "docker.io/node:latest"],
    ["index.docker.io/team/app:1", "docker.io", "team/app", "1", undefined, "index.docker.io/team/app:1"],
    ["ghcr.io/a/b/c:v1.2", "ghcr.io", "a/b/c", "v1.2", undefined, "ghcr.io/a/b/c:v1.2"],
    ["localhost/x", "localhost", "x", "latest", undefined, "localhost/x:latest"],
    ["localhost:5000/x", "localhost:5000", "x", "latest", undefined, "localhost:5000/x:latest"],
    ["127.0.0.1:5000/x:y", "127.0.0.1:5000", "x", "y", undefined, "127.0.0.1:5000/x:y"],
    [`node@${digest}`, "docker.io", "library/node", undefined, digest, `node@${digest}`],
    [`r.io/n:1@${digest}`, "r.io", "n", "1", digest, `r.io/n:1@${digest}`],
  ])("%s", (text, registry, repository, tag, hash, name) => {
    expect(parseReference(text)).toEqual({
      registry,
      repository,
      name,
      ...(tag === undefined ? {} : { tag }),
      ...(hash === undefined ? {} : { digest: hash }),
    });
  });

  it.each([
    "",
    " ",
    "a b",
    "node:",
    "node:-x",
    "https://ghcr.io/a",
    "a/",
    "Team",
    "team/App",
    "node@sha256:12",
    ":5000",
  ])("%j is refused", (text) => expect(() => parseReference(text)).toThrow(RangeError));

  it.each([
    ["dev.local/a", true],
    ["ko.local/a", true],
    ["kind.local/a:v1", true],
    ["localhost/a", true],
    ["localhost:5000/a", false],
    ["node", false],
  ])("%s is local only: %s", (text, local) => expect(isLocalOnly(parseReference(text))).toBe(local));
});
