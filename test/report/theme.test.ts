import { describe, expect, it } from "vitest";
import { colourLevel, createTheme, inCi } from "../../src/report/theme.ts";

describe("colours", () => {
  it.each([
    ["a terminal", true, { TERM: "xterm" }, 1],
    ["of 256 colours", true, { TERM: "xterm-256color" }, 2],
    ["of all colours", true, { TERM: "xterm-256color", COLORTERM: "truecolor" }, 3],
    ["a pipe", false, { TERM: "xterm" }, 0],
    ["NO_COLOR", true, { NO_COLOR: "1" }, 0],
    ["an empty NO_COLOR says nothing", true, { NO_COLOR: "" }, 1],
    ["CI", true, { CI: "true" }, 0],
    ["CI=false", true, { CI: "false" }, 1],
    ["a dumb terminal", true, { TERM: "dumb" }, 0],
    ["FORCE_COLOR in a pipe", false, { FORCE_COLOR: "1" }, 1],
    ["FORCE_COLOR before NO_COLOR and CI", false, { FORCE_COLOR: "3", NO_COLOR: "1", CI: "1" }, 3],
    ["FORCE_COLOR=0", true, { FORCE_COLOR: "0" }, 0],
    ["an empty FORCE_COLOR", false, { FORCE_COLOR: "" }, 1],
  ])("%s", (_name, isTTY, env, level) => {
    expect(colourLevel(isTTY, env)).toBe(level);
  });

  it("give a name the same colour each time, and names different ones", () => {
    const theme = createTheme(2, {});
    const paint = (name: string): string => theme.name(name)("x");
    expect(paint("hello-00001-x8k2p")).toBe(createTheme(2, {}).name("hello-00001-x8k2p")("x"));
    const names = Array.from({ length: 40 }, (_, index) => `hello-00001-${index}`);
    expect(new Set(names.map(paint)).size).toBeGreaterThan(6);
  });

  it("are absent at level 0", () => {
    const theme = createTheme(0, {});
    expect([theme.error("x"), theme.url("x"), theme.name("n")("x")]).toEqual(["x", "x", "x"]);
  });

  it("come with marks that the Linux console can show", () => {
    expect(createTheme(0, { TERM: "linux" }).marks.ours).toBe(">");
    expect(createTheme(0, { TERM: "xterm" }).marks.ours).toBe("▸");
  });

  it.each([
    [undefined, false],
    ["", false],
    ["0", false],
    ["1", true],
    ["woodpecker", true],
  ])("CI=%s is CI: %s", (value, expected) => {
    expect(inCi({ CI: value })).toBe(expected);
  });
});
