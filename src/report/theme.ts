/** Colours and marks, decided once a stream. */
import { Chalk, type ColorSupportLevel } from "chalk";

export type Paint = (text: string) => string;
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Theme {
  /** 0 = no escape sequence at all. */
  readonly level: ColorSupportLevel;
  readonly plain: Paint;
  readonly dim: Paint;
  readonly bold: Paint;
  readonly success: Paint;
  readonly warning: Paint;
  readonly error: Paint;
  readonly accent: Paint;
  readonly url: Paint;
  /** The same name has the same colour in every run. */
  readonly name: (name: string) => Paint;
  readonly marks: Marks;
}

export interface Marks {
  readonly ours: string;
  readonly app: string;
  readonly done: string;
  readonly failed: string;
  readonly warning: string;
  readonly arrow: string;
  readonly dot: string;
  readonly spinner: readonly string[];
  readonly barFull: string;
  readonly barEmpty: string;
}

const UNICODE: Marks = {
  ours: "▸",
  app: "│",
  done: "✔",
  failed: "✘",
  warning: "▲",
  arrow: "→",
  dot: "·",
  spinner: ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
  barFull: "━",
  barEmpty: "─",
};

/** For the Linux console, whose font has none of the above. */
const ASCII: Marks = {
  ours: ">",
  app: "|",
  done: "+",
  failed: "x",
  warning: "!",
  arrow: "->",
  dot: "-",
  spinner: ["|", "/", "-", "\\"],
  barFull: "=",
  barEmpty: "-",
};

/**
 * FORCE_COLOR before NO_COLOR (as Node itself ranks them), then CI and what the stream is. CI counts as no terminal
 * even where it has a pseudo-terminal: what is shown there is a log file.
 */
export function colourLevel(isTTY: boolean, env: Environment): ColorSupportLevel {
  const forced = env["FORCE_COLOR"];
  if (forced !== undefined) return forcedLevel(forced);
  if ((env["NO_COLOR"] ?? "") !== "" || !isTTY || inCi(env) || env["TERM"] === "dumb") return 0;
  if (/^(?:truecolor|24bit)$/.test(env["COLORTERM"] ?? "")) return 3;
  return /256(?:color)?$/.test(env["TERM"] ?? "") ? 2 : 1;
}

function forcedLevel(value: string): ColorSupportLevel {
  if (value === "0" || value === "false") return 0;
  if (value === "2") return 2;
  return value === "3" ? 3 : 1;
}

/** CI is set by every CI service that matters; `CI=false` and `CI=0` say no. */
export function inCi(env: Environment): boolean {
  const value = env["CI"];
  return value !== undefined && value !== "" && value !== "false" && value !== "0";
}

export function createTheme(level: ColorSupportLevel, env: Environment): Theme {
  const chalk = new Chalk({ level });
  // Red, yellow and plain green are taken: they mean something.
  const basic: Paint[] = [
    chalk.cyan,
    chalk.magenta,
    chalk.blue,
    chalk.cyanBright,
    chalk.magentaBright,
    chalk.blueBright,
  ];
  const palette = level < 2 ? basic : NAME_COLOURS.map((code) => chalk.ansi256(code));
  const plain: Paint = (text) => text;
  return {
    level,
    plain,
    dim: chalk.dim,
    bold: chalk.bold,
    success: chalk.green,
    warning: chalk.yellow,
    error: chalk.red,
    accent: chalk.cyan,
    url: chalk.cyan.underline,
    name: (name) => palette[hash(name) % palette.length] ?? plain,
    marks: env["TERM"] === "linux" ? ASCII : UNICODE,
  };
}

/** Of the 256: readable on black and on white, apart from each other, none red or yellow. */
const NAME_COLOURS = [33, 37, 63, 71, 97, 99, 107, 109, 133, 139, 168, 173];

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    value ^= text.charCodeAt(at);
    value = Math.imul(value, 0x01000193) >>> 0;
  }
  return value;
}
