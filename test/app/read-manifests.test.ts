import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readManifests } from "../../src/app/read-manifests.ts";

const SERVICE = "apiVersion: serving.knative.dev/v1\nkind: Service\n";
const CONFIG = "apiVersion: v1\nkind: ConfigMap\n";

let cwd: string;

beforeEach(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), "read-manifests-"));
});

afterEach(async () => {
  await rm(cwd, { recursive: true, force: true });
});

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [file, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(cwd, file)), { recursive: true });
    await writeFile(path.join(cwd, file), text);
  }
}

async function read(paths: readonly string[], stdin: string[] = []): Promise<Array<[string, string]>> {
  const sources = await readManifests(paths, { cwd, stdin: Readable.from(stdin) });
  return sources.map(({ file, text }) => [
    file,
    typeof text === "string" ? text : Buffer.from(text).toString("utf8"),
  ]);
}

describe("without a path", () => {
  it("takes service.yaml, or service.dev.yaml before it", async () => {
    await write({ "service.yaml": "a" });
    expect(await read([])).toEqual([["service.yaml", "a"]]);
    await write({ "service.dev.yaml": "b" });
    expect(await read([])).toEqual([["service.dev.yaml", "b"]]);
  });

  it("says where it has looked when there is none", async () => {
    await expect(read([])).rejects.toMatchObject({
      code: "manifest-not-found",
      message: expect.stringContaining(cwd),
      fix: expect.stringContaining("standard input"),
    });
  });

  it("does not call one that can't be read missing", async () => {
    await mkdir(path.join(cwd, "service.yaml"));
    await expect(read([])).rejects.toMatchObject({
      code: "manifest-not-found",
      message: "service.yaml cannot be read",
    });
  });
});

describe("with paths", () => {
  it("takes files as they are, in the order given, once each", async () => {
    await write({ "b.yaml": "b", "a.txt": "a" });
    expect(await read(["b.yaml", "a.txt", "./b.yaml"])).toEqual([
      ["b.yaml", "b"],
      ["a.txt", "a"],
    ]);
  });

  it("reads standard input for a dash", async () => {
    expect(await read(["-"], ["kind: ", "Service"])).toEqual([["<stdin>", "kind: Service"]]);
  });

  it("searches directories for documents that are meant for us", async () => {
    await write({
      "d/service.yaml": SERVICE,
      "d/deep/er/config.yml": CONFIG,
      "d/secret.json": '{"apiVersion": "v1", "kind": "Secret"}',
      "d/values.yaml": "replicas: 3",
      "d/deployment.yaml": "apiVersion: apps/v1\nkind: Deployment",
      "d/notes.txt": SERVICE,
      "d/node_modules/x/service.yaml": SERVICE,
      "d/.git/service.yaml": SERVICE,
      "d/.hidden.yaml": SERVICE,
    });
    expect((await read(["d"])).map(([file]) => file)).toEqual([
      "d/deep/er/config.yml",
      "d/secret.json",
      "d/service.yaml",
    ]);
  });

  it.each([
    ["a path that does not exist", "nothing.yaml", "does not exist"],
    ["a directory without any", ".", "no Knative documents"],
  ])("refuses %s", async (_, given, what) => {
    await expect(read([given])).rejects.toMatchObject({
      code: "manifest-not-found",
      message: expect.stringContaining(what),
      fix: expect.any(String),
    });
  });

  it("stops at directories that are far too large", async () => {
    const files = Object.fromEntries(Array.from({ length: 2001 }, (_, index) => [`d/${index}.yaml`, ""]));
    await mkdir(path.join(cwd, "d"));
    await Promise.all(Object.keys(files).map((file) => writeFile(path.join(cwd, file), "")));
    await expect(read(["d"])).rejects.toMatchObject({ message: expect.stringContaining("more than 2000") });
  });
});
