import { remembered } from '../remembered.ts';
import { addressText, asIPv4, parseAddress } from './address.ts';

/** An address, masked or not, and a mask of 4 or 16 bytes: Go's net.IPNet. */
export interface Network {
  readonly address: Buffer;
  readonly mask: Buffer;
}

/** Ones in front, `bits` in all. */
export const maskOf = (ones: number, bits: number): Buffer => {
  const mask = Buffer.alloc(bits / 8);
  for (let at = 0; at < mask.length; at++) mask[at] = 0xff00 >> Math.min(8, Math.max(0, ones - 8 * at));
  return mask;
};

const bitsIn = (byte: number): number => Math.clz32(~(byte << 24));

/** How many ones a mask of ones in front has. */
export const onesOf = (mask: Buffer): number => {
  const at = mask.findIndex((byte) => byte !== 0xff);
  return at < 0 ? 8 * mask.length : 8 * at + bitsIn(mask[at] as number);
};

const isOnes = (byte: number): boolean => byte === 0xff;

/** What a mask leaves of an address; undefined where their lengths do not go together. */
export const masked = (address: Buffer, mask: Buffer): Buffer | undefined => {
  const isShort = mask.length === 16 && address.length === 4 && mask.subarray(0, 12).every(isOnes);
  const ones = isShort ? mask.subarray(12) : mask;
  const fitting = mask.length === 4 ? (asIPv4(address) ?? address) : address;
  if (fitting.length !== ones.length) return undefined;
  return Buffer.from(fitting.map((byte, at) => byte & (ones[at] as number)));
};

/** A network in CIDR notation; bits of the host are cut off. Undefined where the text is none. Policies name few. */
export const parseNetwork = remembered((text: string): Network | undefined => {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const address = parseAddress(text.slice(0, slash));
  const length = text.slice(slash + 1);
  if (address === undefined || !/^\d+$/.test(length)) return undefined;
  const bits = 8 * address.length;
  if (Number(length) > bits) return undefined;
  const mask = maskOf(Number(length), bits);
  return { address: masked(address, mask) ?? address, mask };
});

/** Address and mask of equal length, as `contains` and printing take them. */
const fitted = ({ address, mask }: Network): Network => {
  const short = asIPv4(address);
  if (short === undefined) return { address, mask };
  return { address: short, mask: mask.length === 16 ? mask.subarray(12) : mask };
};

export const contains = (network: Network, address: Buffer): boolean => {
  const { address: own, mask } = fitted(network);
  const other = asIPv4(address) ?? address;
  if (other.length !== own.length) return false;
  for (let at = 0; at < own.length; at++) {
    const ones = mask[at] as number;
    if (((own[at] as number) & ones) !== ((other[at] as number) & ones)) return false;
  }
  return true;
};

const lastOf = ({ address, mask }: Network): Buffer =>
  Buffer.from(address.map((byte, at) => byte | (~(mask[at] as number) & 0xff)));

const isPlainIPv6 = ({ address }: Network): boolean => asIPv4(address) === undefined;

/** Whether all addresses of `inner` are in `outer`. */
export const containsNetwork = (outer: Network, inner: Network): boolean => {
  if (isPlainIPv6(outer) && isPlainIPv6(inner)) {
    return onesOf(outer.mask) <= onesOf(inner.mask) && contains(outer, inner.address);
  }
  return contains(outer, inner.address) && contains(outer, lastOf(inner));
};

/** `10.0.0.0/8`: the address as it is, also where it has bits of the host. */
export const networkText = (network: Network): string => {
  const { address, mask } = fitted(network);
  return address.length === mask.length ? `${addressText(address)}/${onesOf(mask)}` : '<nil>';
};
