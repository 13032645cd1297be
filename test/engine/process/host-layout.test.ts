import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { argvOf, commandOnHost, environment, onHost } from "../../../src/engine/process/host-layout.ts";

const directory = mkdtempSync(join(tmpdir(), "layout-"));
mkdirSync(join(directory, "node_modules/.bin"), { recursive: true });
mkdirSync(join(directory, "sub"));
writeFileSync(join(directory, "server.js"), "");
writeFileSync(join(directory, "sub/conf.json"), "");
afterAll(() => rmSync(directory, { recursive: true }));

const layout = { directory, imageDirectory: "/app" };

describe("commandOnHost", () => {
  it.each<[string, string[], string[]]>([
    ["a path below WORKDIR", ["node", "/app/server.js"], ["node", `${directory}/server.js`]],
    ["WORKDIR itself", ["serve", "/app"], ["serve", directory]],
    ["a path not in normal form", ["cat", "/app/./sub/../server.js"], ["cat", `${directory}/server.js`]],
    ["an option's value", ["x", "--config=/app/sub/conf.json"], ["x", `--config=${directory}/sub/conf.json`]],
    [
      "a shell's script",
      ["/bin/sh", "-c", 'exec node "/app/server.js" >/app/none; ls /app/sub'],
      ["/bin/sh", "-c", `exec node "${directory}/server.js" >/app/none; ls ${directory}/sub`],
    ],
    ["what isn't in the source", ["/app/server"], ["/app/server"]],
    ["what only begins alike", ["/application/server.js"], ["/application/server.js"]],
    ["what leads out of WORKDIR", ["/app/../etc/passwd"], ["/app/../etc/passwd"]],
    [
      "relative paths and words",
      ["node", "server.js", "a /app/server.js"],
      ["node", "server.js", "a /app/server.js"],
    ],
    ["a -c that isn't a shell's", ["tool", "-c", "x /app/server.js"], ["tool", "-c", "x /app/server.js"]],
  ])("%s", (_title, argv, expected) => {
    expect(commandOnHost(argv, layout)).toEqual(expected);
  });

  it("without WORKDIR maps files of the root, not the root", () => {
    const root = { directory, imageDirectory: "/" };
    expect(onHost("/server.js", root)).toBe(join(directory, "server.js"));
    expect(onHost("/", root)).toBe("/");
  });
});

describe("argvOf", () => {
  const artifact = { entrypoint: ["e"], cmd: ["c"] };
  it.each<[string, { command?: string[]; args?: string[] }, string[]]>([
    ["neither", {}, ["e", "c"]],
    ["args", { args: ["a"] }, ["e", "a"]],
    ["command", { command: ["x"] }, ["x"]],
    ["both", { command: ["x"], args: ["a"] }, ["x", "a"]],
    ["empty ones are absent", { command: [], args: [] }, ["e", "c"]],
  ])("%s", (_title, given, expected) => {
    expect(argvOf({ artifact, ...given })).toEqual(expected);
  });
});

describe("environment", () => {
  const host = { PATH: "/usr/bin:/bin", HOME: "/home/me", SECRET_TOKEN: "x", PORT: "1" };
  it("is a small base, the image's, the run's, and a PORT of its own", () => {
    const parts = {
      host,
      image: [
        ["A", "image"],
        ["B", "image"],
      ] as const,
      run: [
        ["B", "run"],
        ["PORT", "8080"],
      ] as const,
    };
    expect(environment({ ...parts, port: 4711 }, layout)).toEqual({
      PATH: "/usr/bin:/bin",
      HOME: "/home/me",
      A: "image",
      B: "run",
      PORT: "4711",
    });
  });

  it("maps the image's PATH and keeps the host's behind it", () => {
    const image = [["PATH", "/app/node_modules/.bin:/opt/none:/usr/bin:/bin"]] as const;
    expect(environment({ host, image, run: [], port: 1 }, layout)["PATH"]).toBe(
      `${directory}/node_modules/.bin:/opt/none:/usr/bin:/bin`,
    );
    expect(environment({ host, image: [["PATH", "/opt/none"]], run: [], port: 1 }, layout)["PATH"]).toBe(
      "/opt/none:/usr/bin:/bin",
    );
  });
});
