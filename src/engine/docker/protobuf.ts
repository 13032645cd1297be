/**
 * Protocol buffers' wire format, as far as BuildKit's messages need it. Written out because the three messages that we
 * exchange have eight fields, and a schema file would have to be found at run time.
 * Format: protobuf.dev/programming-guides/encoding
 */

export type Field =
  | { readonly number: number; readonly kind: "number"; readonly value: number }
  | { readonly number: number; readonly kind: "bytes"; readonly value: Buffer };

/** Yields fields in their order; fixed-width ones are passed over. Throws RangeError for a cut message. */
export function* decodeFields(message: Buffer): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at];
      if (byte === undefined) throw new RangeError("protobuf message ends inside a number");
      at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const key = varint();
    const number = Math.floor(key / 8);
    switch (key % 8) {
      case 0:
        yield { number, kind: "number", value: varint() };
        break;
      case 1:
        at += 8;
        break;
      case 2: {
        const length = varint();
        if (at + length > message.length) throw new RangeError("protobuf message ends inside a field");
        yield { number, kind: "bytes", value: message.subarray(at, at + length) };
        at += length;
        break;
      }
      case 5:
        at += 4;
        break;
      default:
        throw new RangeError(`protobuf wire type ${key % 8} is not known`);
    }
  }
}

/** Text fields by number; empty ones are left out, as proto3 does. */
export function encodeText(fields: Readonly<Record<number, string>>): Buffer {
  const parts = Object.entries(fields)
    .filter(([, text]) => text !== "")
    .map(([number, text]) => {
      const bytes = Buffer.from(text);
      return Buffer.concat([encodeVarint(Number(number) * 8 + 2), encodeVarint(bytes.length), bytes]);
    });
  return Buffer.concat(parts);
}

export function encodeNumber(number: number, value: number): Buffer {
  return Buffer.concat([encodeVarint(number * 8), encodeVarint(value)]);
}

export function encodeVarint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}
