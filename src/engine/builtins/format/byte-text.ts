import { isUtf8 } from 'node:buffer';
import type { RegoValue } from '../../../rego/index.ts';
import { RegoBytes } from '../../../rego/index.ts';
import { stringOfBytes, textOperandError } from '../operands.ts';

// Rego's strings are bytes. While a builtin works on one that is no UTF-8, each byte of no valid sequence stands in its
// text as a lone surrogate, U+DC00 plus the byte, which no valid text holds; Go counts such a byte as one character.

const lone = /[\udc80-\udcff]/;

const sizeAt = (bytes: Buffer, at: number): number => {
  for (let size = 1; size <= 4 && at + size <= bytes.length; size++)
    if (isUtf8(bytes.subarray(at, at + size))) return size;
  return 0;
};

/** Text of bytes, with a text of the caller's for each byte that is in no valid sequence. */
export const decodeUtf8 = (raw: Uint8Array, standIn: (byte: number) => string): string => {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.length);
  if (isUtf8(bytes)) return bytes.toString('utf8');
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const size = sizeAt(bytes, at);
    text += size === 0 ? standIn(bytes[at] as number) : bytes.toString('utf8', at, at + size);
    at += Math.max(size, 1);
  }
  return text;
};

const surrogateOf = (byte: number): string => String.fromCharCode(0xdc00 + byte);

/** The byte that a character of such a text stands for; undefined for every other character. */
export const byteOf = (character: string): number | undefined => {
  const code = character.length === 1 ? character.charCodeAt(0) : 0;
  return code >= 0xdc80 && code <= 0xdcff ? code - 0xdc00 : undefined;
};

/** The bytes that a text stands for. */
export const bytesOfText = (text: string): Buffer => {
  if (!lone.test(text)) return Buffer.from(text);
  // Code points: the halves of a pair are no lone surrogates.
  return Buffer.concat(
    [...text].map((character) => {
      const byte = byteOf(character);
      return byte === undefined ? Buffer.from(character) : Buffer.of(byte);
    }),
  );
};

/** The Rego string that a text stands for. */
export const stringOfText = (text: string): string | RegoBytes =>
  lone.test(text) ? stringOfBytes(bytesOfText(text)) : text;

export const textOf = (value: string | RegoBytes): string =>
  typeof value === 'string' ? value : decodeUtf8(value.bytes, surrogateOf);

/** A string operand as such a text; positions count from 1. */
export const textOperand = (value: RegoValue | undefined, position: number): string => {
  if (typeof value === 'string' || value instanceof RegoBytes) return textOf(value);
  throw textOperandError(value, position);
};
