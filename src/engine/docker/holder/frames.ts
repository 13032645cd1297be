/**
 * The frames that the holder and we exchange over its stdin and stdout: type, zero, length (16 bits), stream (32 bits, all big
 * endian), payload. holder.c has the other half.
 */

export const FRAME = {
  /** Holder: somebody inside has connected (see Arrival). Ours: connect to IPv4 address and port. */
  open: 1,
  /** Holder: the connection that we asked for is there. */
  opened: 2,
  data: 3,
  /** No more data from this side. */
  end: 4,
  /** The stream is over, both ways; a payload of 4 bytes is the errno. */
  reset: 5,
  /** 4 bytes: this many more bytes may be sent. */
  credit: 6,
  /** The first frame: the holder has set everything up. */
  hello: 7,
  /** Ours: a command. The stream is a number that the reply repeats. */
  call: 8,
  reply: 9,
} as const;

export type FrameType = (typeof FRAME)[keyof typeof FRAME];

export interface Frame {
  readonly type: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export const HEADER_BYTES = 8;
export const LARGEST_PAYLOAD = 32 * 1024;
/** What each side may send on a stream before it is given credit. */
export const WINDOW = 64 * 1024;

export function encodeFrame(type: FrameType, stream: number, payload: Buffer = NOTHING): Buffer {
  if (payload.length > LARGEST_PAYLOAD) throw new RangeError(`a frame of ${payload.length} bytes`);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  frame.writeUInt8(type, 0);
  frame.writeUInt8(0, 1);
  frame.writeUInt16BE(payload.length, 2);
  frame.writeUInt32BE(stream, 4);
  payload.copy(frame, HEADER_BYTES);
  return frame;
}

const NOTHING = Buffer.alloc(0);

/** Returns a function to feed chunks to, cut anywhere. Payloads are copies or views of chunks, never changed later. */
export function frameReader(onFrame: (frame: Frame) => void): (chunk: Buffer) => void {
  let rest: Buffer = NOTHING;
  return (chunk) => {
    let buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (buffer.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + buffer.readUInt16BE(2);
      if (buffer.length < end) break;
      const payload = buffer.subarray(HEADER_BYTES, end);
      onFrame({ type: buffer.readUInt8(0), stream: buffer.readUInt32BE(4), payload });
      buffer = buffer.subarray(end);
    }
    rest = buffer;
  };
}

export function numberPayload(value: number): Buffer {
  const payload = Buffer.allocUnsafe(4);
  payload.writeUInt32BE(value, 0);
  return payload;
}
