import {
  appendFile,
  mkdir,
  mkdtemp,
  realpath,
  rename,
  rm,
  symlink,
  unlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ChangeBatch } from "../../src/devloop/change-batch.ts";
import { createWatcher, type Watcher, type WatchTargets } from "../../src/devloop/watch.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import type { ProblemFound } from "../../src/resources/events.ts";

/** Batches as they come, to be waited for. */
class Batches {
  readonly all: ChangeBatch[] = [];
  readonly problems: ProblemFound[] = [];
  #wake: () => void = () => undefined;

  readonly add = (batch: ChangeBatch): void => {
    this.all.push(batch);
    this.#wake();
  };

  /** The first batch from number `from` on. */
  async next(from = 0): Promise<ChangeBatch> {
    while (this.all.length <= from) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.all[from] as ChangeBatch;
  }

  /** All files of the batches from number `from` until `file` was in one. */
  async until(file: string, from = 0): Promise<string[]> {
    for (let at = from; ; at += 1) {
      await this.next(at);
      const files = this.all.slice(from, at + 1).flatMap(filesIn);
      if (files.includes(file)) return files;
    }
  }
}

function filesIn(batch: ChangeBatch): string[] {
  return [...batch.manifestFiles, ...[...batch.contexts.values()].flat()];
}

let root: string;
let batches: Batches;
let watcher: Watcher | undefined;

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "kserve-local-watch-")));
  batches = new Batches();
  await mkdir(join(root, "src"));
  await writeFile(join(root, "Dockerfile"), "FROM scratch\n");
  await writeFile(join(root, "service.yaml"), "kind: Service\n");
  await writeFile(join(root, "src/app.js"), "1\n");
});

afterEach(async () => {
  await watcher?.close();
  watcher = undefined;
  await rm(root, { recursive: true, force: true });
});

function context(): WatchTargets {
  return { manifests: [], contexts: [{ id: "hello", root, dockerfile: "Dockerfile" }] };
}

async function start(targets: WatchTargets, debounceMs = 60): Promise<Watcher> {
  watcher = createWatcher({
    clock: systemClock(),
    targets,
    debounceMs,
    onChange: batches.add,
    onProblem: (problem) => batches.problems.push(problem),
  });
  await watcher.ready;
  return watcher;
}

const path = (name: string): string => join(root, name);
const write = (name: string, text: string): Promise<void> => writeFile(path(name), text);

describe("a build context", () => {
  it("reports a file that was written, by context", async () => {
    await start(context());
    await write("src/app.js", "2\n");
    const batch = await batches.next();
    expect(batch.contexts).toEqual(new Map([["hello", [path("src/app.js")]]]));
    expect(batch.manifestFiles).toEqual([]);
  });

  it("misses none of 20 edits, one after the other", async () => {
    await start(context(), 60);
    for (let edit = 0; edit < 20; edit += 1) {
      await write("src/app.js", `edit ${edit}\n`);
      expect(filesIn(await batches.next(edit))).toEqual([path("src/app.js")]);
    }
  });

  it("misses none of 20 atomic saves, one after the other", async () => {
    await start(context(), 60);
    for (let edit = 0; edit < 20; edit += 1) {
      await write("src/.app.js.swp", `edit ${edit}\n`);
      await rename(path("src/.app.js.swp"), path("src/app.js"));
      expect(filesIn(await batches.next(edit))).toEqual([path("src/app.js")]);
    }
  });

  it("makes one batch of many files written at once", async () => {
    await start(context(), 300);
    const names = Array.from({ length: 50 }, (_, index) => `src/file-${String(index).padStart(2, "0")}.js`);
    await Promise.all(names.map((name) => write(name, name)));
    expect(filesIn(await batches.next())).toEqual(names.map(path));
  });

  it("sees files in new directories, deletions, and a file that was deleted and made again", async () => {
    await start(context());
    await mkdir(path("lib/deep"), { recursive: true });
    await write("lib/deep/new.js", "1");
    await batches.until(path("lib/deep/new.js"));
    await write("lib/deep/new.js", "2");
    await batches.until(path("lib/deep/new.js"), batches.all.length);
    const seen = batches.all.length;
    await unlink(path("src/app.js"));
    expect(filesIn(await batches.next(seen))).toEqual([path("src/app.js")]);
    await write("src/app.js", "again");
    expect(filesIn(await batches.next(seen + 1))).toEqual([path("src/app.js")]);
    await write("src/app.js", "and once more");
    expect(filesIn(await batches.next(seen + 2))).toEqual([path("src/app.js")]);
  });

  it("waits until a file that is written in pieces is complete", async () => {
    await start(context(), 300);
    let written = false;
    const writing = (async () => {
      for (let piece = 0; piece < 40; piece += 1) {
        await appendFile(path("src/app.js"), "x".repeat(1000));
        await new Promise((resolve) => setImmediate(resolve));
      }
      written = true;
    })();
    await batches.next();
    expect(written).toBe(true);
    await writing;
    expect(batches.all).toHaveLength(1);
  });

  it("cares for nothing that .dockerignore leaves out, node_modules, .git, nor what editors leave behind", async () => {
    await write(".dockerignore", "tmp\n*.log\n!keep.log\n");
    for (const dir of ["tmp", "node_modules/a", ".git"]) await mkdir(path(dir), { recursive: true });
    await start(context());
    const ignored = [
      "tmp/a",
      "x.log",
      "node_modules/a/index.js",
      ".git/HEAD",
      "src/.app.js.swp",
      "src/4913",
      "src/app.js~",
    ];
    for (const name of ignored) await write(name, "1");
    await write("keep.log", "1");
    await write("src/sentinel.js", "1");
    const files = await batches.until(path("src/sentinel.js"));
    expect(new Set(files)).toEqual(new Set([path("keep.log"), path("src/sentinel.js")]));
  });

  it("follows new rules as soon as .dockerignore changes", async () => {
    await write(".dockerignore", "tmp\n");
    await mkdir(path("tmp"));
    await start(context());
    await write(".dockerignore", "src\n");
    expect(filesIn(await batches.next())).toEqual([path(".dockerignore")]);
    await write("src/app.js", "not in the context any more");
    await write("tmp/file", "in the context from now on");
    expect(await batches.until(path("tmp/file"))).toEqual([path(".dockerignore"), path("tmp/file")]);
    await unlink(path(".dockerignore"));
    await batches.next(2);
    await write("src/app.js", "back");
    expect(await batches.until(path("src/app.js"))).toContain(path("src/app.js"));
  });

  it("sees the Dockerfile although .dockerignore leaves it out, and outside of the context", async () => {
    await write(".dockerignore", "*\n");
    await mkdir(path("images"));
    await write("images/Other.dockerfile", "FROM scratch\n");
    const outside = { id: "outside", root: path("src"), dockerfile: "../images/Other.dockerfile" };
    await start({ manifests: [], contexts: [...context().contexts, outside] });
    await write("Dockerfile", "FROM scratch\n# changed\n");
    expect((await batches.next()).contexts).toEqual(new Map([["hello", [path("Dockerfile")]]]));
    await write("images/Other.dockerfile", "FROM scratch\n# changed\n");
    expect((await batches.next(1)).contexts).toEqual(
      new Map([["outside", [path("images/Other.dockerfile")]]]),
    );
  });

  it("watches a context that is reached through a symlink, by the name that the user gave it", async () => {
    const link = `${root}-link`;
    await symlink(root, link);
    try {
      await start({ manifests: [], contexts: [{ id: "hello", root: link, dockerfile: "Dockerfile" }] });
      await write("src/app.js", "2");
      expect(filesIn(await batches.next())).toEqual([join(link, "src/app.js")]);
    } finally {
      await rm(link);
    }
  });

  it("says what is wrong when the rules cannot be read, and watches all the same", async () => {
    await mkdir(path(".dockerignore"));
    await start(context());
    expect(batches.problems).toMatchObject([{ code: "watch-failed", severity: "warning" }]);
    await write("src/app.js", "2");
    expect(filesIn(await batches.next())).toEqual([path("src/app.js")]);
  });
});

