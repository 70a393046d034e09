import { crc32c } from './crc32c.ts';

// Frames as docs/reference/audit-log.md has them: u32 length, u32 CRC32C over the length's bytes and the payload,
// both big-endian, payload. The length is in the CRC, so a run of zeros is no sequence of empty frames.

export const FRAME_HEADER = 8;
export const MAGIC_LENGTH = 8;
/** The first bytes of a file of records, and of a file of side values. */
export const magics = { segment: Buffer.from('VRDSEG1\n'), side: Buffer.from('VRDSID1\n') } as const;
export type FileKind = keyof typeof magics;

/** A leaf's limit, 60 KiB: tlog-tiles caps entries at 65,535 bytes. */
export const LEAF_BYTES = 61_440;

/** Puts length and CRC before a payload of `length` bytes that stands in `bytes` at `at + FRAME_HEADER`. */
export const closeFrame = (bytes: Buffer, at: number, length: number): void => {
  bytes.writeUInt32BE(length, at);
  const crc = crc32c(bytes, at, at + 4);
  bytes.writeUInt32BE(crc32c(bytes, at + FRAME_HEADER, at + FRAME_HEADER + length, crc), at + 4);
};

export const frame = (payload: string | Buffer): Buffer => {
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const bytes = Buffer.allocUnsafe(FRAME_HEADER + body.length);
  bytes.set(body, FRAME_HEADER);
  closeFrame(bytes, 0, body.length);
  return bytes;
};

/** The payload's length when a whole frame with the right CRC stands at `at`. */
export const frameLength = (bytes: Buffer, at: number): number | undefined => {
  if (at < 0 || at + FRAME_HEADER > bytes.length) return undefined;
  const length = bytes.readUInt32BE(at);
  const end = at + FRAME_HEADER + length;
  if (end > bytes.length) return undefined;
  const crc = crc32c(bytes, at + FRAME_HEADER, end, crc32c(bytes, at, at + 4));
  return crc === bytes.readUInt32BE(at + 4) ? length : undefined;
};

/** What every payload begins with; the frames after a damaged one are found by it. */
const openings = ['{"format":', '{"sha256":', '{"sealed":'].map((text) => Buffer.from(text));

/**
 * Where the first whole frame of a record, side value or seal at or after `from` stands. A payload cannot hold one: JSON
 * text has no NUL, and the length of a frame in it would.
 */
export const nextFrame = (bytes: Buffer, from: number): number | undefined => {
  let found: number | undefined;
  for (const opening of openings) {
    for (let at = bytes.indexOf(opening, from + FRAME_HEADER); at >= 0; at = bytes.indexOf(opening, at + 1)) {
      if (found !== undefined && at - FRAME_HEADER >= found) break;
      if (frameLength(bytes, at - FRAME_HEADER) !== undefined) {
        found = at - FRAME_HEADER;
        break;
      }
    }
  }
  return found;
};

export interface FrameSpan {
  /** Of the frame's first byte. */
  readonly at: number;
  /** Of the payload. */
  readonly start: number;
  readonly end: number;
}

/** Every whole frame from `from` on, up to the first that is none; returns where that was. */
export function* wholeFrames(bytes: Buffer, from: number): Generator<FrameSpan, number> {
  let at = from;
  for (let length = frameLength(bytes, at); length !== undefined; length = frameLength(bytes, at)) {
    const end = at + FRAME_HEADER + length;
    yield { at, start: at + FRAME_HEADER, end };
    at = end;
  }
  return at;
}

/** Every whole frame from `from` on, damaged parts left out. */
export function* soundFrames(bytes: Buffer, from: number): Generator<FrameSpan> {
  for (let at: number | undefined = from; at !== undefined; ) {
    const damage: number = yield* wholeFrames(bytes, at);
    at = nextFrame(bytes, damage);
  }
}
