import type { RegoValue } from '../../../rego/index.ts';
import { RegoObject, RegoSet, regoInteger, regoSet } from '../../../rego/index.ts';
import type { Builtin } from '../model.ts';
import { BuiltinError } from '../model.ts';
import { isText } from '../operands.ts';
import { parseAddress } from './address.ts';
import { contains, containsNetwork, type Network, parseNetwork } from './network.ts';

/** What a pair of networks takes, and what one that matches takes on top. */
const pairPoints = 150;
const matchPoints = 1_500;

/** A member of an operand: its network's text, and what the result has for it. */
interface Member {
  readonly network: RegoValue;
  readonly index: RegoValue;
}

/** A member is a text, or an array that begins with one. */
const networkOf = (value: RegoValue, position: number): RegoValue => {
  const first = Array.isArray(value) ? (value as readonly RegoValue[])[0] : value;
  if (first === undefined || !(isText(value) || Array.isArray(value)))
    throw new BuiltinError(`operand ${position}: element must be string or non-empty array`);
  return first;
};

/** Arrays have indexes, objects keys, sets their items; any other operand has no members. */
const members = (value: RegoValue | undefined, position: number): readonly Member[] => {
  const member = (item: RegoValue, index: RegoValue): Member => ({ network: networkOf(item, position), index });
  if (isText(value)) return [{ network: value, index: value }];
  if (value instanceof RegoSet) return value.items.map((item) => member(item, item));
  if (value instanceof RegoObject) return value.entries.map(([key, item]) => member(item, key));
  if (!Array.isArray(value)) return [];
  return (value as readonly RegoValue[]).map((item, at) => member(item, regoInteger(at)));
};

const readNetwork = ({ network }: Member): Network => {
  const found = typeof network === 'string' ? parseNetwork(network) : undefined;
  if (found === undefined) throw new BuiltinError('invalid CIDR address');
  return found;
};

/** Whether a network, or an address, is in another network. */
const readInner = ({ network }: Member): ((outer: Network) => boolean) => {
  const address = typeof network === 'string' ? parseAddress(network) : undefined;
  if (address !== undefined) return (outer) => contains(outer, address);
  const found = readNetwork({ network, index: null });
  return (outer) => containsNetwork(outer, found);
};

/** `net.cidr_contains_matches`: the pairs of which the first holds the second. */
export const cidrContainsMatches: Builtin = (scope, networks, addresses) => {
  const outer = members(networks, 1);
  // Nothing is read where the other operand has no members.
  const inner = outer.length === 0 ? [] : members(addresses, 2);
  if (inner.length === 0) return regoSet([]);
  const read = inner.map((member) => ({ isIn: readInner(member), index: member.index }));
  const found = outer.flatMap((member) => {
    const network = readNetwork(member);
    scope.spend(pairPoints * read.length);
    const inside = read.filter(({ isIn }) => isIn(network));
    scope.spend(matchPoints * inside.length);
    return inside.map(({ index }) => [member.index, index]);
  });
  return regoSet(found);
};