describe("manifests", () => {
  it("reports a manifest, through atomic saves and after it was deleted and made again", async () => {
    await start({ manifests: [path("service.yaml")], contexts: [] });
    for (let edit = 0; edit < 5; edit += 1) {
      await write("service.yaml.new", `kind: Service # ${edit}\n`);
      await rename(path("service.yaml.new"), path("service.yaml"));
      expect((await batches.next(edit)).manifestFiles).toEqual([path("service.yaml")]);
    }
    await unlink(path("service.yaml"));
    expect((await batches.next(5)).manifestFiles).toEqual([path("service.yaml")]);
    await write("service.yaml", "kind: Service\n");
    expect((await batches.next(6)).manifestFiles).toEqual([path("service.yaml")]);
  });

  it("cares for nothing else beside a file, and for the manifests directly inside a directory", async () => {
    await mkdir(path("config/nested"), { recursive: true });
    await start({ manifests: [path("service.yaml"), path("config")], contexts: [] });
    await write("other.yaml", "1");
    await write("config/readme.md", "1");
    await write("config/nested/deep.yaml", "1");
    await write("config/new.yml", "1");
    expect((await batches.next()).manifestFiles).toEqual([path("config/new.yml")]);
    await write("service.yaml", "kind: Service # 2\n");
    expect((await batches.next(1)).manifestFiles).toEqual([path("service.yaml")]);
  });

  it("names a manifest inside a context in both lists", async () => {
    await start({ ...context(), manifests: [path("service.yaml")] });
    await write("service.yaml", "kind: Service # 2\n");
    const batch = await batches.next();
    expect(batch.manifestFiles).toEqual([path("service.yaml")]);
    expect(batch.contexts).toEqual(new Map([["hello", [path("service.yaml")]]]));
  });
});

describe("targets", () => {
  it("come and go while others stay watched", async () => {
    await mkdir(path("a"));
    await mkdir(path("b"));
    const target = (id: string) => ({ id, root: path(id), dockerfile: "Dockerfile" });
    const running = await start({ manifests: [], contexts: [target("a")] });
    await running.setTargets({ manifests: [], contexts: [target("a"), target("b")] });
    await write("b/one", "1");
    expect([...(await batches.next()).contexts.keys()]).toEqual(["b"]);
    await running.setTargets({ manifests: [], contexts: [target("b")] });
    await write("a/ignored", "1");
    await write("b/two", "2");
    expect(await batches.until(path("b/two"))).not.toContain(path("a/ignored"));
  });

  it("are silent after close, which may come at any time", async () => {
    const running = await start(context());
    await write("src/app.js", "2");
    await Promise.all([running.close(), running.close()]);
    const early = createWatcher({
      clock: systemClock(),
      targets: context(),
      onChange: batches.add,
      onProblem: () => undefined,
    });
    await early.close();
    await early.ready;
    expect(batches.all).toEqual([]);
  });
});
