import fc from 'fast-check';
import { type RegoValue, regoObject, regoSet } from '../../../../src/rego/index.ts';
import { anyValue, bytes, message, type OperandTable, operand, text } from './values.ts';

const hexadecimal = fc.stringMatching(/^[0-9a-fA-Fg]{0,9}$/);
const query = fc.oneof(
  { weight: 3, arbitrary: fc.stringMatching(/^(?:[ab+ ;é]|%[0-9a-fA-F]{2}|[&=]|%[0-9a-g]?){0,12}$/u) },
  fc.webQueryParameters(),
  text,
  bytes,
);
const name = fc.oneof(fc.constantFrom<RegoValue>('a', 'b', 'a b', 'é', '~*!'), bytes, anyValue);
const texts = fc.array(fc.oneof(text, bytes), { maxLength: 3 });
const values = fc.oneof(text, bytes, texts, texts.map(regoSet), operand(texts));

export const encodingOperands: OperandTable = new Map<string, fc.Arbitrary<readonly RegoValue[]>>([
  ['base64url.encode_no_pad', fc.tuple(message)],
  ['hex.decode', fc.tuple(operand(fc.oneof(hexadecimal, text)))],
  ['hex.encode', fc.tuple(message)],
  ['urlquery.decode', fc.tuple(operand(query))],
  ['urlquery.decode_object', fc.tuple(operand(query))],
  ['urlquery.encode', fc.tuple(message)],
  ['urlquery.encode_object', fc.tuple(operand(fc.array(fc.tuple(name, values), { maxLength: 4 }).map(regoObject)))],
]);
