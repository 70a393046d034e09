import fc from 'fast-check';
import { type RegoValue, regoObject, regoSet } from '../../../../src/rego/index.ts';
import { anyValue, type OperandTable, operand } from './values.ts';

// Few bytes, so that networks meet.
const byte = fc.oneof(fc.constantFrom(0, 0, 1, 10, 127, 128, 192, 254, 255), fc.nat(255));
const ipv4 = fc.tuple(byte, byte, byte, byte).map((bytes) => bytes.join('.'));
const near = fc.tuple(fc.constantFrom(0, 1), fc.nat(255)).map(([c, d]) => `10.0.${c}.${d}`);
const ipv6 = fc.oneof(
  fc.ipV6(),
  fc
    .array(fc.constantFrom('0', '1', 'ffff', '00a', 'FE80', '10000', 'g'), { maxLength: 9 })
    .map((all) => all.join(':')),
  fc
    .tuple(fc.constantFrom('', '1', '2001:db8', 'fe80:0:0:0'), fc.constantFrom('', '1', '1:0', '0:1:2', '8000:0'))
    .map((ends) => ends.join('::')),
);
const mapped = fc.tuple(fc.constantFrom('::ffff:', '::', '64:ff9b::', '::fffe:'), near).map((parts) => parts.join(''));
const strange = fc.constantFrom(
  '1.2.3',
  '01.2.3.4',
  '1.2.3.4.5',
  '1.2.3.256',
  '',
  '::1%eth0',
  '1::2::3',
  ':::',
  ' 1.2.3.4',
);
const address = fc.oneof({ weight: 3, arbitrary: near }, ipv4, ipv6, mapped, strange);

const network = (from: fc.Arbitrary<string>, least: number, most: number): fc.Arbitrary<string> =>
  fc.tuple(from, fc.integer({ min: least, max: most })).map(([of, length]) => `${of}/${length}`);
const tail = fc.constantFrom('/', '/x', '/08', '/ 8', '/-1', '/33', '/129', '/8/8', '/+8', '/00000000000000000000024');
const cidr = fc.oneof(
  { weight: 6, arbitrary: network(near, 22, 32) },
  { weight: 3, arbitrary: network(ipv4, 0, 32) },
  { weight: 3, arbitrary: network(ipv6, 0, 128) },
  { weight: 2, arbitrary: network(mapped, 90, 128) },
  fc.tuple(address, tail).map((parts) => parts.join('')),
  address,
);
const narrow = fc.oneof(network(near, 26, 33), network(ipv6, 123, 129), network(mapped, 122, 128), cidr);

const lists = (item: fc.Arbitrary<RegoValue>): fc.Arbitrary<RegoValue> =>
  fc.oneof(fc.array(item, { maxLength: 4 }), fc.array(item, { maxLength: 4 }).map(regoSet));
const valid = fc.oneof(network(near, 22, 32), network(near, 28, 32), network(ipv4, 0, 32), near);
const validIPv6 = fc.oneof(network(fc.ipV6(), 0, 128), network(mapped, 96, 128), valid);
const pairs: fc.Arbitrary<RegoValue> = fc.oneof(
  { weight: 2, arbitrary: cidr },
  { weight: 4, arbitrary: lists(valid) },
  { weight: 2, arbitrary: lists(fc.oneof<fc.Arbitrary<RegoValue>[]>(valid, fc.tuple(valid, anyValue), cidr)) },
  fc.array(fc.tuple(anyValue, valid), { maxLength: 3 }).map(regoObject),
);

export const netOperands: OperandTable = new Map<string, fc.Arbitrary<readonly RegoValue[]>>([
  ['net.cidr_contains_matches', fc.tuple(operand(pairs), operand(pairs))],
  ['net.cidr_expand', fc.tuple(operand(narrow))],
  ['net.cidr_is_valid', fc.tuple(operand(cidr))],
  [
    'net.cidr_merge',
    fc.tuple(fc.oneof(lists(valid), lists(validIPv6), operand(lists(cidr)), lists(network(near, 20, 24)))),
  ],
]);
