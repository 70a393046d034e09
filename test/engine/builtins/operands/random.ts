import fc from 'fast-check';
import type { RegoValue } from '../../../../src/rego/index.ts';
import { regoInteger } from '../../../../src/rego/index.ts';
import { anyValue, message, number, type OperandTable, operand } from './values.ts';

export const randomOperands: OperandTable = new Map<string, fc.Arbitrary<readonly RegoValue[]>>([
  ['opa.runtime', fc.constant([])],
  ['rand.intn', fc.tuple(message, operand(fc.oneof(number, fc.constantFrom(0, 1, -1).map(regoInteger))))],
  ['uuid.rfc4122', fc.tuple(anyValue)],
]);
