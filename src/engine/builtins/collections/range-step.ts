import { regoInteger } from '../../../rego/index.ts';
import type { Builtin } from '../model.ts';
import { BuiltinError } from '../model.ts';
import { integerOperand } from '../operands.ts';

/** What a number of the range takes here and in the module, by itself and for each digit. */
const numberPoints = 150;
const digitPoints = 20;

/** `numbers.range_step`: from one number to another, which need not be met; downwards where the second is less. */
export const rangeStep: Builtin = (scope, from, to, step) => {
  const [first, last, by] = [integerOperand(from, 1), integerOperand(to, 2), integerOperand(step, 3)];
  if (by <= 0n) throw new BuiltinError('step must be a positive integer');
  const distance = last < first ? first - last : last - first;
  const length = distance / by + 1n;
  const digits = Math.max(String(first).length, String(last).length);
  scope.spend(Number(length) * (numberPoints + digitPoints * digits));
  const signed = last < first ? -by : by;
  return Array.from({ length: Number(length) }, (_, at) => regoInteger(first + signed * BigInt(at)));
};
