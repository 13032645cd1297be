/**
 * Kubernetes quantities: `500m`, `512Mi`, `1e3`. Exact; written back the way Kubernetes does.
 * Source of the rules: k8s.io/apimachinery/pkg/api/resource/quantity.go and suffix.go.
 */

export type QuantityFormat = "decimal" | "exponent" | "binary";

/** The value is `nanos` / 10^9. */
export interface Quantity {
  readonly nanos: bigint;
  readonly format: QuantityFormat;
  /** As Kubernetes writes it: `0.5` becomes `500m`, `.5Gi` becomes `512Mi`, `+1Gi` stays. */
  readonly canonical: string;
}

export type QuantityFault = "format" | "suffix";

const NANO = 10n ** 9n;
const INT64_MAX = 2n ** 63n - 1n;
const DECIMAL_SUFFIXES = new Map([
  ["n", -9],
  ["u", -6],
  ["m", -3],
  ["", 0],
  ["k", 3],
  ["M", 6],
  ["G", 9],
  ["T", 12],
  ["P", 15],
  ["E", 18],
]);
const BINARY_SUFFIXES = new Map([
  ["Ki", 10],
  ["Mi", 20],
  ["Gi", 30],
  ["Ti", 40],
  ["Pi", 50],
  ["Ei", 60],
]);
const SHAPE = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/;
const EXPONENT = /^[eE]([-+]?[0-9]+)$/;
/** Longer text is no quantity that anybody writes; exact arithmetic on it would be slow. */
const MAX_LENGTH = 128;
const MAX_EXPONENT = 1000;

interface Suffix {
  readonly format: QuantityFormat;
  readonly exponent: number;
}

/** Digits may be missing: Kubernetes reads `m` and `.` as zero. */
export function parseQuantity(input: string): Quantity | QuantityFault {
  const text = input.trim();
  const match = text.length > MAX_LENGTH ? null : SHAPE.exec(text);
  if (match === null || text === "") return "format";
  const [, sign = "", rawWhole = "", fraction = "", suffixText = ""] = match;
  const suffix = readSuffix(suffixText);
  if (suffix === undefined) return "suffix";
  const whole = rawWhole.replace(/^0+/, "");
  const magnitude = scaled(BigInt(`0${whole}${fraction}`), suffix, fraction.length);
  const nanos = sign === "-" ? -magnitude : magnitude;
  return {
    nanos,
    format: suffix.format,
    canonical: keepsText(whole, fraction, suffix) ? text : canonical(nanos, suffix.format),
  };
}

/** Millicores of a CPU quantity, rounded up. */
export function cpuMillis(input: string | number): number | undefined {
  const quantity = parseQuantity(String(input));
  return typeof quantity === "string" ? undefined : Number(divideUp(quantity.nanos, 10n ** 6n));
}

/** Bytes of a memory quantity, rounded up. */
export function quantityBytes(input: string | number): number | undefined {
  const quantity = parseQuantity(String(input));
  return typeof quantity === "string" ? undefined : Number(divideUp(quantity.nanos, NANO));
}

function readSuffix(text: string): Suffix | undefined {
  const decimal = DECIMAL_SUFFIXES.get(text);
  if (decimal !== undefined) return { format: "decimal", exponent: decimal };
  const binary = BINARY_SUFFIXES.get(text);
  if (binary !== undefined) return { format: "binary", exponent: binary };
  const exponent = EXPONENT.exec(text)?.[1];
  if (exponent === undefined || Math.abs(Number(exponent)) > MAX_EXPONENT) return undefined;
  return { format: "exponent", exponent: Number(exponent) };
}

/** Digits with a suffix in nanos; parts below one nano round up, binary values are capped at 2^63-1. */
function scaled(digits: bigint, suffix: Suffix, decimals: number): bigint {
  if (suffix.format === "binary") {
    const nanos = divideUp(digits * 2n ** BigInt(suffix.exponent) * NANO, 10n ** BigInt(decimals));
    return nanos > INT64_MAX * NANO ? INT64_MAX * NANO : nanos;
  }
  const exponent = suffix.exponent - decimals + 9;
  return exponent >= 0 ? digits * 10n ** BigInt(exponent) : divideUp(digits, 10n ** BigInt(-exponent));
}

/**
 * Kubernetes keeps the text that it was given when its quick path takes the number and the number looks canonical
 * already; so does this, to give the same object back.
 */
function keepsText(whole: string, fraction: string, { format, exponent }: Suffix): boolean {
  const digits = (whole === "" ? "0" : whole) + fraction;
  if (format === "binary") {
    if (fraction !== "" || 15 - digits.length - Math.trunc((exponent * 3) / 10) - 1 < 0) return false;
    return exponent % 10 === 0 && (BigInt(digits) & 7n) !== 0n;
  }
  const scale = exponent - fraction.length;
  return (
    digits.length <= 18 &&
    scale >= -9 &&
    scale % 3 === 0 &&
    !digits.endsWith("000") &&
    !digits.startsWith("0")
  );
}

function canonical(nanos: bigint, format: QuantityFormat): string {
  if (nanos === 0n) return "0";
  const magnitude = nanos < 0n ? -nanos : nanos;
  const sign = nanos < 0n ? "-" : "";
  if (format === "binary" && magnitude >= 1024n * NANO && magnitude % NANO === 0n)
    return sign + binaryText(magnitude / NANO);
  return sign + decimalText(magnitude, format === "exponent");
}

function binaryText(value: bigint): string {
  let rest = value;
  let power = 0;
  while (rest % 1024n === 0n && power < 6) {
    rest /= 1024n;
    power++;
  }
  return `${rest}${["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][power] ?? ""}`;
}

function decimalText(nanos: bigint, exponential: boolean): string {
  const largest = exponential ? Infinity : 18;
  let rest = nanos;
  let exponent = -9;
  while (rest % 1000n === 0n && exponent < largest) {
    rest /= 1000n;
    exponent += 3;
  }
  if (exponential) return exponent === 0 ? `${rest}` : `${rest}e${exponent}`;
  const suffix = [...DECIMAL_SUFFIXES].find(([, power]) => power === exponent)?.[0] ?? "";
  return `${rest}${suffix}`;
}

function divideUp(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by === 0n ? quotient : value > 0n ? quotient + 1n : quotient - 1n;
}
