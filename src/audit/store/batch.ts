import type { Tail } from '../record/content.ts';
import { crc32c, crcJoin, crcShift } from './crc32c.ts';
import { FRAME_HEADER, frame, LEAF_BYTES } from './frame.ts';
import { HEADER_BYTES } from './layout.ts';

/** Room before the first record for a new file's header, so that both go to the disk in one write. */
export const HEADER_ROOM = HEADER_BYTES;
const FIRST_BYTES = 262_144;
/** A buffer that a burst made larger than this is let go after it was written. */
const KEPT_BYTES = 8_388_608;

/** The records of one write, framed, and the side values that they need. */
export interface Batch {
  readonly count: () => number;
  /** Bytes that wait, side values included. */
  readonly waiting: () => number;
  readonly bytes: () => Buffer;
  readonly end: () => number;
  readonly offsets: readonly number[];
  readonly ids: readonly (string | undefined)[];
  readonly sides: readonly Buffer[];
  readonly sided: readonly Tail[];
  /** False when the record is larger than a leaf may be: nothing was added. */
  add(head: string, tail: Tail, id: string | undefined): boolean;
  addSide(tail: Tail): void;
  clear(): void;
}

export const createBatch = (): Batch => {
  let bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  let used = HEADER_ROOM;
  let sideBytes = 0;
  const offsets: number[] = [];
  const ids: (string | undefined)[] = [];
  const sides: Buffer[] = [];
  const sided: Tail[] = [];

  const reserve = (more: number): void => {
    if (used + more <= bytes.length) return;
    let size = bytes.length * 2;
    while (size < used + more) size *= 2;
    const larger = Buffer.allocUnsafeSlow(size);
    bytes.copy(larger, 0, 0, used);
    bytes = larger;
  };

  const add = (head: string, tail: Tail, id: string | undefined): boolean => {
    reserve(FRAME_HEADER + (head.length + tail.text.length) * 3);
    const start = used + FRAME_HEADER;
    const middle = start + bytes.write(head, start);
    const end = middle + bytes.write(tail.text, middle);
    const length = end - start;
    if (length > LEAF_BYTES) return false;
    if (tail.bytes === 0) {
      tail.bytes = end - middle;
      tail.crc = crc32c(bytes, middle, end);
      tail.shift = crcShift(tail.bytes);
    }
    bytes.writeUInt32BE(length, used);
    const before = crc32c(bytes, start, middle, crc32c(bytes, used, used + 4));
    bytes.writeUInt32BE(crcJoin(before, tail.shift, tail.crc), used + 4);
    offsets.push(used - HEADER_ROOM);
    ids.push(id);
    used = end;
    return true;
  };

  return {
    count: () => offsets.length,
    waiting: () => used - HEADER_ROOM + sideBytes,
    bytes: () => bytes,
    end: () => used,
    offsets,
    ids,
    sides,
    sided,
    add,
    addSide: (tail) => {
      sided.push(tail);
      for (const { payload } of tail.sides) {
        const framed = frame(payload);
        sides.push(framed);
        sideBytes += framed.length;
      }
    },
    clear: () => {
      used = HEADER_ROOM;
      sideBytes = 0;
      offsets.length = 0;
      ids.length = 0;
      sides.length = 0;
      sided.length = 0;
      if (bytes.length > KEPT_BYTES) bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
    },
  };
};
