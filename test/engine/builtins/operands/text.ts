import fc from 'fast-check';
import { type RegoValue, regoInteger, regoSet } from '../../../../src/rego/index.ts';
import { bytes, message, number, type OperandTable, operand, text } from './values.ts';

// Few letters, so that one is found in another; among them letters of one byte more, and a byte of none.
const letters = fc.stringMatching(/^[ab./*[\]{}?\\é€😀]*$/u);
const short = fc.oneof(
  { weight: 4, arbitrary: letters },
  { weight: 4, arbitrary: fc.constantFrom('', 'a', 'ab', 'aa', 'é', '.', '\ufffd') },
  text,
  bytes,
);
const strings = fc.oneof(
  short,
  fc.array(short, { maxLength: 4 }),
  fc.array(short, { maxLength: 4 }).map(regoSet),
  fc.array(operand(short), { maxLength: 3 }),
);
const count = fc.oneof(fc.integer({ min: -5, max: 5 }).map(regoInteger), number);

export const textOperands: OperandTable = new Map<string, fc.Arbitrary<readonly RegoValue[]>>([
  ['glob.quote_meta', fc.tuple(operand(short))],
  ['indexof_n', fc.tuple(operand(short), operand(short))],
  ['strings.any_prefix_match', fc.tuple(operand(strings), operand(strings))],
  ['strings.any_suffix_match', fc.tuple(operand(strings), operand(strings))],
  ['strings.count', fc.tuple(operand(short), operand(short))],
  ['strings.split_n', fc.tuple(operand(short), operand(short), operand(count))],
  ['trace', fc.tuple(message)],
]);
