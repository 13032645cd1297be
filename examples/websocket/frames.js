// The framing of RFC 6455 for a peer that keeps whole messages in memory. Section numbers are the RFC's.
import { createHash, randomBytes } from "node:crypto";

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

/** The answer to a client's Sec-WebSocket-Key (4.2.2). */
export function acceptKey(key) {
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}

/** One whole frame. A client must mask, a server must not (5.1). */
export function encodeFrame(opcode, payload, { mask = false } = {}) {
  const length = payload.length;
  const extra = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const header = Buffer.alloc(2 + extra);
  header[0] = 0x80 | opcode;
  header[1] = (mask ? 0x80 : 0) | (extra === 0 ? length : extra === 2 ? 126 : 127);
  if (extra === 2) header.writeUInt16BE(length, 2);
  if (extra === 8) header.writeBigUInt64BE(BigInt(length), 2);
  if (!mask) return Buffer.concat([header, payload]);
  const key = randomBytes(4);
  return Buffer.concat([header, key, unmasked(payload, key)]);
}

/** Payload of a close frame (5.5.1). */
export function closePayload(code, reason = "") {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code, 0);
  payload.write(reason, 2);
  return payload;
}

/** A violation of the protocol; `code` is the close code that tells the peer (7.4.1). */
export class ProtocolError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * Turns bytes into messages: `push(bytes)` calls `onMessage(opcode, payload)` for each whole message and each control
 * frame, and throws ProtocolError.
 */
export class FrameReader {
  #pending = Buffer.alloc(0);
  #message;

  constructor({ masked, maxLength = 1024 * 1024, onMessage }) {
    this.masked = masked;
    this.maxLength = maxLength;
    this.onMessage = onMessage;
  }

  push(bytes) {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    for (let frame = this.#takeFrame(); frame !== undefined; frame = this.#takeFrame()) this.#handle(frame);
  }

  #takeFrame() {
    const data = this.#pending;
    if (data.length < 2) return undefined;
    const masked = (data[1] & 0x80) !== 0;
    if ((data[0] & 0x70) !== 0) throw new ProtocolError(1002, "reserved bits are set, and no extension was agreed on");
    if (masked !== this.masked) throw new ProtocolError(1002, masked ? "a masked frame" : "a frame without mask");
    const short = data[1] & 0x7f;
    const lengthEnd = short < 126 ? 2 : short === 126 ? 4 : 10;
    const start = lengthEnd + (masked ? 4 : 0);
    if (data.length < start) return undefined;
    const length = short < 126 ? short : short === 126 ? data.readUInt16BE(2) : Number(data.readBigUInt64BE(2));
    if (length > this.maxLength) throw new ProtocolError(1009, "the message is too big");
    if (data.length < start + length) return undefined;
    this.#pending = data.subarray(start + length);
    const payload = data.subarray(start, start + length);
    return {
      final: (data[0] & 0x80) !== 0,
      opcode: data[0] & 0x0f,
      payload: masked ? unmasked(payload, data.subarray(lengthEnd, start)) : payload,
    };
  }

  #handle({ final, opcode, payload }) {
    if (!Object.values(opcodes).includes(opcode)) throw new ProtocolError(1002, `unknown opcode ${opcode}`);
    if (opcode >= opcodes.close) {
      // Control frames may come between the parts of a message, but are never parted themselves (5.5).
      if (!final || payload.length > 125) throw new ProtocolError(1002, "a control frame that is too long");
      this.onMessage(opcode, payload);
      return;
    }
    const continues = opcode === opcodes.continuation;
    if (continues !== (this.#message !== undefined)) throw new ProtocolError(1002, "message parts out of order");
    const message = continues ? this.#message : { opcode, parts: [], length: 0 };
    message.parts.push(payload);
    message.length += payload.length;
    if (message.length > this.maxLength) throw new ProtocolError(1009, "the message is too big");
    this.#message = final ? undefined : message;
    if (final) this.onMessage(message.opcode, checked(message.opcode, Buffer.concat(message.parts)));
  }
}

function unmasked(payload, key) {
  const result = Buffer.alloc(payload.length);
  for (let index = 0; index < payload.length; index += 1) result[index] = payload[index] ^ key[index % 4];
  return result;
}

/** Text has to be UTF-8 (8.1). */
function checked(opcode, payload) {
  if (opcode !== opcodes.text) return payload;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(payload);
  } catch {
    throw new ProtocolError(1007, "text that is not UTF-8");
  }
  return payload;
}
