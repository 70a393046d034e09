import fc from 'fast-check';
import type { RegoValue } from '../../../../src/rego/index.ts';
import { message, type OperandTable } from './values.ts';

const plain = ['md5', 'sha1', 'sha256'];
const keyed = [...plain, 'sha512', 'equal'];

export const digestOperands: OperandTable = new Map<string, fc.Arbitrary<readonly RegoValue[]>>([
  ...plain.map((name) => [`crypto.${name}`, fc.tuple(message)] as const),
  ...keyed.map((name) => [`crypto.hmac.${name}`, fc.tuple(message, message)] as const),
]);
