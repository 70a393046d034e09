import { isIPv4, isIPv6 } from 'node:net';

// Addresses are 4 or 16 bytes, as in Go's net package, which OPA asks. What that package makes of IPv4 addresses
// written as IPv6 (`::ffff:1.2.3.4`) is kept to the letter: they are 16 bytes long and mostly taken for IPv4.

/** What stands before the 4 bytes of an IPv4 address in 16. */
export const mappedPrefix = Buffer.from('00000000000000000000ffff', 'hex');

/** The 4 bytes of an IPv4 address in either length; undefined for others. */
export const asIPv4 = (address: Buffer): Buffer | undefined => {
  if (address.length === 4) return address;
  if (address.length !== 16) return undefined;
  return address.subarray(0, 12).equals(mappedPrefix) ? address.subarray(12) : undefined;
};

const groupsOf = (text: string): number[] =>
  text.split(':').flatMap((group) => {
    if (group === '') return [];
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });

/** The bytes of an address, 4 or 16; undefined where the text is none. Zones (`fe80::1%eth0`) are refused. */
export const parseAddress = (text: string): Buffer | undefined => {
  if (isIPv4(text)) return Buffer.from(text.split('.').map(Number));
  if (text.includes('%') || !isIPv6(text)) return undefined;
  const [head = '', tail = ''] = text.split('::');
  const [first, last] = [groupsOf(head), groupsOf(tail)];
  const bytes = Buffer.alloc(16);
  for (const [at, group] of first.entries()) bytes.writeUInt16BE(group, 2 * at);
  for (const [at, group] of last.entries()) bytes.writeUInt16BE(group, 16 - 2 * (last.length - at));
  return bytes;
};

/** Where the longest row of zeros stands, of two groups at least; of equal ones the first (RFC 5952). */
const zeros = (groups: readonly number[]): { readonly start: number; readonly length: number } => {
  let best = { start: 0, length: 1 };
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0) end++;
    if (end - start > best.length) best = { start, length: end - start };
  }
  return best;
};

/** As Go prints it: dots for IPv4 in either length, RFC 5952 for the rest. */
export const addressText = (address: Buffer): string => {
  const short = asIPv4(address);
  if (short !== undefined) return short.join('.');
  const groups = Array.from({ length: 8 }, (_, at) => address.readUInt16BE(2 * at));
  const { start, length } = zeros(groups);
  const hex = (some: readonly number[]): string => some.map((group) => group.toString(16)).join(':');
  return length < 2 ? hex(groups) : `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
};
