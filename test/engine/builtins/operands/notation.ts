import fc from 'fast-check';
import type { RegoValue } from '../../../../src/rego/index.ts';
import { type OperandTable, operand, text } from './values.ts';

const optional = (pattern: RegExp) => fc.oneof(fc.constant(''), fc.stringMatching(pattern));

const numeral = fc.oneof(
  fc.nat(3).map(String),
  fc.constantFrom('01', '9223372036854775807', '9223372036854775808', ''),
);
// Of equal numbers beyond 64 bits OPA never finishes the comparison.
const identifier = fc.oneof(
  fc.stringMatching(/^[0-9a-zA-Z.-]{0,6}$/),
  fc.constantFrom('alpha.1', 'alpha.beta', '1', '01'),
);
const version = fc
  .tuple(
    fc.constantFrom('', '', 'v', 'vv'),
    fc.array(numeral, { minLength: 3, maxLength: 3 }),
    fc.constantFrom('', '', '.1'),
    fc.oneof(
      fc.constant(''),
      identifier.map((value) => `-${value}`),
    ),
    fc.oneof(
      fc.constant(''),
      identifier.map((value) => `+${value}`),
    ),
  )
  .map(([start, numbers, more, preRelease, build]) => `${start}${numbers.join('.')}${more}${preRelease}${build}`);

const number = fc
  .tuple(
    fc.constantFrom('', '', '', '+', '-'),
    optional(/^\d{1,25}$/),
    optional(/^\.\d{0,14}$/),
    fc.oneof(
      fc.constant(''),
      fc.constant(''),
      fc.stringMatching(/^[eE][+-]?\d{0,3}$/),
      fc.constantFrom('e-1000001', 'e'),
    ),
  )
  .map((parts) => parts.join(''));
const unit = fc.oneof(
  fc.stringMatching(/^[kKmMgGtTpPeE]?[iI]?[bB]?$/),
  fc.constantFrom('', '\u212a', 'k\u0130', 'mİb', ' Mi', '"k"', 'foo', '.', '+'),
);
const amount = fc.oneof({ weight: 6, arbitrary: fc.tuple(number, unit).map((parts) => parts.join('')) }, text);

const hexadecimal = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-fA-F]{${length}}$`));
const plainUuid = fc
  .tuple(
    hexadecimal(8),
    hexadecimal(4),
    fc.constantFrom('1', '2', '2', '4', 'f'),
    hexadecimal(3),
    hexadecimal(4),
    hexadecimal(12),
  )
  .map(([first, second, kind, third, fourth, last]) => [first, second, kind + third, fourth, last].join('-'));
const domainUuid = fc
  .tuple(hexadecimal(8), fc.constantFrom('00', '01', '02', '03', 'ff'), hexadecimal(12))
  .map(([first, domain, last]) => `${first}-0000-2000-80${domain}-${last}`);
const uuid = fc
  .tuple(
    fc.oneof(plainUuid, domainUuid),
    fc.constantFrom(
      (value: string) => value,
      (value: string) => `{${value}}`,
      (value: string) => `é${value.slice(1)}`,
      (value: string) => `URN:uuid:${value}`,
      (value: string) => `urn:guid:${value}`,
      (value: string) => value.replaceAll('-', ''),
      (value: string) => value.replace('-', '0'),
      (value: string) => value.replace(/.$/, 'g'),
    ),
  )
  .map(([value, written]) => written(value));

export const notationOperands: OperandTable = new Map<string, fc.Arbitrary<readonly RegoValue[]>>([
  ['semver.compare', fc.tuple(operand(version), operand(version))],
  ['semver.is_valid', fc.tuple(operand(version))],
  ['units.parse', fc.tuple(operand(amount))],
  ['units.parse_bytes', fc.tuple(operand(amount))],
  ['uuid.parse', fc.tuple(operand(uuid))],
]);
