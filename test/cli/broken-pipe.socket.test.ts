import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const BIN = fileURLToPath(new URL("../../bin/kserve-local.js", import.meta.url));

test("a reader that goes away early is no crash", async () => {
  const child = spawn(process.execPath, [BIN, "schema"], { stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdout.destroy();
  const [code] = (await once(child, "close")) as [number | null];
  expect(stderr).toBe("");
  expect(code).toBe(0);
});
