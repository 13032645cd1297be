/** The kernel's /proc/net/tcp notation of listening sockets. */

export interface ListeningSocket {
  /** IPv4 in dots, IPv6 in full lower-case groups; an IPv4 address inside an IPv6 one is given as IPv4. */
  readonly address: string;
  readonly port: number;
  /** Listens on every address: 0.0.0.0, or :: (which takes IPv4 as well, unless the app says otherwise). */
  readonly everywhere: boolean;
  readonly loopback: boolean;
}

/** From lines of `ADDRESS:PORT`: 32-bit words in the machine's byte order, little endian, and a port in plain order. */
export function parseListening(text: string): ListeningSocket[] {
  return text
    .split("\n")
    .map((line) => /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/i.exec(line.trim()))
    .flatMap((match) =>
      match === null ? [] : [socketOf(match[1] ?? "", Number.parseInt(match[2] ?? "", 16))],
    );
}

function socketOf(hex: string, port: number): ListeningSocket {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => (word.match(/../g) ?? []).reverse());
  const numbers = bytes.map((byte) => Number.parseInt(byte, 16));
  const mapped =
    numbers.length === 16 && numbers.slice(0, 10).every((byte) => byte === 0) && numbers[10] === 255;
  const v4 = numbers.length === 4 ? numbers : mapped ? numbers.slice(12) : undefined;
  const address = v4 === undefined ? groups(bytes) : v4.join(".");
  return {
    address,
    port,
    everywhere: numbers.every((byte) => byte === 0),
    loopback: v4 === undefined ? address === "0:0:0:0:0:0:0:1" : v4[0] === 127,
  };
}

function groups(bytes: readonly string[]): string {
  const pairs = Array.from({ length: 8 }, (_, index) => `${bytes[2 * index]}${bytes[2 * index + 1]}`);
  return pairs.map((pair) => Number.parseInt(pair, 16).toString(16)).join(":");
}
