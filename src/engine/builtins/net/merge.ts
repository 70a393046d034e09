import type { CallScope } from '../model.ts';
import { BuiltinError } from '../model.ts';
import { asIPv4, mappedPrefix } from './address.ts';
import { masked, maskOf, type Network, onesOf } from './network.ts';

// What OPA takes to merge networks, Cilium's code, forgets zeros in front of IPv6 addresses and puts IPv4's prefix
// before addresses that have it already. Its answers are ours; where it crashes, there is none.

/** Addresses from `first` to `last`, and the network that they are, if they are one as it was given. */
interface Range {
  readonly first: Buffer;
  readonly last: Buffer;
  readonly network?: Network;
}

/** What a network takes, and a step of cutting a range into networks. */
const networkPoints = 8_000;
const stepPoints = 2_000;

const zeroIPv4 = Buffer.concat([mappedPrefix, Buffer.alloc(4)]);
const lastIPv4 = Buffer.concat([mappedPrefix, Buffer.alloc(4, 0xff)]);
const zeroIPv6 = Buffer.alloc(16);
const lastIPv6 = Buffer.alloc(16, 0xff);

const withoutAnswer = (): BuiltinError => new BuiltinError('OPA has no answer to a merge of these networks');

const numberOf = (bytes: Buffer): bigint => BigInt(`0x0${bytes.toString('hex')}`);

/** Without zeros in front; zero has no bytes. */
const bytesOf = (value: bigint): Buffer => {
  const hex = value === 0n ? '' : value.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
};

const isIPv4 = (address: Buffer): boolean => asIPv4(address) !== undefined;
const bitsOf = (address: Buffer): number => (isIPv4(address) ? 32 : 128);

const rangeOf = (network: Network): Range => {
  const start = masked(network.address, network.mask);
  if (start === undefined) throw withoutAnswer();
  const first = isIPv4(start) ? Buffer.concat([mappedPrefix, start]) : start;
  const front = 16 - network.mask.length;
  const last = Buffer.from(first.map((byte, at) => byte | (~(network.mask[at - front] ?? 0xff) & 0xff)));
  return { first, last, network };
};

/** The address before; the first one of all stays. */
const previous = (address: Buffer): Buffer => {
  if (address.equals(zeroIPv4) || address.equals(zeroIPv6)) return address;
  const found = Buffer.from(address);
  const least = isIPv4(address) ? 12 : 0;
  for (let at = address.length - 1; at >= least; at--) {
    found[at] = (address[at] as number) - 1;
    if (address[at] !== 0) break;
  }
  return found;
};

/** The address behind; the last one of all stays. */
const next = (address: Buffer): Buffer => {
  if (address.equals(lastIPv4) || address.equals(lastIPv6) || address.length !== 16) return address;
  return Buffer.from(((numberOf(address) + 1n) % (1n << 128n)).toString(16).padStart(32, '0'), 'hex');
};

/** The smallest network that holds the whole range. */
const spanning = ({ first, last }: Range): Network => {
  const bits = bitsOf(first);
  const low = numberOf(first);
  let high = numberOf(last);
  let ones = bits;
  while (ones > 0 && low < high) {
    ones--;
    high = (high >> BigInt(bits - ones)) << BigInt(bits - ones);
  }
  const bytes = bytesOf(high);
  const address = bits === 32 ? Buffer.concat([Buffer.alloc(10), bytes]) : bytes;
  return { address: address.length === 0 ? Buffer.alloc(16) : address, mask: maskOf(ones, bits) };
};

const sixteen = (value: bigint, isShort: boolean): Buffer => {
  const bytes = bytesOf(value);
  return Buffer.concat([Buffer.alloc(isShort ? 10 : Math.max(0, 16 - bytes.length)), bytes]);
};

interface Cut {
  readonly left: readonly Network[];
  readonly right: readonly Network[];
}

/** The networks before and behind one address of a network. */
const cut = (target: Network, address: Buffer, scope: CallScope): Cut => {
  const { first, last } = rangeOf(target);
  const bits = bitsOf(target.address);
  const excluded = rangeOf({ address, mask: maskOf(bitsOf(address), bitsOf(address)) });
  if (excluded.last.compare(first) < 0) return { left: [], right: [target] };
  if (last.compare(excluded.first) < 0) return { left: [target], right: [] };
  const left: Network[] = [];
  const right: Network[] = [];
  let lower = numberOf(first);
  const most = Math.min(bits, bitsOf(address));
  for (let ones = onesOf(target.mask) + 1; ones <= most; ones++) {
    scope.spend(stepPoints);
    const upper = lower + (1n << BigInt(bits - ones));
    const upperBytes = sixteen(upper, bits === 32);
    const mask = maskOf(ones, bits);
    if (excluded.first.compare(upperBytes) >= 0) {
      left.push({ address: sixteen(lower, bits === 32), mask });
      lower = upper;
    } else {
      right.push({ address: upperBytes, mask });
    }
  }
  return { left, right };
};

const networksOf = (range: Range, scope: CallScope): readonly Network[] => {
  if (range.network !== undefined) return [range.network];
  let whole = spanning(range);
  const span = rangeOf(whole);
  const networks: Network[] = [];
  if (span.first.compare(range.first) < 0) {
    const [front, ...right] = cut(whole, previous(range.first), scope).right;
    if (front === undefined) throw withoutAnswer();
    networks.push(...right);
    whole = front;
  }
  if (span.last.compare(range.last) <= 0) return [...networks, whole];
  return [...networks, ...cut(whole, next(range.last), scope).left];
};

/** The fewest networks that hold the same addresses. */
export const mergeNetworks = (networks: readonly Network[], scope: CallScope): readonly Network[] => {
  scope.spend(networkPoints * networks.length);
  const ranges = networks.map(rangeOf);
  ranges.sort((a, b) => b.last.compare(a.last) || b.first.compare(a.first));
  const merged: Range[] = [];
  for (const range of ranges) {
    const behind = merged.at(-1);
    if (behind === undefined || previous(behind.first).compare(range.last) > 0) {
      merged.push(range);
    } else {
      const first = range.first.compare(behind.first) < 0 ? range.first : behind.first;
      merged[merged.length - 1] = { first, last: behind.last };
    }
  }
  return merged.flatMap((range) => networksOf(range, scope));
};
