import type { RegoValue } from '../../../rego/index.ts';
import { compareValues, RegoNumber, RegoSet, regoInteger } from '../../../rego/index.ts';
import type { BigFloat } from '../../values/big-float.ts';
import { added, divided, floatOf, multiplied, negated, ofInteger, truncated } from '../../values/big-float.ts';
import { floatText } from '../../values/number-text.ts';
import type { Builtin, CallScope } from '../model.ts';
import { BuiltinError } from '../model.ts';
import { int64Of, integerOf, listOperand, wrongType } from '../operands.ts';

const numberOperand = (value: RegoValue | undefined, position: number): RegoNumber => {
  if (value instanceof RegoNumber) return value;
  throw wrongType(value, position, 'number');
};

const floatOperand = (value: RegoNumber): BigFloat => {
  const found = floatOf(value.text);
  if (found === undefined) throw new BuiltinError('the number is too large');
  return found;
};

/** OPA reads these by the fast way, in which a sign before zero is lost. */
const smallOf = (value: RegoNumber): bigint | undefined => {
  const found = int64Of(value.text);
  return found !== undefined && found >= -(2n ** 31n) && found < 2n ** 31n ? found : undefined;
};

/** Writing out a long exponent takes time that its text does not show. */
const floatResult = (scope: CallScope, value: BigFloat, bits?: number): RegoNumber => {
  if (Math.abs(value.exponent) > 1_000) scope.spend(10 * Math.abs(value.exponent));
  return new RegoNumber(floatText(value, bits));
};

interface Operation {
  readonly exact: (x: bigint, y: bigint) => bigint;
  readonly float: (x: BigFloat, y: BigFloat) => BigFloat;
}

const calculated = (scope: CallScope, { exact, float }: Operation, a: RegoNumber, b: RegoNumber): RegoNumber => {
  const x = smallOf(a) ?? integerOf(a.text);
  const y = x === undefined ? undefined : (smallOf(b) ?? integerOf(b.text));
  if (x !== undefined && y !== undefined) return regoInteger(exact(x, y));
  return floatResult(scope, float(floatOperand(a), floatOperand(b)));
};

const operation =
  (of: Operation): Builtin =>
  (scope, a, b) =>
    calculated(scope, of, numberOperand(a, 1), numberOperand(b, 2));

/** `plus`, exact for integers of any size; with fractions in floats of 64 bits. */
export const plus = operation({ exact: (x, y) => x + y, float: added });

export const mul = operation({ exact: (x, y) => x * y, float: multiplied });

const difference: Operation = { exact: (x, y) => x - y, float: (x, y) => added(x, negated(y)) };

/** `minus`, of numbers or of sets. */
export const minus: Builtin = (scope, a, b) => {
  if (a instanceof RegoNumber && b instanceof RegoNumber) return calculated(scope, difference, a, b);
  if (!(a instanceof RegoSet)) {
    if (!(a instanceof RegoNumber)) throw wrongType(a, 1, 'number', 'set');
    throw wrongType(b, 2, 'number');
  }
  if (!(b instanceof RegoSet)) throw wrongType(b, 2, 'set');
  return new RegoSet(without(a.items, b.items));
};

/** Both are in Rego's order, and so is what is left. */
const without = (items: readonly RegoValue[], others: readonly RegoValue[]): RegoValue[] => {
  let at = 0;
  return items.filter((item) => {
    while (at < others.length && compareValues(others[at] as RegoValue, item) < 0) at++;
    return at === others.length || compareValues(others[at] as RegoValue, item) !== 0;
  });
};

/** `div`: exact only where a small integer divides another; a zero has a sign. */
export const div: Builtin = (scope, a, b) => {
  const [top, bottom] = [numberOperand(a, 1), numberOperand(b, 2)];
  const [x, y] = [smallOf(top), smallOf(bottom)];
  if (y === 0n) throw new BuiltinError('divide by zero');
  if (x !== undefined && y !== undefined && x !== 0n && x % y === 0n) return regoInteger(x / y);
  const divisor = floatOperand(bottom);
  if (divisor.mantissa === 0n) throw new BuiltinError('divide by zero');
  // An integer of 32 bits has lost the sign of its zero before.
  return floatResult(scope, divided(floatOperand(top), divisor));
};

export const rem: Builtin = (_scope, a, b) => {
  const [x, y] = [integerOf(numberOperand(a, 1).text), integerOf(numberOperand(b, 2).text)];
  if (x === undefined || y === undefined) throw new BuiltinError('modulo on floating-point number');
  if (y === 0n) throw new BuiltinError('modulo by zero');
  return regoInteger(x % y);
};

const unary =
  (small: (x: bigint) => bigint, float: (x: BigFloat, scope: CallScope) => RegoNumber): Builtin =>
  (scope, a) => {
    const number = numberOperand(a, 1);
    const x = smallOf(number);
    return x === undefined ? float(floatOperand(number), scope) : regoInteger(small(x));
  };

export const abs = unary(
  (x) => (x < 0n ? -x : x),
  (x, scope) => floatResult(scope, { ...x, negative: false }),
);

const same = (x: bigint): bigint => x;
const half: BigFloat = { negative: false, mantissa: 1n, exponent: -1 };

const hasFraction = (x: BigFloat): boolean =>
  x.exponent < 0 && (x.mantissa & ((1n << BigInt(-x.exponent)) - 1n)) !== 0n;

export const round = unary(same, (x) => regoInteger(truncated(added(x, { ...half, negative: x.negative }))));

// Between -1 and 0 OPA's whole part has no sign: floor answers 0 and ceil 1 there.
export const ceil = unary(same, (x) => {
  const whole = truncated(x);
  return regoInteger(whole < 0n || !hasFraction(x) ? whole : whole + 1n);
});

export const floor = unary(same, (x) => {
  const whole = truncated(x);
  return regoInteger(whole >= 0n || !hasFraction(x) ? whole : whole - 1n);
});

const numbersOperand = (value: RegoValue | undefined): readonly RegoNumber[] =>
  listOperand(value, 1).map((item) => {
    if (item instanceof RegoNumber) return item;
    throw new BuiltinError('operand 1 must be a collection of numbers');
  });

/** `sum` and `product`: exact when all are integers, otherwise in floats of so many bits. */
const accumulated =
  (first: bigint, bits: number, of: (x: bigint, y: bigint) => bigint, float: typeof added): Builtin =>
  (scope, values) => {
    const numbers = numbersOperand(values);
    const integers = numbers.map(({ text }) => integerOf(text)).filter((x) => x !== undefined);
    if (integers.length === numbers.length) return regoInteger(integers.reduce(of, first));
    const result = numbers.reduce((total, x) => float(total, floatOperand(x), bits), ofInteger(first));
    return floatResult(scope, result, bits);
  };

export const sum = accumulated(0n, 64, (x, y) => x + y, added);
export const product = accumulated(1n, 53, (x, y) => x * y, multiplied);
