import type { RegoValue } from '../../../rego/index.ts';
import { RegoSet, regoSet } from '../../../rego/index.ts';
import { textOperand } from '../format/byte-text.ts';
import type { Builtin, BuiltinEntry } from '../model.ts';
import { BuiltinError, carrying } from '../model.ts';
import { addressText, asIPv4, parseAddress } from './address.ts';
import { cidrContainsMatches } from './matches.ts';
import { mergeNetworks } from './merge.ts';
import { maskOf, type Network, networkText, onesOf, parseNetwork } from './network.ts';

/** What each byte of an address takes here and in the module. */
const bytePoints = 300;

const invalid = (): BuiltinError => new BuiltinError('invalid CIDR address');

/** `net.cidr_is_valid`: false for what is no string, too. */
const cidrIsValid: Builtin = (_scope, value) => typeof value === 'string' && parseNetwork(value) !== undefined;

/** `net.cidr_expand`: every address; the budget is asked before the first. */
const cidrExpand: Builtin = (scope, value) => {
  const text = textOperand(value, 1);
  const network = parseNetwork(text);
  if (network === undefined) throw invalid();
  const count = 2 ** (8 * network.mask.length - onesOf(network.mask));
  scope.spend(bytePoints * network.address.length * count);
  const address = Buffer.from(network.address);
  const found = Array.from({ length: count }, () => {
    const shown = addressText(address);
    for (let at = address.length - 1; at >= 0; at--) {
      address[at] = (address[at] as number) + 1;
      if (address[at] !== 0) break;
    }
    return shown;
  });
  return regoSet(found);
};

/** An IPv4 address alone stands for the network of its class; an IPv6 address alone for none. */
const networkOf = (value: RegoValue): Network => {
  if (typeof value !== 'string') throw new BuiltinError('element must be string');
  const address = parseAddress(value);
  if (address === undefined) {
    const network = parseNetwork(value);
    if (network === undefined) throw invalid();
    return network;
  }
  const [head] = asIPv4(address) ?? [];
  if (head === undefined) throw new BuiltinError('IPv6 invalid: needs prefix length');
  return { address, mask: maskOf(head < 0x80 ? 8 : head < 0xc0 ? 16 : 24, 32) };
};

/** `net.cidr_merge`. */
const cidrMerge: Builtin = (scope, value) => {
  const items = value instanceof RegoSet ? value.items : value;
  if (!Array.isArray(items)) throw new BuiltinError('operand must be an array');
  const networks = (items as readonly RegoValue[]).map(networkOf);
  return regoSet(mergeNetworks(networks, scope).map(networkText));
};

/** Networks in CIDR notation. */
export const netBuiltins: readonly (readonly [string, BuiltinEntry])[] = [
  [
    'net.cidr_contains_matches',
    { run: cidrContainsMatches, cost: { ...carrying, more: 'pairs compared, pairs found' } },
  ],
  ['net.cidr_expand', { run: cidrExpand, cost: { ...carrying, more: 'addresses, asked for before the first' } }],
  ['net.cidr_is_valid', { run: cidrIsValid }],
  ['net.cidr_merge', { run: cidrMerge, cost: { ...carrying, more: 'networks' } }],
];
