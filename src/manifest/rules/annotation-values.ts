/** How Knative reads annotations: keys with aliases, and numbers as Go's strconv takes them. */

export type Annotations = Readonly<Record<string, string>>;

export interface AnnotationEntry {
  readonly key: string;
  readonly value: string;
}

/** The first of the keys that is there, empty or not. */
export function aliased(annotations: Annotations, keys: readonly string[]): AnnotationEntry | undefined {
  for (const key of keys) {
    const value = Object.hasOwn(annotations, key) ? annotations[key] : undefined;
    if (value !== undefined) return { key, value };
  }
  return undefined;
}

/** strconv.ParseFloat: no spaces, no hexadecimal without an exponent, infinity spelt out. */
export function isGoFloat(text: string): boolean {
  // Too large for 64 bits is an error, not infinity.
  if (/^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(text)) return Number.isFinite(Number(text));
  return (
    /^[-+]?(?:inf|infinity)$/i.test(text) ||
    /^nan$/i.test(text) ||
    /^[-+]?0[xX][0-9a-fA-F]*\.?[0-9a-fA-F]*[pP][-+]?\d+$/.test(text)
  );
}

export function goFloat(text: string): number {
  const infinite = /^([-+]?)inf(?:inity)?$/i.exec(text);
  if (infinite !== null) return infinite[1] === "-" ? -Infinity : Infinity;
  const hex = /^([-+]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([-+]?\d+)$/.exec(text);
  if (hex === null) return Number(text);
  const [, sign, whole = "", fraction = "", power = "0"] = hex;
  const mantissa = Number(`0x0${whole}${fraction}`);
  return (sign === "-" ? -1 : 1) * mantissa * 2 ** (Number(power) - 4 * fraction.length);
}

/** strconv.ParseInt(text, 10, 32): "range" when it is a number but too large. */
export function goInt32(text: string): number | "syntax" | "range" {
  if (!/^[-+]?\d+$/.test(text)) return "syntax";
  const value = Number(text);
  return value > 2_147_483_647 || value < -2_147_483_648 ? "range" : value;
}
