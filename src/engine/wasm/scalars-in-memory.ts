import type { RegoValue } from '../../rego/index.ts';
import { RegoNumber } from '../../rego/index.ts';
import type { RawInstance } from './raw-instance.ts';

// Short strings, numbers and booleans, read and made without their text. How values lie in the memory is said in
// src/engine/wasm/fast/values.ts.

const types = { boolean: 2, number: 3, string: 4, constantString: 8 } as const;
const numbers = { integer: 1, text: 2 } as const;

/** Of longer ones the text takes most of the time. */
const longest = 1_024;

/** Printed ASCII: what a byte is, nobody has to decide. */
const isPlain = (text: string): boolean => /^[ -~]*$/.test(text);

const textAt = (bytes: Buffer, start: number, length: number): string | undefined => {
  if (length > longest || start + length > bytes.length) return undefined;
  const text = bytes.toString('latin1', start, start + length);
  return isPlain(text) ? text : undefined;
};

/** The string at an address, or a number’s text; undefined for all else, and for what is not short and plain. */
export const readScalar = (raw: RawInstance, address: number): string | RegoNumber | undefined => {
  const bytes = raw.view();
  const at = address >>> 0;
  if (at + 16 > bytes.length) return undefined;
  const type = bytes[at];
  if (type === types.string || type === types.constantString) {
    return textAt(bytes, bytes.readUInt32LE(at + 8), bytes.readUInt32LE(at + 4));
  }
  if (type !== types.number) return undefined;
  if (bytes[at + 1] === numbers.integer) return new RegoNumber(String(bytes.readBigInt64LE(at + 8)));
  if (bytes[at + 1] !== numbers.text) return undefined;
  const text = textAt(bytes, bytes.readUInt32LE(at + 8), bytes.readUInt32LE(at + 12));
  return text !== undefined && /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text) ? new RegoNumber(text) : undefined;
};

/** Makes a value of the module’s; undefined for what is no boolean, short integer or short and plain string. */
export const writeScalar = (raw: RawInstance, value: RegoValue): number | undefined => {
  const made = (size: number): number => raw.exports.opa_malloc(size) >>> 0;
  if (typeof value === 'boolean') {
    const at = made(8);
    raw.view().writeUInt16LE(types.boolean + (value ? 0x100 : 0), at);
    return at;
  }
  if (typeof value === 'string') {
    if (value.length > longest || !isPlain(value)) return undefined;
    const at = made(13 + value.length);
    const bytes = raw.view();
    bytes.writeUInt16LE(types.string, at);
    bytes.writeUInt32LE(value.length, at + 4);
    bytes.writeUInt32LE(at + 12, at + 8);
    bytes.write(value, at + 12, 'latin1');
    bytes[at + 12 + value.length] = 0;
    return at;
  }
  if (!(value instanceof RegoNumber) || !/^(?:0|-?[1-9]\d{0,8})$/.test(value.text)) return undefined;
  const at = made(16);
  const bytes = raw.view();
  bytes.writeUInt16LE(types.number + 0x100 * numbers.integer, at);
  bytes.writeBigInt64LE(BigInt(value.text), at + 8);
  return at;
};
