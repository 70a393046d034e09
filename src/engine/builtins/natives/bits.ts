import { regoInteger } from '../../../rego/index.ts';
import type { Builtin } from '../model.ts';
import { BuiltinError } from '../model.ts';
import { integerOperand } from '../operands.ts';

const both =
  (of: (x: bigint, y: bigint) => bigint): Builtin =>
  (_scope, a, b) =>
    regoInteger(of(integerOperand(a, 1), integerOperand(b, 2)));

export const bitsAnd = both((x, y) => x & y);
export const bitsOr = both((x, y) => x | y);
export const bitsXor = both((x, y) => x ^ y);

export const bitsNegate: Builtin = (_scope, a) => regoInteger(~integerOperand(a, 1));

/** Beyond these no bit of any number that OPA reads is left. */
const mostBits = 1_000_000n;

const shift = (count: bigint): bigint => {
  if (count < 0n) throw new BuiltinError('operand 2 must be an unsigned integer number but got a negative integer');
  return BigInt.asUintN(64, count);
};

export const bitsLsh: Builtin = (scope, a, b) => {
  const x = integerOperand(a, 1);
  const places = shift(integerOperand(b, 2));
  if (x === 0n) return regoInteger(0);
  // The text of the number takes far more time than the shift.
  scope.spend(100 * Number(places));
  return regoInteger(x << places);
};

export const bitsRsh = both((x, count) => {
  const places = shift(count);
  return x >> (places > mostBits ? mostBits : places);
});
