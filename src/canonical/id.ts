import { randomFillSync } from 'node:crypto';

// Random bytes are drawn 512 ids at a time: one draw per id would cost more than the rest of the id.
const pool = Buffer.allocUnsafe(512 * 8);
let used = pool.length;
let lastMs = 0;
let counter = 0;

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const two = (byte: number): string => hex[byte & 0xff] as string;

/**
 * A UUIDv7 (RFC 9562): 48 bits of milliseconds, then a 12-bit counter in rand_a (method 1 of section 6.2), then 62
 * random bits. Ids made by one process sort in the order they were made, also when the wall clock steps back: the
 * time part never goes below that of the id before.
 *
 * @param nowMs milliseconds since 1970
 */
export const uuidv7 = (nowMs: number): string => {
  if (nowMs > lastMs) {
    lastMs = nowMs;
    counter = 0;
  } else if (++counter > 0xfff) {
    lastMs += 1;
    counter = 0;
  }
  if (used + 8 > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const at = used;
  used += 8;
  const high = Math.floor(lastMs / 0x1_0000);
  const low = lastMs & 0xffff;
  const byte = (index: number): string => two(pool[at + index] as number);
  return (
    `${two(high >>> 24)}${two(high >>> 16)}${two(high >>> 8)}${two(high)}-${two(low >>> 8)}${two(low)}-` +
    `${two(0x70 | (counter >>> 8))}${two(counter)}-${two(0x80 | ((pool[at] as number) & 0x3f))}${byte(1)}-` +
    `${byte(2)}${byte(3)}${byte(4)}${byte(5)}${byte(6)}${byte(7)}`
  );
};

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The milliseconds since 1970 in a UUIDv7, or undefined when the text is none. */
export const uuidv7Ms = (id: string): number | undefined =>
  UUID.test(id) ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : undefined;
