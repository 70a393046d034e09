import type { RawInstance } from './raw-instance.ts';

/**
 * Makes a Rego string of bytes that are no UTF-8, which `opa_value_parse` would refuse: one of as many other bytes is
 * parsed, and they are replaced where the string keeps them. Undefined when they are not found there.
 */
export const writeByteString = (raw: RawInstance, content: Uint8Array): number | undefined => {
  const standIn = Buffer.alloc(content.length, 'x');
  const address = raw.put(Buffer.from(`"${standIn.toString('latin1')}"`));
  const value = raw.exports.opa_value_parse(address, content.length + 2) >>> 0;
  raw.exports.opa_free(address);
  if (value === 0) return undefined;
  const memory = raw.view();
  const [length, start] = [memory.readUInt32LE(value + 4), memory.readUInt32LE(value + 8)];
  if (length !== content.length || !standIn.equals(memory.subarray(start, start + length))) return undefined;
  memory.set(content, start);
  return value;
};
