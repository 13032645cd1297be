/** Durations in Go's notation: `90s`, `1m30s`, `1.5h`, `-2us`. Source: Go's time.ParseDuration. */

const NANOS: ReadonlyMap<string, bigint> = new Map([
  ["ns", 1n],
  ["us", 1_000n],
  ["\u00b5s", 1_000n],
  ["\u03bcs", 1_000n],
  ["ms", 1_000_000n],
  ["s", 1_000_000_000n],
  ["m", 60_000_000_000n],
  ["h", 3_600_000_000_000n],
]);
const PART = /([0-9]*)(?:\.([0-9]*))?(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/y;
const MAX_NANOS = 2n ** 63n - 1n;
const MAX_LENGTH = 200;

/** Nanoseconds, or undefined if the text is not a duration or does not fit 64 bits. */
export function parseGoDuration(text: string): bigint | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const sign = /^[-+]/.exec(text)?.[0];
  const body = sign === undefined ? text : text.slice(1);
  if (body === "0") return 0n;
  if (body === "") return undefined;
  let total = 0n;
  let position = 0;
  while (position < body.length) {
    PART.lastIndex = position;
    const match = PART.exec(body);
    if (match === null) return undefined;
    const [all, whole = "", fraction = "", unit = ""] = match;
    if (whole === "" && fraction === "") return undefined;
    const nanos = NANOS.get(unit) ?? 0n;
    total += BigInt(whole === "" ? "0" : whole) * nanos + fractionOf(fraction, nanos);
    position += all.length;
  }
  if (total > MAX_NANOS) return undefined;
  return sign === "-" ? -total : total;
}

/** Milliseconds, or undefined if the text is not a duration. */
export function goDurationMs(text: string): number | undefined {
  const nanos = parseGoDuration(text);
  return nanos === undefined ? undefined : Number(nanos) / 1e6;
}

function fractionOf(digits: string, nanos: bigint): bigint {
  return digits === "" ? 0n : (BigInt(digits) * nanos) / 10n ** BigInt(digits.length);
}
