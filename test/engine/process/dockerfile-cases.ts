import type { StageConfig } from "../../../src/engine/process/dockerfile-stage.ts";

export interface DockerfileCase {
  readonly title: string;
  readonly text: string;
  /** What isn't the default: empty, working directory `/`. */
  readonly config: Partial<Omit<StageConfig, "base" | "env"> & { env: Record<string, string> }>;
}

const sh = (script: string): string[] => ["/bin/sh", "-c", script];

/** Dockerfiles and the configuration they give; the docker test asks a real builder about the same ones. */
export const dockerfiles: readonly DockerfileCase[] = [
  { title: "nothing said", text: "FROM scratch", config: {} },
  { title: "CMD as JSON", text: `FROM scratch\nCMD ["a", "b c", "$d"]`, config: { cmd: ["a", "b c", "$d"] } },
  { title: "CMD in shell form", text: "FROM scratch\nCMD exec  a $B", config: { cmd: sh("exec  a $B") } },
  {
    title: "what looks like JSON but isn't is shell form",
    text: "FROM scratch\nCMD ['a', 'b']",
    config: { cmd: sh("['a', 'b']") },
  },
  { title: "the last CMD counts", text: "FROM scratch\nCMD a\nCMD b", config: { cmd: sh("b") } },
  {
    title: "ENTRYPOINT with CMD before it",
    text: `FROM scratch\nCMD ["c"]\nENTRYPOINT ["e"]`,
    config: { entrypoint: ["e"], cmd: ["c"] },
  },
  {
    title: "ENTRYPOINT in shell form keeps CMD beside it",
    text: `FROM scratch\nENTRYPOINT e f\nCMD ["c"]`,
    config: { entrypoint: sh("e f"), cmd: ["c"] },
  },
  {
    title: "ENTRYPOINT drops a CMD that is inherited",
    text: `FROM scratch AS a\nCMD ["c"]\nFROM a\nENTRYPOINT ["e"]`,
    config: { entrypoint: ["e"] },
  },
  {
    title: "a stage inherits from the stage it names, in any case of letters",
    text: `FROM scratch AS Base\nENV A=1\nWORKDIR /app\nUSER me\nEXPOSE 80\nENTRYPOINT ["e"]\nFROM base as last\nWORKDIR sub\nCMD ["c"]`,
    config: {
      entrypoint: ["e"],
      cmd: ["c"],
      env: { A: "1" },
      workingDir: "/app/sub",
      user: "me",
      exposedPorts: ["80/tcp"],
    },
  },
  {
    title: "another stage's configuration stays there",
    text: `FROM scratch AS build\nENV A=1\nCMD ["build"]\nFROM scratch\nCMD ["run"]`,
    config: { cmd: ["run"] },
  },
  {
    title: "lower-case instructions and continuations with a comment between",
    text: `from scratch\nenv A=1 \\\n  # a comment\n  B=2\ncmd ["a", \\\n"b"]`,
    config: { env: { A: "1", B: "2" }, cmd: ["a", "b"] },
  },
  {
    title: "ENV in its old form takes the rest of the line",
    text: "FROM scratch\nENV A some words = here",
    config: { env: { A: "some words = here" } },
  },
  {
    title: "ENV with quotes and escapes",
    text:
      String.raw`FROM scratch` +
      "\n" +
      String.raw`ENV A="x y" B='$A "q"' C=a\ b D="say \"hi\" \$A \n" E=\$A F=a"b"'c'`,
    config: {
      env: { A: "x y", B: '$A "q"', C: "a b", D: 'say "hi" $A \\n', E: "$A", F: "abc" },
    },
  },
  {
    title: "one ENV sees the values from before it",
    text: "FROM scratch\nENV a=hello\nENV a=bye b=$a\nENV c=$a",
    config: { env: { a: "bye", b: "hello", c: "bye" } },
  },
  {
    title: "expansions with defaults and alternatives",
    text: "FROM scratch\nENV s=set e=\nENV a=${s:-no} b=${n:-yes} c=${e:-yes} d=${s:+alt} f=${n:+alt} g=${n} h=${n:-${s}} i=a${s}b",
    config: {
      env: { s: "set", e: "", a: "set", b: "yes", c: "yes", d: "alt", f: "", g: "", h: "set", i: "asetb" },
    },
  },
  {
    title: "ARG with a default, ENV over ARG",
    text: "FROM scratch\nARG V=1\nENV A=$V\nENV V=2\nENV B=$V",
    config: { env: { A: "1", V: "2", B: "2" } },
  },
  {
    title: "ARG before FROM counts in FROM, and in a stage only where it is declared again",
    text: "ARG BASE=scratch\nARG V=1\nFROM $BASE\nENV A=$V\nARG V\nENV B=$V",
    config: { env: { A: "", B: "1" } },
  },
  {
    title: "ARG isn't inherited as environment",
    text: 'FROM scratch AS a\nARG V=1\nFROM a\nCMD ["x"]',
    config: { cmd: ["x"] },
  },
  {
    title: "WORKDIR, absolute and relative, expanded",
    text: "FROM scratch\nENV D=/srv\nWORKDIR $D/app/\nWORKDIR ../web",
    config: { env: { D: "/srv" }, workingDir: "/srv/web" },
  },
  {
    title: "EXPOSE with protocols and variables",
    text: "FROM scratch\nARG P=9000\nEXPOSE 8080 53/udp $P",
    config: { exposedPorts: ["8080/tcp", "53/udp", "9000/tcp"] },
  },
  {
    title: "SHELL changes the shell form from there on",
    text: `FROM scratch\nENTRYPOINT before\nSHELL ["/bin/bash", "-euc"]\nCMD after`,
    config: { entrypoint: sh("before"), cmd: ["/bin/bash", "-euc", "after"] },
  },
  {
    title: "HEALTHCHECK's and ONBUILD's CMD is another",
    text: `FROM scratch\nCMD ["c"]\nHEALTHCHECK CMD curl x\nONBUILD CMD ["o"]\nLABEL CMD=x`,
    config: { cmd: ["c"] },
  },
  {
    title: "an escape directive makes backslashes plain",
    text: "# escape=`\nFROM scratch\nENV A=C:\\dir `\n  B=x`$y\nCMD a `\n  b",
    config: { env: { A: "C:\\dir", B: "x$y" }, cmd: sh("a   b") },
  },
  {
    title: "an empty ENTRYPOINT clears it",
    text: `FROM scratch\nENTRYPOINT ["e"]\nENTRYPOINT []`,
    config: {},
  },
  {
    title: "CRLF",
    text: `FROM scratch\r\nENV A=1\r\nCMD ["a"]\r\n`,
    config: { env: { A: "1" }, cmd: ["a"] },
  },
];
