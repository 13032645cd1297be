import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { runExample } from "../support/example.ts";

/** The examples, and what `init` copies, as processes of this machine: what runs on a machine without a container engine. */
const examples = [
  { path: "examples/hello-node", program: "node" },
  { path: "examples/hello-python", program: "python3" },
  { path: "examples/two-services", program: "node" },
  { path: "examples/websocket", program: "node" },
  { path: "templates/node", program: "node" },
  { path: "templates/python", program: "python3" },
  // helloworld-python-flask is missing: its README looks at containers.
];

describe("the commands of each README, with host processes", () => {
  for (const { path, program } of examples) {
    const missing = spawnSync(program, ["--version"]).status !== 0;
    test.skipIf(missing)(
      missing ? `${path} (skipped: no ${program} here)` : path,
      { timeout: 60_000 },
      async () => {
        const { sessions } = await runExample(path, "process");
        expect(sessions).toHaveLength(1);
      },
    );
  }
});
