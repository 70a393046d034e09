import { randomInt } from 'node:crypto';

/** Places that one key may look at: more are no chance, somebody chose the keys for it. */
const MOST_STEPS = 64;

const FIRST_PLACES = 64;

/** Up to here a table grows to four times its size, since each key is moved, and then to twice: new memory costs more. */
const SMALL_PLACES = 65_536;

const QUOTE = 0x22;

// Nobody outside knows which keys share a place.
const seed = randomInt(0x1_0000_0000);

/** Keys of one object without escapes, as offsets into the text, quotes left out: nothing is made of a key. */
export class KeyTable {
  private readonly bytes: Uint8Array;
  private count = 0;
  /** Two numbers a place: hash, first offset; the closing quote says where a key ends. None begins at 0: that place is free. */
  private places = new Int32Array(2 * FIRST_PLACES);

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Takes a key: false where it is there already, undefined where too many stand in its way to tell. */
  add(start: number, end: number): boolean | undefined {
    if (4 * this.count >= this.places.length) this.grow();
    const hash = this.hashOf(start, end);
    const { places } = this;
    const last = places.length - 2;
    let at = (2 * hash) & last;
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      const from = places[at + 1] as number;
      if (from === 0) {
        places[at] = hash;
        places[at + 1] = start;
        this.count++;
        return true;
      }
      if (places[at] === hash && this.isSame(from, start, end)) return false;
      at = (at + 2) & last;
    }
    return undefined;
  }

  /** First offset and offset behind the last byte of every key, in no order. */
  *keys(): Iterable<readonly [start: number, end: number]> {
    for (let at = 0; at < this.places.length; at += 2) {
      const start = this.places[at + 1] as number;
      if (start !== 0) yield [start, this.bytes.indexOf(QUOTE, start)];
    }
  }

  private hashOf(start: number, end: number): number {
    const { bytes } = this;
    let hash = seed;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x0100_0193);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d);
    return hash ^ (hash >>> 13);
  }

  private isSame(other: number, start: number, end: number): boolean {
    const { bytes } = this;
    const shift = other - start;
    for (let at = start; at < end; at++) if (bytes[at] !== bytes[at + shift]) return false;
    return bytes[end + shift] === QUOTE;
  }

  private grow(): void {
    const before = this.places;
    const places = new Int32Array((before.length < 2 * SMALL_PLACES ? 4 : 2) * before.length);
    const last = places.length - 2;
    for (let from = 0; from < before.length; from += 2) {
      if (before[from + 1] === 0) continue;
      const hash = before[from] as number;
      let at = (2 * hash) & last;
      while (places[at + 1] !== 0) at = (at + 2) & last;
      places[at] = hash;
      places[at + 1] = before[from + 1] as number;
    }
    this.places = places;
  }
}
