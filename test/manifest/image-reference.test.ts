import { expect, it } from "vitest";
import { imageFault } from "../../src/manifest/image-reference.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

it.each([
  "nginx",
  "nginx:1.27",
  "team/app",
  "localhost/app",
  "localhost:5000/app:dev",
  "registry.local:5000/team/app:1.2.3",
  "REGISTRY.local/app",
  "app:TAG_1.2-x",
  `app@${DIGEST}`,
  `registry.local/app:1@${DIGEST}`,
  "https://registry.local/app",
  "ko://example.com/cmd/app",
  "[::1]:5000/app",
])("takes %s", (image) => {
  expect(imageFault(image)).toBeUndefined();
});

it.each([
  ["a", "shorter"],
  ["App", "capital letters"],
  ["team/App:1", "capital letters"],
  ["app:", "no tag"],
  ["app:a b", "has the tag"],
  [`app:${"t".repeat(129)}`, "has the tag"],
  ["app@sha256:abc", "digest"],
  [`app@${DIGEST}@${DIGEST}`, "more than one @"],
  ["registry.local:port/app", "registry.local:port"],
  ["a b/c", "character"],
  ["{{ image }}", "character"],
  ["r".repeat(256), "longer"],
  ["user@host.local/app", "digest"],
  ["bad host.local/app", "bad host.local"],
])("refuses %s: %s", (image, reason) => {
  expect(imageFault(image)).toContain(reason);
});
