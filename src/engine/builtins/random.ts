import { randomBytes, randomUUID } from 'node:crypto';
import { regoInteger } from '../../rego/index.ts';
import { dumpValue } from '../values/value-text.ts';
import type { Builtin } from './model.ts';
import { BuiltinError } from './model.ts';
import { byteStringOperand, int64Operand } from './operands.ts';

// Within one evaluation the same question has the same answer.

/** `uuid.rfc4122`: of version 4, one for each operand. */
export const uuidRfc4122: Builtin = (scope, key = null) => {
  scope.markVolatile();
  return scope.once(`uuid.rfc4122 ${dumpValue(key)}`, randomUUID);
};

/** Below `bound`, every number as likely as any other. */
const randomBelow = (bound: bigint): bigint => {
  const fair = 2n ** 64n - (2n ** 64n % bound);
  for (;;) {
    const drawn = randomBytes(8).readBigUInt64BE();
    if (drawn < fair) return drawn % bound;
  }
};

/** `rand.intn`: from 0 on, below the number's absolute value; 0 for 0. */
export const randIntn: Builtin = (scope, text, bound) => {
  const name = byteStringOperand(text, 1);
  const signed = int64Operand(bound, 2);
  const most = signed < 0n ? -signed : signed;
  if (most >= 2n ** 63n) throw new BuiltinError('operand 2 is out of range');
  if (most === 0n) return regoInteger(0);
  scope.markVolatile();
  return scope.once(`rand.intn ${most} ${name}`, () => regoInteger(randomBelow(most)));
};
