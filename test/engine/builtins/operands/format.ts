import fc from 'fast-check';
import { RegoNumber, regoInteger } from '../../../../src/rego/index.ts';
import { anyValue, bytes, number, type OperandTable, operand, text } from './values.ts';

const verb = fc
  .tuple(
    fc.stringMatching(/^[#0+ -]{0,3}$/),
    fc.constantFrom('', '', '', '5', '12', '*', '[1]', '[2]*', '[x]', '[9]'),
    fc.constantFrom('', '', '', '.', '.0', '.1', '.3', '.20', '.*', '.[1]*'),
    fc.constantFrom('', '', '', '[1]', '[3]'),
    fc.constantFrom(...'vvvvdsddsqxXobOceEfFgGbUTtz%ü!'),
  )
  .map((parts) => `%${parts.join('')}`);
const format = fc
  .array(fc.oneof(verb, verb, fc.string({ maxLength: 3 }), fc.constantFrom('%v', '%d', '%s', ' ', '%')), {
    maxLength: 4,
  })
  .map((parts) => parts.join(''));
const formatted = fc.oneof(
  number,
  fc
    .constantFrom('0', '0.0', '-0.0', '1e21', '0.1', '123456789.0', '1e-7', '2.5', '1.5', '1e400')
    .map((value) => new RegoNumber(value)),
  fc.integer({ min: -20, max: 120 }).map(regoInteger),
  text,
  bytes,
  anyValue,
);

export const formatOperands: OperandTable = new Map([
  ['sprintf', fc.tuple(operand(format), operand(fc.array(formatted, { maxLength: 4 })))],
]);
