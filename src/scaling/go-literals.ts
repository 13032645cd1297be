/**
 * Knative reads its annotations and config maps with Go's strconv and time packages, so the texts mean here what they
 * mean there. Every function gives undefined for a text that Go would refuse, and for one that is not finite.
 */

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  "\u00B5s": 1e-3, // micro sign
  "\u03BCs": 1e-3, // Greek mu
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const DURATION = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|\u00B5s|\u03BCs|ms|s|m|h))+$/u;
const DURATION_PART = /(\d+\.?\d*|\.\d+)(ns|us|\u00B5s|\u03BCs|ms|s|m|h)/gu;
const INT32_MAX = 2 ** 31 - 1;

/** `time.ParseDuration`, in milliseconds: "90s", "1m30s", "1.5h", "0". */
export function parseDurationMs(text: string): number | undefined {
  if (/^[+-]?0$/.test(text)) return 0;
  if (!DURATION.test(text)) return undefined;
  let ms = 0;
  for (const [, amount = "", unit = ""] of text.matchAll(DURATION_PART)) {
    ms += Number(amount) * (UNIT_MS[unit] ?? Number.NaN);
  }
  return Number.isFinite(ms) ? (text.startsWith("-") ? -ms : ms) : undefined;
}

/** `strconv.ParseFloat`: decimal and exponent forms. */
export function parseFloat64(text: string): number | undefined {
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** `strconv.ParseInt(text, 10, 32)`. */
export function parseInt32(text: string): number | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const value = Number(text);
  return value >= -INT32_MAX - 1 && value <= INT32_MAX ? value : undefined;
}

/** `strconv.ParseBool`. */
export function parseBool(text: string): boolean | undefined {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(text)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(text)) return false;
  return undefined;
}
