/** Go's `%q` (strconv.Quote) of bytes: valid UTF-8 that can be printed stays, everything else is escaped. */
export function goQuote(bytes: Uint8Array): string {
  let out = '"';
  let at = 0;
  while (at < bytes.length) {
    const width = sequenceWidth(bytes, at);
    const byte = bytes[at] as number;
    if (width === 0) {
      out += hex(byte);
      at += 1;
      continue;
    }
    const character = new TextDecoder().decode(bytes.subarray(at, at + width));
    out += width === 1 ? escapeAscii(byte) : escapeWide(character);
    at += width;
  }
  return `${out}"`;
}

const NAMED: Readonly<Record<number, string>> = {
  0x07: "\\a",
  0x08: "\\b",
  0x09: "\\t",
  0x0a: "\\n",
  0x0b: "\\v",
  0x0c: "\\f",
  0x0d: "\\r",
  0x22: '\\"',
  0x5c: "\\\\",
};

function escapeAscii(byte: number): string {
  return NAMED[byte] ?? (byte < 0x20 || byte === 0x7f ? hex(byte) : String.fromCharCode(byte));
}

function escapeWide(character: string): string {
  if (/^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  return code > 0xffff
    ? `\\U${code.toString(16).padStart(8, "0")}`
    : `\\u${code.toString(16).padStart(4, "0")}`;
}

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, "0")}`;
}

/** Length of the valid UTF-8 sequence at `at`, 0 where there is none. */
function sequenceWidth(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] as number;
  const width =
    lead < 0x80
      ? 1
      : lead >= 0xc2 && lead < 0xe0
        ? 2
        : lead >= 0xe0 && lead < 0xf0
          ? 3
          : lead >= 0xf0 && lead < 0xf5
            ? 4
            : 0;
  if (width <= 1) return width;
  if (at + width > bytes.length) return 0;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(at, at + width));
    return width;
  } catch {
    return 0;
  }
}
