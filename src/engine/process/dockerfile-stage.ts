import { posix } from "node:path";
import { KserveLocalError } from "../../kernel/errors.ts";
import { type Instruction, readInstructions } from "./dockerfile-instructions.ts";
import { expandWord, ExpansionError, type Lookup, nameValues, splitWords } from "./dockerfile-words.ts";

/** What the last stage of a Dockerfile says about running; what its base image adds is not known without an engine. */
export interface StageConfig {
  /** Reference of the image that the stage comes from in the end. */
  readonly base: string;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly env: ReadonlyArray<readonly [name: string, value: string]>;
  readonly workingDir: string;
  readonly user: string;
  /** e.g. `8080/tcp`. */
  readonly exposedPorts: readonly string[];
}

interface Stage {
  base: string;
  entrypoint: readonly string[];
  cmd: readonly string[];
  /** CMD was given in this stage, not inherited: then ENTRYPOINT leaves it alone. */
  cmdIsOwn: boolean;
  readonly env: Map<string, string>;
  readonly args: Map<string, string>;
  workingDir: string;
  user: string;
  readonly exposedPorts: Set<string>;
  shell: readonly string[];
}

/** What BuildKit sets by itself; everything is built for linux/amd64. */
const PLATFORM_ARGS: ReadonlyArray<readonly [string, string]> = [
  ["TARGETPLATFORM", "linux/amd64"],
  ["TARGETOS", "linux"],
  ["TARGETARCH", "amd64"],
  ["BUILDPLATFORM", "linux/amd64"],
  ["BUILDOS", "linux"],
  ["BUILDARCH", "amd64"],
];

export interface DockerfileSource {
  readonly text: string;
  /** For messages. */
  readonly file: string;
  /** Stands for the variables of the base image, which can't be known here (`PATH`). */
  readonly baseEnv?: Readonly<Record<string, string>>;
}

/** What the instructions read so far have made. */
interface Reading {
  readonly escape: string;
  readonly baseEnv: Readonly<Record<string, string>>;
  readonly stages: Map<string, Stage>;
  readonly globals: Map<string, string>;
  stage: Stage | undefined;
}

/**
 * Reads the stage that `docker build` without `--target` would give: the last one. Undefined where there is none.
 * Throws KserveLocalError `build-failed`, with the line, for an expansion that fails.
 */
export function lastStage({ text, file, baseEnv = {} }: DockerfileSource): StageConfig | undefined {
  const { instructions, escape } = readInstructions(text);
  const reading: Reading = {
    escape,
    baseEnv,
    stages: new Map(),
    globals: new Map(PLATFORM_ARGS),
    stage: undefined,
  };
  for (const instruction of instructions) {
    try {
      read(instruction, reading);
    } catch (error) {
      if (!(error instanceof ExpansionError)) throw error;
      throw new KserveLocalError("build-failed", {
        what: `can't read ${instruction.name} of the Dockerfile`,
        why: error.message,
        fix: "change the line, give the command to run after `--`, or start a container engine",
        at: { file, line: instruction.line },
        cause: error,
      });
    }
  }
  const { stage } = reading;
  return stage === undefined
    ? undefined
    : { ...stage, env: [...stage.env], exposedPorts: [...stage.exposedPorts] };
}

function read(instruction: Instruction, reading: Reading): void {
  const { escape, globals, stages, stage, baseEnv } = reading;
  const expandGlobal: Expand = (word) => expandWord(word, (name) => globals.get(name), escape);
  if (instruction.name === "FROM") {
    const from = splitWords(instruction.rest, escape).filter((word) => !word.startsWith("--"));
    const image = expandGlobal(from[0] ?? "");
    const parent = stages.get(image.toLowerCase());
    reading.stage = parent === undefined ? emptyStage(image) : inherit(parent);
    if (from[1]?.toLowerCase() === "as" && from[2] !== undefined)
      stages.set(from[2].toLowerCase(), reading.stage);
  } else if (stage !== undefined) {
    const lookup: Lookup = (name) => stage.env.get(name) ?? stage.args.get(name) ?? baseEnv[name];
    apply(instruction, stage, globals, (word) => expandWord(word, lookup, escape), escape);
  } else if (instruction.name === "ARG") {
    declareArgs(instruction, globals, undefined, expandGlobal, escape);
  }
}

function emptyStage(base: string): Stage {
  return {
    base,
    entrypoint: [],
    cmd: [],
    cmdIsOwn: false,
    env: new Map(),
    args: new Map(),
    workingDir: "/",
    user: "",
    exposedPorts: new Set(),
    shell: ["/bin/sh", "-c"],
  };
}

function inherit(parent: Stage): Stage {
  return {
    ...parent,
    cmdIsOwn: false,
    env: new Map(parent.env),
    args: new Map(parent.args),
    exposedPorts: new Set(parent.exposedPorts),
  };
}

type Expand = (word: string) => string;

function apply(
  instruction: Instruction,
  stage: Stage,
  globals: ReadonlyMap<string, string>,
  expand: Expand,
  escape: string,
): void {
  const { name, rest } = instruction;
  switch (name) {
    case "ARG":
      declareArgs(instruction, stage.args, globals, expand, escape);
      break;
    case "ENV":
      // All values see the variables as they were before this instruction.
      for (const [key, value] of nameValues(rest, escape).map(
        ([key, value]) => [expand(key), expand(value)] as const,
      )) {
        stage.env.set(key, value);
      }
      break;
    case "WORKDIR":
      stage.workingDir = posix.resolve("/", stage.workingDir, expand(rest));
      break;
    case "USER":
      stage.user = expand(rest);
      break;
    case "EXPOSE":
      for (const port of splitWords(rest, escape)) stage.exposedPorts.add(withProtocol(expand(port)));
      break;
    case "SHELL":
      stage.shell = execForm(rest) ?? stage.shell;
      break;
    case "CMD":
      stage.cmd = execForm(rest) ?? [...stage.shell, rest];
      stage.cmdIsOwn = true;
      break;
    case "ENTRYPOINT":
      stage.entrypoint = execForm(rest) ?? [...stage.shell, rest];
      if (!stage.cmdIsOwn) stage.cmd = [];
      break;
    default:
    // The rest builds the file system, which a host process doesn't have.
  }
}

function declareArgs(
  instruction: Instruction,
  args: Map<string, string>,
  globals: ReadonlyMap<string, string> | undefined,
  expand: Expand,
  escape: string,
): void {
  for (const word of splitWords(instruction.rest, escape)) {
    const equals = word.indexOf("=");
    if (equals >= 0) args.set(word.slice(0, equals), expand(word.slice(equals + 1)));
    else {
      const inherited = globals?.get(word);
      if (inherited !== undefined) args.set(word, inherited);
    }
  }
}

/** A JSON array of strings; anything else is the shell form. */
function execForm(rest: string): readonly string[] | undefined {
  if (!rest.startsWith("[")) return undefined;
  try {
    const value: unknown = JSON.parse(rest);
    return Array.isArray(value) && value.every((item): item is string => typeof item === "string")
      ? value
      : undefined;
  } catch {
    return undefined;
  }
}

function withProtocol(port: string): string {
  return port.includes("/") ? port.toLowerCase() : `${port}/tcp`;
}
