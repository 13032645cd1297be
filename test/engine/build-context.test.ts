import { randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, rm, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract, type Header } from "tar-stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  contextFilter,
  type ContextFilter,
  hashContext,
  packContext,
  walkContext,
} from "../../src/engine/build-context.ts";
import { isKserveLocalError } from "../../src/kernel/errors.ts";
import { contextFiles, ignoreCases, writeTree } from "./build-context-cases.ts";

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "ctx-"));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const tree = (files: Record<string, string | Uint8Array>): Promise<void> => writeTree(root, files);

const filterFor = async (rules: string): Promise<ContextFilter> => {
  await tree({ ".dockerignore": rules });
  return contextFilter(root, "Dockerfile");
};

async function paths(dockerfile?: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of walkContext(root, dockerfile)) found.push(entry.path);
  return found;
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

interface Unpacked {
  readonly header: Header;
  readonly content: Buffer;
}

async function unpack(stream: Readable): Promise<Map<string, Unpacked>> {
  const entries = new Map<string, Unpacked>();
  const sink = extract();
  sink.on("entry", (header, body, next) => {
    const chunks: Buffer[] = [];
    body.on("data", (chunk) => void chunks.push(chunk as Buffer));
    body.on("end", () => {
      entries.set(header.name, { header, content: Buffer.concat(chunks) });
      next();
    });
  });
  await pipeline(stream, sink as unknown as NodeJS.WritableStream);
  return entries;
}

describe("walkContext", () => {
  it.each(ignoreCases)("$title", async ({ rules, gone }) => {
    await writeTree(root, { ...contextFiles, ".dockerignore": rules });
    const expected = new Set([".dockerignore"]);
    for (const file of Object.keys(contextFiles)) {
      if (gone.includes(file)) continue;
      for (let path = file; path !== "."; path = dirname(path)) expected.add(path);
    }
    // An excluded directory of which nothing is left doesn't come; one that isn't excluded does, though empty.
    const directories = (await paths()).filter((path) => !(path in contextFiles) && path !== ".dockerignore");
    for (const path of directories)
      if (!expected.has(path)) expect((await filterFor(rules))(path)).toBe(true);
    expect((await paths()).filter((path) => expected.has(path))).toEqual([...expected].sort());
    for (const file of gone) expect(await paths()).not.toContain(file);
  });

  it("takes <Dockerfile>.dockerignore instead of .dockerignore, and keeps a Dockerfile inside an excluded directory", async () => {
    await tree({
      ".dockerignore": "app.js",
      "app.js": "",
      "build/prod.Dockerfile": "FROM scratch",
      "build/prod.Dockerfile.dockerignore": "build\nother",
      "build/notes": "",
      other: "",
    });
    expect(await paths("build/prod.Dockerfile")).toEqual([
      ".dockerignore",
      "app.js",
      "build",
      "build/prod.Dockerfile",
      "build/prod.Dockerfile.dockerignore",
    ]);
  });

  it("gives symlinks as they are, not what they point to, and leaves sockets out", async () => {
    await tree({ "real/file": "x", ".dockerignore": "real" });
    await symlink("real", join(root, "link"));
    await symlink("/nowhere", join(root, "dangling"));
    const server = createServer().listen(join(root, "app.sock"));
    try {
      const entries = await collect(walkContext(root));
      expect(entries.map(({ path, kind, linkTarget }) => [path, kind, linkTarget])).toEqual([
        [".dockerignore", "file", undefined],
        ["dangling", "symlink", "/nowhere"],
        ["link", "symlink", "real"],
      ]);
    } finally {
      server.close();
    }
  });

  it("says what to do when there is no such directory", async () => {
    await rm(root, { recursive: true });
    await expect(paths()).rejects.toSatisfy((error) => isKserveLocalError(error, "build-failed"));
  });
});

describe("contextFilter", () => {
  it("lets a watcher skip directories in which nothing can belong, and only those", async () => {
    await tree({ ".dockerignore": "node_modules\ndocs\n!docs/guide/*.md\n" });
    const filter = await contextFilter(root, "Dockerfile");
    expect(filter("node_modules", true)).toBe(false);
    expect(filter("docs", true)).toBe(true);
    expect(filter("docs")).toBe(false);
    expect(filter("docs/guide", true)).toBe(true);
    expect(filter("docs/other", true)).toBe(false);
    expect(filter("docs/guide/intro.md")).toBe(true);
    expect(filter("docs/guide/deep", true)).toBe(false);
    expect(filter("", true)).toBe(true);
  });
});

