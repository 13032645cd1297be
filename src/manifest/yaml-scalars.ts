/**
 * The value of a plain (unquoted) scalar as Kubernetes tools read it. They parse with sigs.k8s.io/yaml, a YAML 1.1
 * dialect, and not with the YAML 1.2 core schema: `yes` and `on` are booleans, `010` is eight, `12:30` is a string,
 * a date is a string.
 */
import type { Raw } from "./raw.ts";

const WORDS = new Map<string, Raw>();
for (const word of ["", "~", "null", "Null", "NULL"]) WORDS.set(word, null);
for (const word of ["y", "yes", "true", "on"]) addWord(word, true);
for (const word of ["n", "no", "false", "off"]) addWord(word, false);
for (const word of [".nan", ".NaN", ".NAN"]) WORDS.set(word, Number.NaN);
for (const word of [".inf", ".Inf", ".INF"]) {
  WORDS.set(word, Infinity).set(`+${word}`, Infinity).set(`-${word}`, -Infinity);
}

function addWord(word: string, value: boolean): void {
  WORDS.set(word, value);
  WORDS.set(word.toUpperCase(), value);
  WORDS.set(word.charAt(0).toUpperCase() + word.slice(1), value);
}

const INTEGER = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[oO]([0-7]+)|0[bB]([01]+)|0([0-7]+)|(0|[1-9][0-9]*))$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const INT64_MIN = -(2n ** 63n);
const UINT64_MAX = 2n ** 64n - 1n;
/** Longer digits than these are a float at best; BigInt of a megabyte of digits would be slow. */
const MAX_NUMBER_LENGTH = 400;

export function resolvePlain(text: string): Raw {
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  if (text.length > MAX_NUMBER_LENGTH || !/^[-+.0-9]/.test(text)) return text;
  const plain = text.startsWith(".") ? text : text.replaceAll("_", "");
  const integer = parseInteger(plain);
  if (integer !== undefined) return integer;
  if (!FLOAT.test(plain)) return text;
  const float = Number(plain);
  return Number.isFinite(float) ? float : text;
}

function parseInteger(plain: string): Raw | undefined {
  const match = INTEGER.exec(plain);
  if (match === null) return undefined;
  const [, sign, hex, octal, binary, oldOctal, decimal] = match;
  const magnitude = BigInt(
    prefixed(hex, "0x") ?? prefixed(octal ?? oldOctal, "0o") ?? prefixed(binary, "0b") ?? decimal ?? "0",
  );
  const value = sign === "-" ? -magnitude : magnitude;
  if (value < INT64_MIN || value > UINT64_MAX) return decimal === undefined ? undefined : Number(value);
  return value;
}

function prefixed(digits: string | undefined, prefix: string): string | undefined {
  return digits === undefined ? undefined : prefix + digits;
}
