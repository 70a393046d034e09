import { ModuleError } from '../model.ts';

export const invalidModule = (what: string): ModuleError => new ModuleError('MODULE_INVALID', `the module ${what}`);
export const foreignModule = (what: string): ModuleError => new ModuleError('MODULE_FOREIGN', `the module ${what}`);

/** Reads a Wasm binary between two offsets, front to back. Throws MODULE_INVALID instead of running over the end. */
export class WasmReader {
  at: number;
  readonly end: number;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  byte(): number {
    if (this.at >= this.end) throw invalidModule(`ends within a part, at byte ${this.at}`);
    return this.bytes[this.at++] as number;
  }

  /** An unsigned LEB128 of at most 32 bits. */
  u32(): number {
    let result = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      result += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (result > 0xffff_ffff) break;
        return result;
      }
    }
    throw invalidModule(`has a number of more than 32 bits at byte ${this.at}`);
  }

  /** A signed LEB128 of 32 bits. */
  s32(): number {
    let result = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      result |= (byte & 0x7f) << shift;
      if (byte < 0x80) return shift < 28 && (byte & 0x40) !== 0 ? result | (-1 << (shift + 7)) : result;
    }
    throw invalidModule(`has a number of more than 32 bits at byte ${this.at}`);
  }

  /** Passes a LEB128 of at most `longest` bytes without reading its value. */
  skipNumber(longest: number): void {
    for (let count = 0; count < longest; count++) if (this.byte() < 0x80) return;
    throw invalidModule(`has a number that is too long at byte ${this.at}`);
  }

  skip(count: number): void {
    if (count > this.end - this.at) throw invalidModule(`ends within a part, at byte ${this.at}`);
    this.at += count;
  }

  name(): string {
    const length = this.u32();
    const start = this.at;
    this.skip(length);
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + start, length).toString('utf8');
  }

  /** A reader of the next `length` bytes, which this one passes. */
  part(length: number): WasmReader {
    const start = this.at;
    this.skip(length);
    return new WasmReader(this.bytes, start, this.at);
  }
}

/** A number as unsigned LEB128. */
export const leb128 = (value: number): readonly number[] => {
  const out: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    out.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return out;
};

/** A number that is not negative as signed LEB128. */
export const signedLeb128 = (value: number): readonly number[] => {
  const bytes = leb128(value);
  const last = bytes.at(-1) ?? 0;
  // The highest bit of the last byte would be read as the sign.
  return (last & 0x40) === 0 ? bytes : [...bytes.slice(0, -1), last | 0x80, 0];
};