describe("hashContext", () => {
  it("changes with content, name, mode and link target; not with times or what is ignored", async () => {
    await tree({ ".dockerignore": "ignored", "a.txt": "one", "b.txt": "two", ignored: "x" });
    await symlink("a.txt", join(root, "link"));
    const seen = new Set<string>();
    const first = await hashContext(root, "Dockerfile");
    seen.add(first);
    expect(first).toMatch(/^[0-9a-f]{64}$/);

    await utimes(join(root, "a.txt"), 1, 1);
    await writeFile(join(root, "ignored"), "y");
    expect(await hashContext(root, "Dockerfile")).toBe(first);

    const changes: Array<() => Promise<unknown>> = [
      () => writeFile(join(root, "a.txt"), "onetwo"),
      () => writeFile(join(root, "b.txt"), ""),
      () => chmod(join(root, "a.txt"), 0o755),
      () => mkdir(join(root, "empty")),
      () => rm(join(root, "link")),
      () => symlink("b.txt", join(root, "link")),
    ];
    for (const change of changes) {
      await change();
      seen.add(await hashContext(root, "Dockerfile"));
    }
    expect(seen.size).toBe(changes.length + 1);
  });
});

describe("packContext", () => {
  it("packs names, contents, modes, links and big files, owned by root", async () => {
    const big = randomBytes(5 * 1024 * 1024 + 123);
    const long = `${"d".repeat(120)}/${"f".repeat(150)}`;
    await tree({
      "run.sh": "#!/bin/sh\n",
      "big.bin": big,
      empty: "",
      [long]: "long",
      "ünï/日本.txt": "unicode",
    });
    await chmod(join(root, "run.sh"), 0o755);
    await symlink("run.sh", join(root, "link"));
    const entries = await unpack(packContext(root, "Dockerfile"));
    expect([...entries.keys()].sort()).toEqual(
      ["big.bin", "d".repeat(120), long, "empty", "link", "run.sh", "ünï", "ünï/日本.txt"].sort(),
    );
    expect(entries.get("big.bin")?.content.equals(big)).toBe(true);
    expect(entries.get("ünï/日本.txt")?.content.toString()).toBe("unicode");
    expect(entries.get("empty")?.content).toHaveLength(0);
    expect(entries.get("run.sh")?.header).toMatchObject({ mode: 0o755, uid: 0, gid: 0, type: "file" });
    expect(entries.get("ünï")?.header.type).toBe("directory");
    expect(entries.get("link")?.header).toMatchObject({ type: "symlink", linkname: "run.sh" });
  });

  it("reads no further than the reader takes", async () => {
    await tree(
      Object.fromEntries(
        Array.from({ length: 40 }, (_, index) => [`f${index}`, randomBytes(1024 * 1024 - 1)]),
      ),
    );
    const stream = packContext(root, "Dockerfile");
    let taken = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      taken += chunk.length;
      if (taken > 1024 * 1024) break;
    }
    expect(taken).toBeLessThan(4 * 1024 * 1024);
    expect(stream.destroyed).toBe(true);
  });

  it("fails the stream when a big file shrinks while it is read", async () => {
    await tree({ "big.bin": randomBytes(24 * 1024 * 1024) });
    const stream = packContext(root, "Dockerfile");
    const reader = stream[Symbol.asyncIterator]();
    await reader.next();
    await truncate(join(root, "big.bin"), 1024);
    const rest = (async () => {
      for (;;) if ((await reader.next()).done) return;
    })();
    await expect(rest).rejects.toSatisfy((error) => isKserveLocalError(error, "build-failed"));
    expect(stream.destroyed).toBe(true);
  });

  it("fails the stream when the context isn't there", async () => {
    const stream = packContext(join(root, "none"), "Dockerfile");
    await expect(unpack(stream)).rejects.toSatisfy((error) => isKserveLocalError(error, "build-failed"));
  });
});
