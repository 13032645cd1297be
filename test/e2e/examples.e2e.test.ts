import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { imagesMissing, requireEngine } from "../support/docker-images.ts";
import { runExample } from "../support/example.ts";

const engine = await requireEngine();
const missing = engine.missing || (await imagesMissing(engine.docker, ["node:22-slim", "python:3.12-slim"]));

/** A new example has to be entered here. */
const examples = ["hello-node", "hello-python", "helloworld-python-flask", "two-services", "websocket"];

test("every example is in the table", () => {
  const folders = readdirSync(fileURLToPath(new URL("../../examples", import.meta.url)), {
    withFileTypes: true,
  });
  const names = folders.filter((folder) => folder.isDirectory()).map((folder) => folder.name);
  expect(names.sort()).toEqual(examples);
});

describe.skipIf(missing)("the commands of each example's README, with Docker", () => {
  for (const name of examples) {
    test(name, async () => {
      const { sessions } = await runExample(`examples/${name}`, "docker");
      expect(sessions).toHaveLength(1);
      const left = await engine.docker.listContainers({
        all: true,
        filters: { label: [`dev.kserve-local.session=${sessions[0] ?? ""}`] },
      });
      expect(left.map((container) => container.Names)).toEqual([]);
    });
  }
});
