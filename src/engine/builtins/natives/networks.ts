import type { RegoValue } from '../../../rego/index.ts';
import { textOperand } from '../format/byte-text.ts';
import type { Builtin } from '../model.ts';
import { BuiltinError } from '../model.ts';
import { parseAddress } from '../net/address.ts';
import { contains, containsNetwork, type Network, parseNetwork } from '../net/network.ts';

const networkOperand = (value: RegoValue | undefined): Network => {
  const text = textOperand(value, 1);
  const network = parseNetwork(text);
  if (network === undefined) throw new BuiltinError(`invalid CIDR address: ${text}`);
  return network;
};

/** `net.cidr_contains`: of an address or a network. */
export const cidrContains: Builtin = (_scope, cidr, inner) => {
  const network = networkOperand(cidr);
  const address = parseAddress(textOperand(inner, 1));
  return address === undefined ? containsNetwork(network, networkOperand(inner)) : contains(network, address);
};

export const cidrIntersects: Builtin = (_scope, a, b) => {
  const [one, other] = [networkOperand(a), networkOperand(b)];
  return contains(one, other.address) || contains(other, one.address);
};
