import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { runExample } from "../support/example.ts";

/** The examples as processes of this machine: what runs on a machine without a container engine. */
const examples = [
  { name: "hello-node", program: "node" },
  { name: "hello-python", program: "python3" },
  { name: "two-services", program: "node" },
  { name: "websocket", program: "node" },
  // helloworld-python-flask is missing: its README looks at containers.
];

describe("the commands of each example's README, with host processes", () => {
  for (const { name, program } of examples) {
    const missing = spawnSync(program, ["--version"]).status !== 0;
    test.skipIf(missing)(
      missing ? `${name} (skipped: no ${program} here)` : name,
      { timeout: 60_000 },
      async () => {
        const { sessions } = await runExample(name, "process");
        expect(sessions).toHaveLength(1);
      },
    );
  }
});
