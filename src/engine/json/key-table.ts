import { randomInt } from 'node:crypto';

/** Places that one key may look at: more are no chance, somebody chose the keys for it. */
const MOST_STEPS = 64;

const FIRST_PLACES = 64;

// Nobody outside knows which keys share a place.
const seed = randomInt(0x1_0000_0000);

/** Keys of one object without escapes, as offsets into the text, quotes left out: nothing is made of a key. */
export class KeyTable {
  private readonly bytes: Uint8Array;
  private count = 0;
  /** Three numbers a place: hash, first offset, offset behind the last byte. No key begins at 0: that place is free. */
  private places = new Int32Array(3 * FIRST_PLACES);

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Takes a key: false where it is there already, undefined where too many stand in its way to tell. */
  add(start: number, end: number): boolean | undefined {
    if (6 * this.count >= this.places.length) this.grow();
    const hash = this.hashOf(start, end);
    const { places } = this;
    const mask = places.length / 3 - 1;
    let place = hash & mask;
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      const at = 3 * place;
      const from = places[at + 1] as number;
      if (from === 0) {
        places[at] = hash;
        places[at + 1] = start;
        places[at + 2] = end;
        this.count++;
        return true;
      }
      if (places[at] === hash && this.isSame(from, places[at + 2] as number, start, end)) return false;
      place = (place + 1) & mask;
    }
    return undefined;
  }

  /** First offset and offset behind the last byte of every key, in no order. */
  *keys(): Iterable<readonly [start: number, end: number]> {
    for (let at = 0; at < this.places.length; at += 3) {
      const start = this.places[at + 1] as number;
      if (start !== 0) yield [start, this.places[at + 2] as number];
    }
  }

  private hashOf(start: number, end: number): number {
    const { bytes } = this;
    let hash = seed;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x0100_0193);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d);
    return hash ^ (hash >>> 13);
  }

  private isSame(start: number, end: number, otherStart: number, otherEnd: number): boolean {
    const { bytes } = this;
    const length = end - start;
    if (length !== otherEnd - otherStart) return false;
    for (let at = 0; at < length; at++) if (bytes[start + at] !== bytes[otherStart + at]) return false;
    return true;
  }

  private grow(): void {
    const before = this.places;
    // Four times as many: of a million keys each would be moved often.
    const places = new Int32Array(4 * before.length);
    const mask = places.length / 3 - 1;
    for (let at = 0; at < before.length; at += 3) {
      if (before[at + 1] === 0) continue;
      let place = (before[at] as number) & mask;
      while (places[3 * place + 1] !== 0) place = (place + 1) & mask;
      places[3 * place] = before[at] as number;
      places[3 * place + 1] = before[at + 1] as number;
      places[3 * place + 2] = before[at + 2] as number;
    }
    this.places = places;
  }
}
