import { describe, expect, it } from "vitest";
import { EMPTY_BATCH, filesOf, mergeBatches } from "../../src/devloop/change-batch.ts";
import { isNeverWatched } from "../../src/devloop/unwatched.ts";
import { watchProblem } from "../../src/devloop/watch-problem.ts";

describe("what never counts", () => {
  it.each([
    ["node_modules/a/index.js", true],
    ["packages/web/node_modules", true],
    [".git/index", true],
    ["src/.app.js.swp", true],
    ["4913", true],
    ["src/app.js~", true],
    ["src/.#app.js", true],
    ["src/#app.js#", true],
    ["src/app.js___jb_tmp___", true],
    [".DS_Store", true],
    ["src/app.js", false],
    [".gitignore", false],
    [".github/x.yml", false],
    ["swap.swift", false],
    ["49131", false],
    ["#notes", false],
  ])("%s: %s", (path, expected) => {
    expect(isNeverWatched(path)).toBe(expected);
  });
});

describe("a watch that fails", () => {
  const failure = (code: string): Error => Object.assign(new Error(`${code}: no`), { code });

  it.each([
    ["ENOSPC", "sudo sysctl fs.inotify.max_user_watches=524288"],
    ["EMFILE", "sudo sysctl fs.inotify.max_user_instances=1024"],
  ])("names the limit and its setting: %s", (code, fix) => {
    const problem = watchProblem(failure(code), "/app", "linux");
    expect(problem).toMatchObject({ severity: "warning", code: "watch-limit", why: `${code}: no` });
    expect(problem.message).toContain("/app");
    expect(problem.hint).toContain(fix);
  });

  it("does not speak of inotify where there is none, nor of limits where it is something else", () => {
    expect(watchProblem(failure("EMFILE"), "/app", "darwin").code).toBe("watch-failed");
    expect(watchProblem(failure("EACCES"), "/app", "linux")).toMatchObject({
      code: "watch-failed",
      why: "EACCES: no",
    });
    expect(watchProblem("odd", "/app", "linux").why).toBe("odd");
  });
});

describe("batches", () => {
  it("merge without doubles, by context", () => {
    const first = { manifestFiles: ["/b", "/a"], contexts: new Map([["x", ["/x1"]]]) };
    const second = {
      manifestFiles: ["/a"],
      contexts: new Map([
        ["x", ["/x1", "/x0"]],
        ["y", ["/y"]],
      ]),
    };
    const merged = mergeBatches(mergeBatches(EMPTY_BATCH, first), second);
    expect(merged.manifestFiles).toEqual(["/a", "/b"]);
    expect(merged.contexts).toEqual(
      new Map([
        ["x", ["/x0", "/x1"]],
        ["y", ["/y"]],
      ]),
    );
    expect(filesOf(merged)).toEqual(["/a", "/b", "/x0", "/x1", "/y"]);
  });
});
