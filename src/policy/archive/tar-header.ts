import { isUtf8 } from 'node:buffer';
import { PolicyError } from '../model.ts';
import { quoted } from './names.ts';

export const BLOCK = 512;

export type MemberType = 'file' | 'directory' | 'pax' | 'pax-global' | 'gnu-name';

export interface TarHeader {
  readonly type: MemberType;
  /** The name as it stands in this header. */
  readonly name: string;
  readonly size: number;
}

const taken: { readonly [flag: string]: MemberType } = {
  '\0': 'file',
  '0': 'file',
  '5': 'directory',
  x: 'pax',
  g: 'pax-global',
  L: 'gnu-name',
};

const refused: { readonly [flag: string]: string } = {
  '1': 'a hard link',
  '2': 'a symbolic link',
  '3': 'a character device',
  '4': 'a block device',
  '6': 'a named pipe',
  '7': 'a contiguous file',
  K: 'a long link name',
  S: 'a sparse file',
};

const refuse = (why: string): never => {
  throw new PolicyError('ARCHIVE_INVALID', `not a tar archive that Verdict takes: ${why}`);
};

/** Bytes of a member's name as text; refused when they are no UTF-8. */
export const nameText = (bytes: Uint8Array): string => {
  if (!isUtf8(bytes)) return refuse(`member ${quoted(Buffer.from(bytes).toString('latin1'))}: the name is not UTF-8`);
  return Buffer.from(bytes).toString('utf8');
};

/** Up to the first zero byte. What lies behind it must be zero too, or two readers could see two names. */
const textField = (block: Buffer, start: number, length: number): Buffer => {
  const field = block.subarray(start, start + length);
  const zero = field.indexOf(0);
  if (zero === -1) return field;
  if (field.subarray(zero).some((byte) => byte !== 0)) refuse('a name holds a zero byte');
  return field.subarray(0, zero);
};

// Octal text only. The base-256 form is for sizes above 8 GiB, and can be negative.
const octalField = (block: Buffer, start: number, length: number): number => {
  const text = block.toString('latin1', start, start + length);
  const digits = /^ *([0-7]*)[ \0]*$/.exec(text)?.[1];
  return digits === undefined ? refuse('a number in a header is not octal') : Number.parseInt(digits || '0', 8);
};

const checksumOf = (block: Buffer): number => {
  let sum = 8 * 0x20;
  for (let at = 0; at < BLOCK; at++) if (at < 148 || at >= 156) sum += block[at] ?? 0;
  return sum;
};

const memberName = (block: Buffer): string => {
  const magic = block.toString('latin1', 257, 265);
  const name = textField(block, 0, 100);
  if (magic === 'ustar  \0') return nameText(name);
  if (magic !== 'ustar\x0000') return refuse('a header is neither ustar nor GNU');
  const prefix = textField(block, 345, 155);
  return nameText(prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name]));
};

/** Reads one header block that is not all zero. */
export const readHeader = (block: Buffer): TarHeader => {
  if (octalField(block, 148, 8) !== checksumOf(block)) refuse('the checksum of a header is wrong');
  const name = memberName(block);
  const flag = String.fromCharCode(block[156] ?? 0);
  const type = taken[flag];
  if (type === undefined) {
    return refuse(`member ${quoted(name)} is ${refused[flag] ?? 'of an unknown type'}; only files and folders may be`);
  }
  const size = octalField(block, 124, 12);
  if (type === 'directory' && size !== 0) refuse(`folder ${quoted(name)} has contents`);
  if (type === 'file' && name.endsWith('/')) refuse(`file ${quoted(name)} is named like a folder`);
  return { type, name, size };
};
