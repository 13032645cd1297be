/**
 * A document as written, before any schema: what kubectl would send as JSON. Integers are bigint, so that a number
 * keeps the difference between `1` and `1.5` and 64-bit integers stay exact; objects are Maps, so that no key
 * (`__proto__`) means anything to us.
 */
export type Raw = null | boolean | string | bigint | number | readonly Raw[] | RawObject;
export type RawObject = ReadonlyMap<string, Raw>;

export function isRawObject(value: Raw | undefined): value is RawObject {
  return value instanceof Map;
}

export function isRawList(value: Raw | undefined): value is readonly Raw[] {
  return Array.isArray(value);
}

/** What the value is, in the words of a YAML file: "a number", "a list". */
export function nameOfRaw(value: Raw): string {
  if (value === null) return "null";
  if (typeof value === "boolean") return `a boolean (${String(value)})`;
  if (typeof value === "string") return "a string";
  if (typeof value === "bigint") return "a number";
  if (typeof value === "number") return "a number";
  return isRawList(value) ? "a list" : "a mapping";
}

/** A number as Go's encoding/json writes it, which is what the quantity parser is then given. */
export function jsonNumber(value: bigint | number): string {
  return String(value);
}
