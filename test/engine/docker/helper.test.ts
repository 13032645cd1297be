import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { HELPER_FOLDER, readHelper } from "../../../src/engine/docker/helper/binary.ts";

const folder = path.resolve(import.meta.dirname, "../../../src/engine/docker/helper");

/** Other versions make other bytes, which says nothing about the committed ones. */
const TOOLS = ["musl-tools 1.2.3-1", "gcc-12 12.2.0-14+deb12u1", "binutils 2.40-2"];

describe("the helper's binary", () => {
  it("is what the sources make, byte for byte", ({ skip }) => {
    const installed = toolVersions();
    skip(installed.join() !== TOOLS.join(), `needs ${TOOLS.join(", ")}`);
    const copy = mkdtempSync(path.join(os.tmpdir(), "kserve-local-helper-"));
    try {
      cpSync(folder, copy, { recursive: true });
      rmSync(path.join(copy, "helper-linux-amd64"));
      execFileSync("make", ["-s", "-C", copy]);
      const made = readFileSync(path.join(copy, "helper-linux-amd64"));
      expect(made.equals(readFileSync(path.join(folder, "helper-linux-amd64")))).toBe(true);
    } finally {
      rmSync(copy, { recursive: true });
    }
  }, 60_000);

  it("is static, for linux/amd64, and small", async () => {
    const { bytes, hash } = await readHelper();
    expect(bytes.toString("latin1", 0, 4)).toBe("\x7fELF");
    expect(bytes.readUInt16LE(18)).toBe(62);
    // A program header of type 3 would name a loader.
    const headers = Array.from({ length: bytes.readUInt16LE(56) }, (_, index) =>
      bytes.readUInt32LE(64 + 56 * index),
    );
    expect(headers).not.toContain(3);
    expect(bytes.length).toBeLessThan(100_000);
    expect(hash).toMatch(/^[0-9a-f]{12}$/);
  });

  it("knows the folder that it is mounted at", () => {
    expect(readFileSync(path.join(folder, "helper.h"), "utf8")).toContain(
      `#define HELPER_FOLDER "${HELPER_FOLDER}"\n`,
    );
  });
});

function toolVersions(): string[] {
  try {
    execFileSync("make", ["--version"]);
    return TOOLS.map((tool) => tool.split(" ")[0] ?? "").map(
      (name) =>
        `${name} ${execFileSync("dpkg-query", ["-W", "-f", "${Version}", name], { encoding: "utf8" })}`,
    );
  } catch {
    return [];
  }
}
