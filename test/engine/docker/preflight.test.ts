import { describe, expect, it } from "vitest";
import type { ImageFile, ImageFiles } from "../../../src/engine/docker/image-files.ts";
import { inspectProgram } from "../../../src/engine/docker/preflight.ts";
import { explainStartFailure } from "../../../src/engine/docker/start-failure.ts";

interface Entry extends Partial<ImageFile> {
  readonly head?: Buffer | string;
}

function image(entries: Record<string, Entry>): ImageFiles {
  return {
    stat: (path) => {
      const entry = entries[path];
      if (entry === undefined) return Promise.resolve(undefined);
      return Promise.resolve({ isDirectory: false, executable: true, ...entry });
    },
    head: (path) => Promise.resolve(Buffer.from(entries[path]?.head ?? "")),
  };
}

function elf(machine: number, loader?: string): Buffer {
  const file = Buffer.alloc(256);
  file.write("\x7fELF\x02\x01\x01", "latin1");
  file.writeUInt16LE(machine, 18);
  if (loader !== undefined) {
    file.writeBigUInt64LE(64n, 32);
    file.writeUInt16LE(56, 54);
    file.writeUInt16LE(1, 56);
    file.writeUInt32LE(3, 64);
    file.writeBigUInt64LE(128n, 72);
    file.writeBigUInt64LE(BigInt(loader.length + 1), 96);
    file.write(loader, 128);
  }
  return file;
}

const what = async (entries: Record<string, Entry>, program: string, path?: string) =>
  (await inspectProgram(image(entries), program, { path, workingDir: "/srv" }))?.what;

describe("a program in an image", () => {
  it("is looked for in PATH, by its path, or from the working directory", async () => {
    const entries = { "/usr/bin/app": { head: elf(62) }, "/srv/bin/x": { head: elf(62) } };
    expect(await what(entries, "app")).toBeUndefined();
    expect(await what(entries, "app", "/opt")).toMatch(/"app" does not exist/);
    expect(await what(entries, "bin/x")).toBeUndefined();
    expect(await what(entries, "/usr/bin/app")).toBeUndefined();
    expect(await what(entries, "/nope")).toMatch(/"\/nope" does not exist/);
  });

  it("is followed through links, but not for ever", async () => {
    const entries = {
      "/bin/app": { target: "/lib/app" },
      "/lib/app": { head: elf(62) },
      "/bin/loop": { target: "/bin/loop" },
    };
    expect(await what(entries, "app")).toBeUndefined();
    expect(await what(entries, "loop")).toMatch(/does not exist/);
  });

  it("has to be executable, and no folder; PATH goes on to the next", async () => {
    expect(await what({ "/a": { executable: false } }, "/a")).toMatch(/not executable/);
    expect(await what({ "/a": { isDirectory: true } }, "/a")).toMatch(/not executable/);
    const both = { "/usr/bin/app": { executable: false }, "/bin/app": { head: elf(62) } };
    expect(await what(both, "app")).toBeUndefined();
    expect(await what({ "/usr/bin/app": { executable: false } }, "app")).toMatch(/not executable/);
  });

  it("has to be for this processor", async () => {
    expect(await what({ "/a": { head: elf(183) } }, "/a")).toMatch(/linux\/arm64/);
    expect(await what({ "/a": { head: elf(4711) } }, "/a")).toMatch(/machine 4711/);
  });

  it("needs its loader, or its interpreter", async () => {
    const musl = { "/a": { head: elf(62, "/lib/ld-musl-x86_64.so.1") } };
    expect(await what(musl, "/a")).toMatch(/needs \/lib\/ld-musl-x86_64\.so\.1/);
    expect(await what({ ...musl, "/lib/ld-musl-x86_64.so.1": {} }, "/a")).toBeUndefined();
    const script = { "/a": { head: "#! /bin/bash -e\necho" } };
    expect(await what(script, "/a")).toMatch(/"\/bin\/bash"/);
    expect(await what({ ...script, "/bin/bash": {} }, "/a")).toBeUndefined();
    expect(await what({ "/a": { head: "#!/bin/sh\r\n" }, "/bin/sh": {} }, "/a")).toContain("/bin/sh\\r");
    expect(await what({ "/a": { head: "echo no interpreter" } }, "/a")).toBeUndefined();
  });
});

describe("the engine's words about a failed start", () => {
  const runc =
    "failed to create shim: OCI runtime create failed: runc create failed: unable to start container process: ";
  it.each([
    [`${runc}exec: "/nope": stat /nope: no such file or directory: unknown`, /"\/nope" does not exist/],
    [`${runc}exec: "nope": executable file not found in $PATH: unknown`, /"nope" does not exist/],
    [`${runc}exec: "/x": permission denied: unknown`, /"\/x" is not executable/],
    [`${runc}exec: "/etc": is a directory: permission denied`, /"\/etc" is not executable/],
    ["exec /app: exec format error", /"app" is built for another architecture/],
    ["crun: OCI runtime attempted to invoke a command that was not found", /"app" does not exist/],
    ["No command specified", /no command/],
    ["unable to find user bob: no matching entries in passwd file", /"bob" does not exist/],
    ["Minimum memory limit allowed is 6MB", /6MB/],
    ['Conflict. The container name "/x" is already in use by container "1"', /named \/x exists already/],
    ["driver failed: listen tcp4 127.0.0.1:38999: bind: address already in use", /port .* is taken/],
    ["No such image: sha256:12", /sha256:12 has been removed/],
  ])("%s", (text, words) => {
    const verdict = explainStartFailure(text, "app");
    expect(verdict.what).toMatch(words);
    expect(verdict.why).toBe(text);
    expect(verdict.fix).toBeTypeOf("string");
  });

  it("are passed on where they are new", () => {
    expect(explainStartFailure("the moon is full", "app")).toMatchObject({ why: "the moon is full" });
  });
});
