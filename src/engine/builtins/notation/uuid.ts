import { regoInteger, regoObject } from '../../../rego/index.ts';
import type { Builtin } from '../model.ts';
import { byteStringOperand } from '../operands.ts';

const dashed = /^(.{8})-(.{4})-(.{4})-(.{4})-(.{12})/s;

/** The bytes of a UUID as 32 digits, in RFC 4122's form, as a URN, or between one character and another. */
const bytesOfUuid = (text: string): Buffer | undefined => {
  const starts: { readonly [length: number]: number } = { 36: 0, 45: 9, 38: 1 };
  let digits = text;
  if (text.length !== 32) {
    const start = starts[text.length];
    if (start === undefined || (start === 9 && text.slice(0, 9).toLowerCase() !== 'urn:uuid:')) return undefined;
    digits = dashed.exec(text.slice(start))?.slice(1).join('') ?? '';
  }
  return /^[0-9A-Fa-f]{32}$/.test(digits) ? Buffer.from(digits, 'hex') : undefined;
};

const variantOf = (byte: number): string => {
  if ((byte & 0xc0) === 0x80) return 'RFC4122';
  if ((byte & 0xe0) === 0xc0) return 'Microsoft';
  return (byte & 0xe0) === 0xe0 ? 'Future' : 'Reserved';
};

const casts = ['global:unicast', 'global:multicast', 'local:unicast', 'local:multicast'] as const;
const domains = ['Person', 'Group', 'Org'] as const;

// 15 October 1582 in steps of 100 ns before 1970.
const gregorianStart = 0x01b2_1dd2_1381_4000n;

const instantOf = (bytes: Buffer): bigint => {
  const high = BigInt(bytes.readUInt16BE(6) & 0xfff) << 48n;
  const steps = high | (BigInt(bytes.readUInt16BE(4)) << 32n) | BigInt(bytes.readUInt32BE(0));
  // Go computes with 64 bits; the last centuries that a UUID can name lie beyond them.
  return BigInt.asIntN(64, (steps - gregorianStart) * 100n);
};

/** `uuid.parse`: what the UUID says of itself. Undefined, and no error, for what is none. */
export const uuidParse: Builtin = (_scope, text) => {
  const bytes = bytesOfUuid(byteStringOperand(text, 1));
  if (bytes === undefined) return undefined;
  const version = bytes.readUInt8(6) >> 4;
  const common = { version: regoInteger(version), variant: variantOf(bytes.readUInt8(8)) };
  if (version !== 1 && version !== 2) return regoObject(Object.entries(common));
  const domain = bytes.readUInt8(9);
  const security = { id: regoInteger(bytes.readUInt32BE(0)), domain: domains[domain] ?? `Domain${domain}` };
  const timed = {
    time: regoInteger(instantOf(bytes)),
    nodeid: bytes.toString('hex', 10).replace(/..(?!$)/g, '$&-'),
    macvariables: casts[bytes.readUInt8(10) & 3] as string,
    clocksequence: regoInteger(bytes.readUInt16BE(8) & 0x3fff),
  };
  return regoObject(Object.entries({ ...common, ...timed, ...(version === 2 ? security : {}) }));
};
